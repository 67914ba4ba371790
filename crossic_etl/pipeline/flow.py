"""All jobs in order, run in one session: from dumps to training windows."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress

from pyspark.sql import SparkSession

from crossic_etl.config import Config
from crossic_etl.config.errors import UnfitSettingError
from crossic_etl.inputs.dump_dates import with_latest
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
from crossic_etl.runs.ledger import Ledger
from crossic_etl.runs.record import Run
from crossic_etl.tables.lock import writing

log = logging.getLogger(__name__)

# The only list of jobs. A new job is a module, a schema and a line here.
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
    """The names of jobs in order; all jobs by default."""
    return [job.name for job in (JOBS if jobs is None else jobs)]


def jobs_of(config: Config) -> list[Job]:
    """The jobs, in order, for which a configuration has input."""
    return [job for job in JOBS if job.needs(config) is None]


def choose(config: Config, first: str | None = None, only: Sequence[str] = ()) -> list[Job]:
    """The jobs to run, in order: all that have input, those from ``first`` on, or ``only`` some.

    Raises:
        UnfitSettingError: both are given, or a name isn't a job's.
        ConfigError: a named job has no input.
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
    """Runs jobs while holding the root's lock; returns the record of each by its name.

    A job is skipped if its tables are up to date; its record says ``nothing_new``.

    Args:
        spark: the session.
        config: the run's configuration.
        jobs: in order; by default all for which the configuration has input.
        rebuild: make all rows again, in the jobs that support it.
        reconfigure: replace rows that were made with other settings, instead of refusing.
        wait: wait until another writer under the root has ended.

    Raises:
        InputError: ``wikipedia.date`` is ``latest``, and no date has all dumps.
        LockedError: another run is writing, and ``wait`` is false.
        UnfitSettingError: the stored rows were made with other settings.
    """
    chosen = jobs_of(config) if jobs is None else jobs
    if any(job.reads_dumps for job in chosen):
        config = with_latest(spark, config)
    before = RunInputs(spark, config)
    known = Ledger(before.tables)
    if found := _find_nothing_new(before, known, chosen, rebuild):
        return found
    with writing(spark, config.root, wait=wait):
        inputs = RunInputs(spark, config)
        ledger = Ledger(inputs.tables, earlier=known)
        if not reconfigure:
            ledger.refuse_other_settings(config, chosen)
        return {job.name: run_if_needed(job, inputs, ledger, rebuild) for job in chosen}


def _find_nothing_new(
    inputs: RunInputs, ledger: Ledger, jobs: Sequence[Job], rebuild: bool
) -> dict[str, Run] | None:
    """The records of the jobs if none has anything to do; the lock, two commits, isn't taken."""
    if any((rebuild and job.can_rebuild) or not is_current(job, inputs, ledger) for job in jobs):
        return None
    return {job.name: _record_nothing_new(job) for job in jobs}


def run_if_needed(job: Job, inputs: RunInputs, ledger: Ledger, rebuild: bool = False) -> Run:
    """Runs a job unless its tables are up to date."""
    if not (rebuild and job.can_rebuild) and is_current(job, inputs, ledger):
        return _record_nothing_new(job)
    made: Run = job.run(inputs.spark, inputs.config, rebuild=rebuild, inputs=inputs)
    return made


def _record_nothing_new(job: Job) -> Run:
    log.info("%s: nothing new", job.name)
    return Run(job.name, nothing_new=True)


def is_current(job: Job, inputs: RunInputs, ledger: Ledger) -> bool:
    """Whether a job has nothing to do. False if its files can't be read: the job reports that."""
    files = ""
    with suppress(InputError):
        files = job.fingerprint(inputs)
    return ledger.is_finished(inputs.config, job, files)


def scratch_names() -> list[str]:
    """The names of all jobs' scratch tables; each name once."""
    return list(dict.fromkeys(name for job in JOBS for name in job.scratch))


def plan(config: Config, jobs: Sequence[Job]) -> list[str]:
    """What each job would read and write, one line a job; starts no Spark."""
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
