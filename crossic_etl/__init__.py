"""Wikipedia and web-crawl dumps to cross-lingual training data (CrossIC-PT, arXiv 2504.20484).

One job makes one table::

    dump XML ────────────────► pages, redirects ──┬──► pairs ───────────┐
    langlinks, page_props SQL ► links ────────────┘                     ├──► samples ──► windows
    crawl files ─────────────► documents ─► embeddings ─► neighbours ───┘

``crossic_etl.pipeline`` reads, transforms and writes; ``crossic_etl.transforms`` turns frames into
frames; ``crossic_etl.kernels`` does the work on plain values and never imports Spark.

From Python::

    import crossic_etl

    config = crossic_etl.load_config("my.yaml", ["window.length=2048"])
    runs = crossic_etl.run(config, jobs=["pages", "links", "pairs"])
    print(runs["pairs"].rows_out, runs["pairs"].dropped)
    crossic_etl.open_tables(config.root).pairs.show(3)

Progress goes to the logger ``crossic_etl`` at INFO. Importing this package imports no Spark.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession

    from crossic_etl.config import Config
    from crossic_etl.runs.record import Run
    from crossic_etl.tables.opened import OpenTables

__all__ = ["__version__", "load_config", "open_tables", "run"]

__version__: str


def load_config(path: str | Path, overrides: Sequence[str] = ()) -> Config:
    """The configuration in a YAML file.

    Args:
        path: of the file.
        overrides: texts ``key=value`` that replace keys, such as ``window.length=2048``.

    Raises:
        ConfigError: an unknown key or a wrong value; the message names both, and what was expected.
    """
    from crossic_etl.config import load_config

    return load_config(path, overrides)


def run(
    config: Config,
    jobs: Sequence[str] | None = None,
    spark: SparkSession | None = None,
    *,
    rebuild: bool = False,
    reconfigure: bool = False,
    wait: bool = True,
) -> dict[str, Run]:
    """Runs jobs in their order, as the one writer under the configuration's root.

    Args:
        config: of all jobs.
        jobs: names of those to run; by default all that the configuration has input for. A job that
            has nothing new to do is skipped.
        spark: the session; by default the active one, or else a new one on this machine.
        rebuild: make pages, samples and windows anew, whatever is there.
        reconfigure: replace what was made with other settings, instead of refusing to.
        wait: for another run that writes under the root, instead of failing.

    Returns:
        By job, in order, its counts: ``rows_in``, ``rows_out``, ``dropped`` by reason, ``seconds``.

    Raises:
        ConfigError: the configuration can't be run, or is not that of what is there.
        InputError: a file that a job reads is missing or can't be read.
        LockedError: another run writes under the root, and ``wait`` is false.
    """
    from crossic_etl.config.checks import check_all
    from crossic_etl.pipeline.flow import choose, run_flow
    from crossic_etl.session import get_session

    check_all(config)
    chosen = choose(config, only=jobs or ())
    session = spark or get_session()
    return run_flow(session, config, chosen, rebuild=rebuild, reconfigure=reconfigure, wait=wait)


def open_tables(root: str | Path, spark: SparkSession | None = None) -> OpenTables:
    """The tables under a root, each a DataFrame: ``open_tables(root).pairs``.

    Args:
        root: a folder, a URL or ``catalog.schema``.
        spark: the session; by default the active one, or else a new one on this machine.
    """
    from crossic_etl.session import get_session
    from crossic_etl.tables.opened import OpenTables

    return OpenTables(spark or get_session(), str(root))


def __getattr__(name: str) -> str:
    if name == "__version__":
        from importlib.metadata import version

        return version("crossic-etl")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
