"""The definition of a job, for the pipeline, the command line and the documentation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crossic_etl.config import Config, ConfigError
from crossic_etl.schemas import Table

if TYPE_CHECKING:
    from crossic_etl.inputs.run_inputs import RunInputs

# The keys that determine which dumps there are.
DUMPS = (
    "wikipedia.dumps",
    "wikipedia.date",
    "wikipedia.plain_text",
    "wikipedia.on_damage",
    "wikipedia.service",
)


def _no_tables(config: Config) -> tuple[Table, ...]:
    return ()


def _nothing_needed(config: Config) -> ConfigError | None:
    return None


def _no_files(inputs: RunInputs) -> str:
    return ""


@dataclass(frozen=True)
class Job:
    """One job: it reads files and tables, and makes the rows of the tables that it writes.

    Attributes:
        name: of the job, its script, its pipeline module and its main table.
        run: ``run(spark, config, rebuild=False, inputs=None)``; returns the recorded `Run`. A job
            that can't be rebuilt ignores ``rebuild``.
        writes: tables that it changes.
        reads: tables that it reads with a given configuration.
        settings: dotted keys of the configuration that determine its rows.
        inputs: dotted keys that name its input files and languages.
        needs: the error if a configuration has no input for the job, else None.
        fingerprint: of the files that it reads, without the content of large files.
        can_rebuild: whether ``rebuild`` makes all of its rows again.
        scratch: names of its scratch tables, without their prefix.
    """

    name: str
    run: Callable[..., Any]
    writes: tuple[Table, ...] = ()
    reads: Callable[[Config], tuple[Table, ...]] = _no_tables
    settings: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ("languages",)
    needs: Callable[[Config], ConfigError | None] = _nothing_needed
    fingerprint: Callable[[RunInputs], str] = _no_files
    can_rebuild: bool = False
    scratch: tuple[str, ...] = ()

    @property
    def reads_dumps(self) -> bool:
        """Whether it reads Wikipedia's dump files."""
        return set(DUMPS) <= set(self.inputs)

    @property
    def reads_crawl(self) -> bool:
        """Whether it reads files of a web crawl."""
        return "crawl.sources" in self.inputs


def always(*tables: Table) -> Callable[[Config], tuple[Table, ...]]:
    """The same tables for every configuration, for `Job.reads`."""
    return lambda config: tables


def needs_crawl(name: str) -> Callable[[Config], ConfigError | None]:
    """Requires crawl files for the job of this name, for `Job.needs`."""

    def needs(config: Config) -> ConfigError | None:
        if config.crawl.sources:
            return None
        return ConfigError("crawl.sources", [], f"files of a crawl for the job {name}")

    return needs
