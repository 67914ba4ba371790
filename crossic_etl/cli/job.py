"""The commands of the single jobs: each runs its job, whether or not there is news."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import click

from crossic_etl.cli.actions import checked_config, only_writer
from crossic_etl.cli.options import Command, configuration, writing
from crossic_etl.cli.stopping import start_session

if TYPE_CHECKING:
    from crossic_etl.config import Config


def job_command(name: str, help_line: str) -> click.Command:
    """The command of a job."""

    @configuration()
    @writing
    def command(path: str, overrides: tuple[str, ...], reconfigure: bool, no_wait: bool) -> None:
        run_job(name, checked_config(path, overrides), reconfigure, no_wait)

    return click.command(name, cls=Command, help=help_line)(command)


def run_job(name: str, config: Config, reconfigure: bool, no_wait: bool) -> Any:
    """Runs a job as the root's one writer; what it returns."""
    job = importlib.import_module(f"crossic_etl.pipeline.{name}")
    spark = start_session()
    with only_writer(spark, config, [job.SPEC], not no_wait, reconfigure):
        return job.run(spark, config)
