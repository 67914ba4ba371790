"""The command ``verify``: checks every expectation of the tables that exist, writes nothing."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import click

from crossic_etl.cli.actions import open_config
from crossic_etl.cli.options import Command, configuration
from crossic_etl.cli.registry import OTHERS
from crossic_etl.cli.stopping import start_session

if TYPE_CHECKING:
    from crossic_etl.config import Config

log = logging.getLogger(__name__)


@click.command("verify", cls=Command, help=OTHERS["verify"])
@configuration()
def command(path: str, overrides: tuple[str, ...]) -> int:
    """Verifies the tables; the exit status is 1 where an expectation is broken."""
    return int(run(open_config(path, overrides)) > 0)


def run(config: Config) -> int:
    """Says a line for each expectation, and returns how many of them are broken."""
    from crossic_etl.expectations.verify import Finding, verify_tables
    from crossic_etl.tables import Tables

    tables = Tables(start_session(), config.root)
    tables.expect_some()
    found = []
    for one in verify_tables(tables):
        log.info("verify: %s", one.line)
        if isinstance(one, Finding):
            found.append(one)
    broken = [f"{one.table}: {one.expectation}" for one in found if one.broken != 0]
    for name in broken:  # once more, where they can't be overlooked
        log.warning("verify: to look into: %s", name)
    log.info("verify: %d expectations, %d of them broken or not checked", len(found), len(broken))
    return len(broken)
