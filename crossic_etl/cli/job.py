"""The commands of the single jobs: each runs its job, whether or not there is news."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import click

from crossic_etl.cli.actions import checked_config, only_writer
from crossic_etl.cli.options import Command, configuration, writing
from crossic_etl.cli.stopping import start_session

if TYPE_CHECKING:
    from crossic_etl.config import Config
    from crossic_etl.runs.job import Job


def job_command(name: str, help_line: str) -> click.Command:
    """The command of a job."""

    @configuration()
    @writing
    def command(path: str, overrides: tuple[str, ...], reconfigure: bool, no_wait: bool) -> None:
        run_job(name, checked_config(path, overrides), reconfigure, no_wait)

    return click.command(name, cls=Command, help=help_line)(command)


def run_job(name: str, config: Config, reconfigure: bool, no_wait: bool) -> None:
    """Runs a job as the root's one writer."""
    from crossic_etl.inputs.dump_dates import with_latest

    job: Job = importlib.import_module(f"crossic_etl.pipeline.{name}").JOB
    spark = start_session()
    config = with_latest(spark, config) if job.reads_dumps else config
    with only_writer(spark, config, [job], not no_wait, reconfigure):
        job.run(spark, config)
