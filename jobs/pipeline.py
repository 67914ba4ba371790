"""All jobs in order, in one session: dumps to training windows."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from types import ModuleType

from crossic_etl.arguments import parser
from crossic_etl.cli import checked_config, guarded
from crossic_etl.config import Config, ConfigError
from crossic_etl.sample_sources import tables_read
from crossic_etl.session import get_session
from crossic_etl.sources import dump_folder
from crossic_etl.thresholds import reads_needed
from jobs import (
    calibrate,
    documents,
    embeddings,
    links,
    neighbours,
    pages,
    pairs,
    samples,
    windows,
)

JOBS: dict[str, ModuleType] = {
    "pages": pages,
    "links": links,
    "pairs": pairs,
    "documents": documents,
    "embeddings": embeddings,
    "calibrate": calibrate,
    "neighbours": neighbours,
    "samples": samples,
    "windows": windows,
}
CRAWL = ("documents", "embeddings", "calibrate", "neighbours")


def jobs_of(config: Config) -> dict[str, ModuleType]:
    """The jobs, in order, that a configuration has input for: those of the crawl need sources.

    Thresholds are calibrated where that is asked for.
    """
    left_out = set() if config.crawl.sources else set(CRAWL)
    if not config.neighbours.calibrate:
        left_out.add("calibrate")
    return {name: job for name, job in JOBS.items() if name not in left_out}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the jobs that the command line asks for; the exit status is 0, or 1 after an error."""
    given = command_line().parse_args(argv)

    def action() -> None:
        config = checked_config(given)
        chosen = choose(list(jobs_of(config)), given.first, given.only)
        if given.dry_run:
            print("\n".join(plan(config, chosen)))
            return
        spark = get_session()
        for name in chosen:
            JOBS[name].run(spark, config)

    return guarded(action)


def command_line() -> argparse.ArgumentParser:
    """What the pipeline's command line takes."""
    arguments = parser(__doc__ or "")
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
        raise ConfigError("--only", only, "not together with --from")
    wanted = first or only
    if wanted == "calibrate" and "neighbours" in names and wanted not in names:
        raise ConfigError("neighbours.calibrate", False, "true for the job calibrate")
    if wanted and wanted not in names:
        raise ConfigError("crawl.sources", [], f"files of a crawl for the job {wanted}")
    return [only] if only else list(names[names.index(first) if first else 0 :])


def plan(config: Config, chosen: Sequence[str]) -> list[str]:
    """What each job would read and write, a line for each; looks at no file and starts no Spark."""
    lines = [f"configuration {config.digest()}, tables under {config.root}"]
    for name in chosen:
        every = JOBS[name].READS
        read = tables_read(config) if name == "samples" else reads_needed(every, config)
        reads = [table.name for table in read]
        if name in ("pages", "links"):
            reads = [_input(config, lang) for lang in config.wikis] + reads
        if name == "documents":
            reads = [source.path for source in config.crawl.sources] + reads
        writes = [table.name for table in JOBS[name].WRITES]
        lines.append(f"{name}: reads {', '.join(reads)}; writes {', '.join(writes)}, runs")
    return lines


def _input(config: Config, lang: str) -> str:
    plain = config.wikipedia.plain_text.get(lang)
    folder = f"{dump_folder(config, lang)}/*" if config.wikipedia.dumps else ""
    return " and ".join(filter(None, [plain, folder]))


if __name__ == "__main__":
    sys.exit(main())
