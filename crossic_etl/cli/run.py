"""The command ``run``: all jobs in order, in one session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from crossic_etl.cli.actions import checked_config
from crossic_etl.cli.options import Choice, Command, configuration, writing
from crossic_etl.cli.registry import JOBS, OTHERS
from crossic_etl.cli.stopping import start_session

if TYPE_CHECKING:
    from crossic_etl.inputs.dumps import WikiFiles

JOB = Choice("JOB", lambda: list(JOBS))


@click.command("run", cls=Command, help=OTHERS["run"])
@configuration()
@writing
@click.option("--rebuild", is_flag=True, help="Make pages, samples and windows anew.")
@click.option("--from", "first", type=JOB, help="Begin with this job.")
@click.option("--only", type=JOB, help="Run this job alone.")
@click.option("--dry-run", is_flag=True, help="Print what would be read and written.")
def command(
    path: str,
    overrides: tuple[str, ...],
    reconfigure: bool,
    no_wait: bool,
    rebuild: bool,
    first: str | None,
    only: str | None,
    dry_run: bool,
) -> None:
    """Runs the jobs that are asked for.

    Raises:
        click.UsageError: the first job and the only one are given.
    """
    if first and only:
        raise click.UsageError("--only: give it or --from, not both")
    config = checked_config(path, overrides)
    from crossic_etl.inputs.dump_dates import with_local_latest
    from crossic_etl.inputs.dumps import find_local_wikis
    from crossic_etl.pipeline import flow
    from crossic_etl.session import is_local

    chosen = flow.choose(config, first, [only] if only else [])
    found = []
    if is_local() and any(job.reads_dumps for job in chosen):
        config = with_local_latest(config)
        found = find_local_wikis(config.wikipedia, config.wikis)
    if dry_run:
        click.echo("\n".join([*flow.plan(config, chosen), *map(sizes, found)]))
        return
    flow.run_flow(
        start_session(),
        config,
        chosen,
        rebuild=rebuild,
        reconfigure=reconfigure,
        wait=not no_wait,
    )


def sizes(files: WikiFiles) -> str:
    """How much there is of a wiki's dumps, in a line."""
    n_bytes = sum(map(files.size_of, files.pages))
    others = {name: files.sql_of(name) for name in ("langlinks", "page_props")}
    there = [name if path else f"no {name}" for name, path in others.items()]
    of_pages = f"{len(files.pages)} file{'s' * (len(files.pages) != 1)} of pages"
    of_pages += " of the content service" if files.is_content else ""
    return f"{files.lang} {files.date}: {of_pages}, {n_bytes / 1e6:,.1f} MB; {', '.join(there)}"
