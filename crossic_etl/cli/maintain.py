"""The command ``maintain``: later columns, layout of files, old files, scratch tables."""

from __future__ import annotations

import logging
from contextlib import nullcontext
from typing import TYPE_CHECKING

import click

from crossic_etl.cli.actions import open_config
from crossic_etl.cli.options import Command, configuration, waiting
from crossic_etl.cli.registry import OTHERS
from crossic_etl.cli.stopping import start_session

if TYPE_CHECKING:
    from crossic_etl.config import Config

log = logging.getLogger(__name__)


@click.command("maintain", cls=Command, help=OTHERS["maintain"])
@configuration()
@click.option("--dry-run", is_flag=True, help="Print what would be done.")
@waiting
def command(path: str, overrides: tuple[str, ...], dry_run: bool, no_wait: bool) -> None:
    """Maintains the tables."""
    run(open_config(path, overrides), dry_run, wait=not no_wait)


def run(config: Config, dry_run: bool = False, wait: bool = True) -> None:
    """Says a line for each table, as the root's one writer where it is one.

    Raises:
        LockedError: somebody else writes, and waiting isn't wanted.
        TableError: there is no table.
    """
    from crossic_etl.pipeline.flow import scratch_names
    from crossic_etl.tables import Tables
    from crossic_etl.tables.lock import writing
    from crossic_etl.tables.maintenance import maintain_tables

    tables = Tables(start_session(), config.root)
    tables.expect_some()
    with nullcontext() if dry_run else writing(tables.spark, config.root, wait):
        for report in maintain_tables(tables, config.maintain, scratch_names(), dry_run):
            log.info("maintain: %s", report.line)
