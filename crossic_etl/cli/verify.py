"""Checks every expectation of the tables that exist, and writes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from crossic_etl.cli.arguments import parser
from crossic_etl.cli.run import guarded
from crossic_etl.config import Config, load_config
from crossic_etl.expectations.verify import Finding, verify_tables
from crossic_etl.session import get_session
from crossic_etl.tables import Tables


def main(argv: Sequence[str] | None = None) -> int:
    """Verifies the tables; the exit status is 0, or 1 after an error or a broken expectation."""
    given = parser(__doc__ or "").parse_args(argv)
    broken = []

    def action() -> None:
        broken.append(run(load_config(given.config, given.overrides)))

    return guarded(action) or int(any(broken))


def run(config: Config) -> int:
    """Prints a line for each expectation, and returns how many of them are broken."""
    tables = Tables(get_session(), config.root)
    tables.expect_some()
    found = []
    for one in verify_tables(tables):
        print(f"verify: {one.line}", flush=True)
        if isinstance(one, Finding):
            found.append(one)
    broken = [f"{one.table}: {one.expectation}" for one in found if one.broken != 0]
    for name in broken:  # once more, where they can't be overlooked
        print(f"verify: to look into: {name}", flush=True)
    print(
        f"verify: {len(found)} expectations, {len(broken)} of them broken or not checked",
        flush=True,
    )
    return len(broken)
