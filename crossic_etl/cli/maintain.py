"""Upkeep of the tables that exist: later columns, layout of files, old files, scratch tables."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext

from crossic_etl.cli.arguments import parser
from crossic_etl.cli.run import guarded, with_waiting
from crossic_etl.config import Config, load_config
from crossic_etl.pipeline.flow import scratch_names
from crossic_etl.session import get_session
from crossic_etl.tables import Tables
from crossic_etl.tables.lock import writing
from crossic_etl.tables.maintenance import maintain_tables


def main(argv: Sequence[str] | None = None) -> int:
    """Maintains the tables; the exit status is 0, or 1 after an error."""
    arguments = parser(__doc__ or "")
    arguments.add_argument("--dry-run", action="store_true", help="print what would be done")
    with_waiting(arguments)
    given = arguments.parse_args(argv)

    def action() -> None:
        run(load_config(given.config, given.overrides), given.dry_run, wait=not given.no_wait)

    return guarded(action)


def run(config: Config, dry_run: bool = False, wait: bool = True) -> None:
    """Prints a line for each table, as the root's one writer where it is one.

    Raises:
        LockedError: somebody else writes, and waiting isn't wanted.
        TableError: there is no table.
    """
    tables = Tables(get_session(), config.root)
    tables.expect_some()
    with nullcontext() if dry_run else writing(tables.spark, config.root, wait):
        for report in maintain_tables(tables, config.maintain, scratch_names(), dry_run):
            print(f"maintain: {report.line}", flush=True)
