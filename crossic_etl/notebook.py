"""Helpers for notebooks, beside the Python API: parameters, counts, and texts to read.

The names in ``__all__`` are stable; the modules behind them may change.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F

from crossic_etl.config import Config
from crossic_etl.config.etl import Wikipedia
from crossic_etl.inputs.dumps import find_wikis, read_records
from crossic_etl.kernels.search.calibration import Calibration, calibrate
from crossic_etl.kernels.search.vectors import to_matrix
from crossic_etl.kernels.tokens.tokenizers import Tokenizer, load_tokenizer
from crossic_etl.kernels.wiki.dump_records import Page
from crossic_etl.kernels.wiki.dump_xml import parse_record
from crossic_etl.kernels.wikis import Wiki
from crossic_etl.log import PACKAGE, ConsoleHandler, TextFormatter
from crossic_etl.pipeline.flow import jobs_of, plan
from crossic_etl.pipeline.retrieval.plot import draw_margins
from crossic_etl.report.source import ReportSource, collect
from crossic_etl.sample.build import build_sample
from crossic_etl.sample.build_web import build_web_sample
from crossic_etl.sample.show import show_sample
from crossic_etl.sample.side_by_side import side_by_side
from crossic_etl.session import get_session
from crossic_etl.tables import Tables
from crossic_etl.tables.opened import OpenTables
from crossic_etl.transforms.matches import select_vectors
from crossic_etl.transforms.report import (
    count_rejects,
    count_rows,
    describe,
    measure_neighbours,
    with_both_sides,
)
from crossic_etl.transforms.report import histogram as histogram
from crossic_etl.transforms.report import sample_groups as sample_groups
from crossic_etl.transforms.thresholds import KNOWN, filter_pairs

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row, SparkSession

__all__ = [
    "Calibration",
    "Tokenizer",
    "bin_ends",
    "calibrate",
    "collect",
    "count_rejects",
    "count_rows",
    "default_root",
    "describe",
    "direction",
    "draw_margins",
    "dump_record",
    "find_known_pairs",
    "get_session",
    "histogram",
    "load_tokenizer",
    "measure_neighbours",
    "newest_runs",
    "parameter",
    "sample_groups",
    "select_vectors",
    "show_plan",
    "show_progress",
    "show_sample",
    "side_by_side",
    "to_matrix",
    "warehouse",
    "wikitext_of",
    "with_both_sides",
    "write_sample",
    "write_sample_config",
]

# The same as in the Databricks bundle (deploy/databricks/databricks.yml).
DATABRICKS_ROOT = "main.crossic"


def parameter(name: str, default: str, dbutils: Any = None) -> str:
    """The value of a Databricks widget, or of ``CROSSIC_ETL_NAME``, or the default.

    Args:
        name: of the widget, in lower case.
        default: the value where nothing is set.
        dbutils: the object of this name that Databricks gives its notebooks; None elsewhere.
    """
    if dbutils is None:
        return os.environ.get(f"CROSSIC_ETL_{name.upper()}", default)
    dbutils.widgets.text(name, default)  # doesn't change a widget that a job or a user has set
    return str(dbutils.widgets.get(name))


def warehouse() -> str:
    """The output folder of ``make run``, from the repository's folder or its ``notebooks``."""
    here = Path.cwd()
    return str((here.parent if here.name == "notebooks" else here) / "warehouse")


def default_root() -> str:
    """The root of the tables of ``make run``; on Databricks the bundle's root."""
    if "DATABRICKS_RUNTIME_VERSION" in os.environ:
        return DATABRICKS_ROOT
    return f"{warehouse()}/tables"


def show_progress() -> None:
    """Prints the messages of the jobs below the cell that runs them."""
    logger = logging.getLogger(PACKAGE)
    if not any(isinstance(handler, ConsoleHandler) for handler in logger.handlers):
        handler = ConsoleHandler(to_stderr=False)
        handler.setFormatter(TextFormatter(names=False))
        logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False  # Databricks' root logger would print the messages again


def write_sample(folder: str | Path) -> tuple[list[Path], list[Path]]:
    """Writes the bundled sample to ``dumps`` and ``crawl`` in a folder; returns the paths."""
    return build_sample(Path(folder, "dumps")), build_web_sample(Path(folder, "crawl"))


def write_sample_config(folder: str | Path) -> Path:
    """Writes ``quickstart.yaml``, the sample's configuration, to a folder that has its files."""
    bundled = (files("crossic_etl.sample") / "config.yaml").read_text("utf-8")
    path = Path(folder, "quickstart.yaml")
    path.write_text(bundled.replace("warehouse/", f"{folder}/"), "utf-8")
    return path


def show_plan(config: Config) -> str:
    """What each job would read and write, one line a job, as ``crossic-etl run --dry-run`` does."""
    return "\n".join(plan(config, jobs_of(config)))


def newest_runs(tables: OpenTables) -> list[dict[str, Any]]:
    """The rows of ``runs`` of each job's newest finished run, in the order of the jobs."""
    from crossic_etl.report.flow import newest

    return newest(ReportSource(Tables(get_session(), tables.root), seed=0, most_samples=0))


def bin_ends(counted: Sequence[Mapping[str, Any]], step: float) -> list[dict[str, Any]]:
    """The rows of a `histogram` with ``low`` and ``high``, the ends of each bin."""
    from crossic_etl.report.charts import with_ends

    return with_ends(counted, step)


def direction(lang: str) -> str:
    """The HTML attribute ``dir`` for a language: ``rtl`` or ``auto``."""
    from crossic_etl.report.html import direction as direction_of

    return direction_of(lang)


def dump_record(spark: SparkSession, dumps: str, page: Row) -> bytes:
    """The XML record of a page in its dump, from ``<page`` on.

    Args:
        spark: the session.
        dumps: the folder of all dumps.
        page: a row of ``pages``.

    Raises:
        LookupError: the dump doesn't have the page.
    """
    wikipedia = Wikipedia(dumps=dumps, date=page.dump_date)
    (wiki,) = find_wikis(spark, wikipedia, [page.lang])
    is_page = F.col("value").cast("string").rlike(rf"<ns>0</ns>\s*<id>{page.page_id}</id>")
    rows = read_records(spark, [wiki]).where(is_page).head(1)
    if not rows:
        raise LookupError(f"no record of page {page.page_id} of {page.lang} in {dumps}")
    record = bytes(rows[0].value)
    return record[record.index(b"<page") :]


def wikitext_of(record: bytes, lang: str) -> str:
    """The wikitext of a page's record.

    Raises:
        ValueError: the record is not an article's.
    """
    parsed = parse_record(record, Wiki.of(lang))
    if not isinstance(parsed, Page):
        raise ValueError(f"no article: {re.sub(rb'<text.*', b'', record[:200], flags=re.S)!r}")
    return parsed.wikitext


def find_known_pairs(pairs: DataFrame, vectors: DataFrame, seed: int = 0) -> DataFrame:
    """The rows of ``pairs`` whose pages both have a vector: the known answers of a search."""
    return filter_pairs(pairs, vectors, seed=seed).where(F.col("outcome") == KNOWN)
