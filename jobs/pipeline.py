"""All jobs in order, in one session: dumps to training windows."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import suppress
from types import ModuleType

from pyspark.sql import SparkSession

from crossic_etl.arguments import parser
from crossic_etl.cli import checked_config, guarded, only_writer, with_writing
from crossic_etl.config import Config, ConfigError
from crossic_etl.config_errors import UnfitSettingError
from crossic_etl.document_rules import fingerprint_of_evaluation
from crossic_etl.ledger import is_finished
from crossic_etl.sample_sources import tables_read
from crossic_etl.schemas import Table
from crossic_etl.session import get_session, is_local
from crossic_etl.sources import (
    InputError,
    WikiFiles,
    dump_folder,
    find_local_wikis,
    find_wikis,
    fingerprint_of,
)
from crossic_etl.tables import Tables
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
# Which jobs read files, and which take what they hold as it is.
OF_DUMPS, OF_CRAWL = ("pages", "links"), ("documents",)
REBUILT = ("pages", "samples", "windows")
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


def run_if_needed(spark: SparkSession, config: Config, name: str, rebuild: bool) -> None:
    """Runs a job, unless its tables are what it would make of what there is."""
    job, tables = JOBS[name], Tables(spark, config.root)
    reads, files = reads_of(name, config), fingerprint_of_files(spark, config, name)
    if rebuild and name in REBUILT:
        job.run(spark, config, rebuild=True)
    elif name not in OF_CRAWL and is_finished(tables, config, job.SPEC, reads, files):
        print(f"{name}: nothing new", flush=True)
    else:
        job.run(spark, config)


def fingerprint_of_files(spark: SparkSession, config: Config, name: str) -> str:
    """Of the files that a job reads; empty where it reads none, or none that can be read."""
    with suppress(InputError):  # the job says so itself
        if name in OF_DUMPS:
            return fingerprint_of(find_wikis(spark, config))
        if name == "samples":
            return fingerprint_of_evaluation(spark, config)
    return ""


def reads_of(name: str, config: Config) -> tuple[Table, ...]:
    """The tables that a job of this configuration reads."""
    if name == "samples":
        return tables_read(config)
    return reads_needed(JOBS[name].READS, config)


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


if __name__ == "__main__":
    sys.exit(main())
