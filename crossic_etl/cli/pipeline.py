"""The command ``run``: all jobs in order, in one session."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from crossic_etl.cli.arguments import parser
from crossic_etl.cli.run import checked_config, guarded, only_writer, with_writing
from crossic_etl.config import Config, ConfigError
from crossic_etl.config.errors import UnfitSettingError
from crossic_etl.inputs.dumps import (
    WikiFiles,
    dump_folder,
    find_local_wikis,
)
from crossic_etl.pipeline.flow import JOBS, OF_CRAWL, OF_DUMPS, jobs_of, reads_of, run_if_needed
from crossic_etl.session import get_session, is_local


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the jobs that the command line asks for; the exit status is 0, or 1 after an error."""
    given = command_line().parse_args(argv)

    def action() -> None:
        config = checked_config(given)
        chosen = choose(list(jobs_of(config)), given.first, given.only)
        found = []
        if is_local() and set(chosen) & set(OF_DUMPS):
            found = find_local_wikis(config)
        if given.dry_run:
            print("\n".join([*plan(config, chosen), *map(sizes, found)]))
            return
        spark = get_session()
        with only_writer(spark, config, given, [JOBS[name].SPEC for name in chosen]):
            for name in chosen:
                run_if_needed(spark, config, name, given.rebuild)

    return guarded(action)


def command_line() -> argparse.ArgumentParser:
    """What the pipeline's command line takes."""
    arguments = with_writing(parser(__doc__ or ""))
    arguments.add_argument(
        "--rebuild", action="store_true",
        help="make pages, samples and windows anew, whatever is there",
    )  # fmt: skip
    arguments.add_argument("--from", dest="first", choices=JOBS, help="begin with this job")
    arguments.add_argument("--only", choices=JOBS, help="run this job alone")
    arguments.add_argument(
        "--dry-run", action="store_true", help="print what would be read and written"
    )
    return arguments


def console() -> None:
    """The command ``crossic-etl``. A failure is raised: Databricks ignores what is returned."""
    if status := main():
        raise SystemExit(status)


def choose(names: Sequence[str], first: str | None, only: str | None) -> list[str]:
    """The names of the jobs to run, in order.

    Raises:
        ConfigError: both a first and an only job are given, or one that has no input.
    """
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
    plain = config.wikipedia.plain_text.get(lang)
    folder = f"{dump_folder(config, lang)}/*" if config.wikipedia.dumps else ""
    return " and ".join(filter(None, [plain, folder]))
