"""The command ``run``: all jobs in order, in one session."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from crossic_etl.cli.arguments import parser
from crossic_etl.cli.run import checked_config, guarded, with_writing
from crossic_etl.inputs.dumps import (
    WikiFiles,
    find_local_wikis,
)
from crossic_etl.pipeline.flow import choose, names, plan, run_flow
from crossic_etl.session import get_session, is_local


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the jobs that the command line asks for; the exit status is 0, or 1 after an error."""
    given = command_line().parse_args(argv)

    def action() -> None:
        config = checked_config(given)
        chosen = choose(config, given.first, [given.only] if given.only else [])
        found = []
        if is_local() and any(job.reads_dumps for job in chosen):
            found = find_local_wikis(config.wikipedia, config.wikis)
        if given.dry_run:
            print("\n".join([*plan(config, chosen), *map(sizes, found)]))
            return
        run_flow(
            get_session(),
            config,
            chosen,
            rebuild=given.rebuild,
            reconfigure=given.reconfigure,
            wait=not given.no_wait,
        )

    return guarded(action)


def command_line() -> argparse.ArgumentParser:
    """What the pipeline's command line takes."""
    arguments = with_writing(parser(__doc__ or ""))
    arguments.add_argument(
        "--rebuild", action="store_true",
        help="make pages, samples and windows anew, whatever is there",
    )  # fmt: skip
    arguments.add_argument("--from", dest="first", choices=names(), help="begin with this job")
    arguments.add_argument("--only", choices=names(), help="run this job alone")
    arguments.add_argument(
        "--dry-run", action="store_true", help="print what would be read and written"
    )
    return arguments


def sizes(files: WikiFiles) -> str:
    """How much there is of a wiki's dumps, in a line."""
    n_bytes = sum(map(files.size_of, files.pages))
    others = {"langlinks": files.langlinks, "page_props": files.page_props}
    there = [name if path else f"no {name}" for name, path in others.items()]
    of_pages = f"{len(files.pages)} file{'s' * (len(files.pages) != 1)} of pages"
    return f"{files.lang} {files.date}: {of_pages}, {n_bytes / 1e6:,.1f} MB; {', '.join(there)}"
