"""The command ``run``: all jobs in order, in one session."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from crossic_etl.cli.actions import checked_config
from crossic_etl.cli.options import Choice, Command, configuration, writing
from crossic_etl.cli.registry import JOBS, OTHERS
from crossic_etl.cli.stopping import start_session

if TYPE_CHECKING:
    from crossic_etl.config import Config
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
    """Runs the jobs that are asked for."""
    config = checked_config(path, overrides)
    from crossic_etl.inputs.dumps import find_local_wikis
    from crossic_etl.pipeline import flow
    from crossic_etl.session import is_local

    chosen = choose(list(flow.jobs_of(config)), first, only)
    found = []
    if is_local() and set(chosen) & set(flow.OF_DUMPS):
        found = find_local_wikis(config)
    if dry_run:
        click.echo("\n".join([*plan(config, chosen), *map(sizes, found)]))
        return
    flow.run_flow(
        start_session(),
        config,
        chosen,
        rebuild=rebuild,
        reconfigure=reconfigure,
        wait=not no_wait,
    )


def choose(names: Sequence[str], first: str | None, only: str | None) -> list[str]:
    """The names of the jobs to run, in order.

    Raises:
        ConfigError: both a first and an only job are given, or one that has no input.
    """
    from crossic_etl.config.errors import ConfigError, UnfitSettingError

    if first and only:
        raise UnfitSettingError("--only: give it or --from, not both")
    wanted = first or only
    if wanted == "calibrate" and "neighbours" in names and wanted not in names:
        raise ConfigError("neighbours.calibrate", False, "true for the job calibrate")
    if wanted and wanted not in names:
        raise ConfigError("crawl.sources", [], f"files of a crawl for the job {wanted}")
    return [only] if only else list(names[names.index(first) if first else 0 :])


def plan(config: Config, chosen: Sequence[str]) -> list[str]:
    """What each job would read and write, a line for each; starts no Spark."""
    from crossic_etl.pipeline.flow import JOBS, OF_CRAWL, OF_DUMPS, reads_of

    lines = [f"configuration {config.digest()}, tables under {config.root}"]
    for name in chosen:
        reads = [table.name for table in reads_of(name, config)]
        if name in OF_DUMPS:
            reads = [_input(config, lang) for lang in config.wikis] + reads
        if name in OF_CRAWL:
            reads = [source.path for source in config.crawl.sources] + reads
        writes = [table.name for table in JOBS[name].WRITES]
        lines.append(f"{name}: reads {', '.join(reads)}; writes {', '.join(writes)}, runs")
    return lines


def sizes(files: WikiFiles) -> str:
    """How much there is of a wiki's dumps, in a line."""
    n_bytes = sum(map(files.size_of, files.pages))
    others = {"langlinks": files.langlinks, "page_props": files.page_props}
    there = [name if path else f"no {name}" for name, path in others.items()]
    of_pages = f"{len(files.pages)} file{'s' * (len(files.pages) != 1)} of pages"
    return f"{files.lang} {files.date}: {of_pages}, {n_bytes / 1e6:,.1f} MB; {', '.join(there)}"


def _input(config: Config, lang: str) -> str:
    from crossic_etl.inputs.dumps import dump_folder

    plain = config.wikipedia.plain_text.get(lang)
    folder = f"{dump_folder(config, lang)}/*" if config.wikipedia.dumps else ""
    return " and ".join(filter(None, [plain, folder]))
