"""All jobs in order, in one session: dumps to training windows."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from types import ModuleType

from pyspark.sql import SparkSession

from crossic_etl.config import Config
from crossic_etl.inputs.dumps import (
    find_wikis,
    fingerprint_of,
)
from crossic_etl.inputs.errors import InputError
from crossic_etl.inputs.evaluation import fingerprint_of_evaluation
from crossic_etl.pipeline import (
    calibrate,
    documents,
    embeddings,
    links,
    neighbours,
    pages,
    pairs,
    samples,
    windows,
)
from crossic_etl.pipeline.retrieval.thresholds import reads_needed
from crossic_etl.pipeline.sample_sources import tables_read
from crossic_etl.runs.ledger import is_finished, refuse_other_settings
from crossic_etl.runs.record import Run
from crossic_etl.schemas import Table
from crossic_etl.tables import Tables
from crossic_etl.tables.lock import writing

JOBS: dict[str, ModuleType] = {
    "pages": pages,
    "links": links,
    "pairs": pairs,
    "documents": documents,
    "embeddings": embeddings,
    "calibrate": calibrate,
    "neighbours": neighbours,
    "samples": samples,
    "windows": windows,
}
# Which jobs read files, and which take what they hold as it is.
OF_DUMPS, OF_CRAWL = ("pages", "links"), ("documents",)
REBUILT = ("pages", "samples", "windows")
CRAWL = ("documents", "embeddings", "calibrate", "neighbours")


def jobs_of(config: Config) -> dict[str, ModuleType]:
    """The jobs, in order, that a configuration has input for: those of the crawl need sources.

    Thresholds are calibrated where that is asked for.
    """
    left_out = set() if config.crawl.sources else set(CRAWL)
    if not config.neighbours.calibrate:
        left_out.add("calibrate")
    return {name: job for name, job in JOBS.items() if name not in left_out}


def run_if_needed(spark: SparkSession, config: Config, name: str, rebuild: bool) -> None:
    """Runs a job, unless its tables are what it would make of what there is."""
    job, tables = JOBS[name], Tables(spark, config.root)
    reads, files = reads_of(name, config), fingerprint_of_files(spark, config, name)
    if rebuild and name in REBUILT:
        job.run(spark, config, rebuild=True)
    elif name not in OF_CRAWL and is_finished(tables, config, job.SPEC, reads, files):
        print(f"{name}: nothing new", flush=True)
    else:
        job.run(spark, config)


def run_flow(
    spark: SparkSession,
    config: Config,
    jobs: Sequence[str] | None = None,
    *,
    rebuild: bool = False,
    reconfigure: bool = False,
    wait: bool = True,
) -> dict[str, Run]:
    """Runs jobs in order, as the root's one writer, those that have news; what each counted."""
    names = [name for name in jobs_of(config) if jobs is None or name in jobs]
    with writing(spark, config.root, wait):
        if not reconfigure:
            specs = [JOBS[name].SPEC for name in names]
            refuse_other_settings(Tables(spark, config.root), config, specs)
        for name in names:
            run_if_needed(spark, config, name, rebuild)
    return {}


def fingerprint_of_files(spark: SparkSession, config: Config, name: str) -> str:
    """Of the files that a job reads; empty where it reads none, or none that can be read."""
    with suppress(InputError):  # the job says so itself
        if name in OF_DUMPS:
            return fingerprint_of(find_wikis(spark, config))
        if name == "samples":
            return fingerprint_of_evaluation(spark, config)
    return ""


def reads_of(name: str, config: Config) -> tuple[Table, ...]:
    """The tables that a job of this configuration reads."""
    if name == "samples":
        return tables_read(config)
    return reads_needed(JOBS[name].READS, config)
