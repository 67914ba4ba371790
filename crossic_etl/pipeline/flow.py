"""All jobs in order, in one session: dumps to training windows."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress

from pyspark.sql import SparkSession

from crossic_etl.config import Config
from crossic_etl.config.errors import UnfitSettingError
from crossic_etl.inputs.dump_names import dump_folder
from crossic_etl.inputs.errors import InputError
from crossic_etl.inputs.run_inputs import RunInputs
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
from crossic_etl.runs.job import Job
from crossic_etl.runs.ledger import is_finished, refuse_other_settings
from crossic_etl.runs.record import Run
from crossic_etl.tables import Tables
from crossic_etl.tables.lock import writing

log = logging.getLogger(__name__)

# The one list: a new job is its module, its schema and a line here.
JOBS: tuple[Job, ...] = (
    pages.JOB,
    links.JOB,
    pairs.JOB,
    documents.JOB,
    embeddings.JOB,
    calibrate.JOB,
    neighbours.JOB,
    samples.JOB,
    windows.JOB,
)


def names(jobs: Sequence[Job] | None = None) -> list[str]:
    """The names of jobs, in order; by default of all."""
    return [job.name for job in (JOBS if jobs is None else jobs)]


def jobs_of(config: Config) -> list[Job]:
    """The jobs, in order, that a configuration has input for."""
    return [job for job in JOBS if job.needs(config) is None]


def choose(config: Config, first: str | None = None, only: Sequence[str] = ()) -> list[Job]:
    """The jobs to run, in order: all that have input, those from one on, or some alone.

    Raises:
        UnfitSettingError: both are given, or a name that is no job's.
        ConfigError: a job that is named has no input.
    """
    if first and only:
        raise UnfitSettingError("--only: give it or --from, not both")
    wanted = [first] if first else list(only)
    for name in wanted:
        if name not in names():
            raise UnfitSettingError(f"{name}: no such job; there are {', '.join(names())}")
        if error := next(job for job in JOBS if job.name == name).needs(config):
            raise error
    jobs = jobs_of(config)
    if first:
        return jobs[names(jobs).index(first) :]
    return [job for job in jobs if job.name in only] if only else jobs


def run_flow(
    spark: SparkSession,
    config: Config,
    jobs: Sequence[Job] | None = None,
    *,
    rebuild: bool = False,
    reconfigure: bool = False,
    wait: bool = True,
) -> dict[str, Run]:
    """Runs jobs as the one writer under the root; the record of each by its name.

    A job whose tables are what it would make of what there is now isn't run; its record says
    ``nothing_new``.

    Args:
        spark: the session.
        config: of the run.
        jobs: in order; by default all that the configuration has input for.
        rebuild: make anew the rows of the jobs that can.
        reconfigure: replace what was made with other settings, instead of refusing to.
        wait: until another writer under the root ends.

    Raises:
        LockedError: another run writes, and waiting isn't wanted.
        UnfitSettingError: what is there was made with other settings.
    """
    chosen = jobs_of(config) if jobs is None else jobs
    with writing(spark, config.root, wait=wait):
        if not reconfigure:
            refuse_other_settings(Tables(spark, config.root), config, chosen)
        inputs = RunInputs(spark, config)
        return {job.name: run_if_needed(job, config, inputs, rebuild) for job in chosen}


def run_if_needed(job: Job, config: Config, inputs: RunInputs, rebuild: bool = False) -> Run:
    """Runs a job, unless its tables are what it would make of what there is."""
    if not (rebuild and job.can_rebuild) and is_current(job, config, inputs):
        log.info("%s: nothing new", job.name)
        return Run(job.name, nothing_new=True)
    made: Run = job.run(inputs.spark, config, rebuild=rebuild, inputs=inputs)
    return made


def is_current(job: Job, config: Config, inputs: RunInputs) -> bool:
    """Whether a job has nothing to do; not where its files can't be read: the job says so."""
    files = ""
    with suppress(InputError):
        files = job.fingerprint(inputs)
    return is_finished(Tables(inputs.spark, config.root), config, job, files)


def scratch_names() -> list[str]:
    """The names of all jobs' scratch tables, each once."""
    return list(dict.fromkeys(name for job in JOBS for name in job.scratch))


def plan(config: Config, jobs: Sequence[Job]) -> list[str]:
    """What each job would read and write, a line for each; starts no Spark."""
    lines = [f"configuration {config.digest()}, tables under {config.root}"]
    for job in jobs:
        reads = [*_files(job, config), *(table.name for table in job.reads(config))]
        writes = [table.name for table in job.writes]
        lines.append(f"{job.name}: reads {', '.join(reads)}; writes {', '.join(writes)}, runs")
    return lines


def _files(job: Job, config: Config) -> list[str]:
    dumps = [_dumps_of(config, lang) for lang in config.wikis] if job.reads_dumps else []
    crawl = [source.path for source in config.crawl.sources] if job.reads_crawl else []
    return dumps + crawl


def _dumps_of(config: Config, lang: str) -> str:
    plain = config.wikipedia.plain_text.get(lang)
    folder = f"{dump_folder(config.wikipedia, lang)}/*" if config.wikipedia.dumps else ""
    return " and ".join(filter(None, [plain, folder]))
