"""The bundled sample: builds its dumps, runs every job on them, and shows what came out."""

from __future__ import annotations

import argparse
import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import as_file, files
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from crossic_etl.cli import guarded
from crossic_etl.config import Config, load_config
from crossic_etl.sample.build import build_sample
from crossic_etl.sample.build_web import build_web_sample, load_web_sample
from crossic_etl.sample.side_by_side import side_by_side
from crossic_etl.schemas import DOCUMENTS, NEIGHBOURS, PAIRS, RUNS, SAMPLES, TABLES
from crossic_etl.session import get_session
from crossic_etl.tables import Tables
from crossic_etl.transforms.source_ids import page_source_id
from jobs.pipeline import jobs_of

READS, WRITES = (), tuple(TABLES.values())

SHOWN_LINES = 24

FAREWELL = """
The tables are Delta tables in {root}. To open one, in {python}:

    from crossic_etl.session import get_session
    get_session().read.format("delta").load("{root}/samples").show(3)

To run on real dumps, write a my.yaml as README.md has it under "Real dumps" (this run's was
{config}), and then

    {python} -m jobs.download --config my.yaml --only dumps
    {python} -m jobs.pipeline --config my.yaml --dry-run
    {python} -m jobs.pipeline --config my.yaml
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the whole main job on the bundled sample; the exit status is 0, or 1 after an error."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument(
        "folder", nargs="?", default="warehouse", type=Path, help="where all of it goes"
    )
    folder: Path = arguments.parse_args(argv).folder.absolute()

    def action() -> None:
        print(f"building the sample's dumps and crawl in {folder}", flush=True)
        build_sample(folder / "dumps")
        build_web_sample(folder / "crawl")
        with as_file(files("crossic_etl.sample") / "config.yaml") as path:
            config = placed(load_config(path), folder)
            run(get_session(brief=True), config)
            python = shlex.quote(sys.executable)
            print(FAREWELL.format(root=config.root, config=path, python=python))

    return guarded(action)


def placed(config: Config, folder: Path) -> Config:
    """The sample's configuration with its paths, which begin with ``warehouse``, in a folder."""

    def at(path: str) -> str:
        return str(folder / Path(path).relative_to("warehouse"))

    crawl = replace(
        config.crawl,
        sources=tuple(replace(s, path=at(s.path)) for s in config.crawl.sources),
        blocked_urls=at(config.crawl.blocked_urls),
        evaluation=tuple(map(at, config.crawl.evaluation)),
    )
    wikipedia = replace(config.wikipedia, dumps=at(config.wikipedia.dumps))
    return replace(config, root=at(config.root), wikipedia=wikipedia, crawl=crawl)


def run(spark: SparkSession, config: Config) -> None:
    """Runs every job, then prints the table counts, how good retrieval was, and two samples."""
    jobs = jobs_of(config)
    for job in jobs.values():
        job.run(spark, config)
    tables = Tables(spark, config.root)
    written = {table.name for job in jobs.values() for table in job.WRITES} | {RUNS.name}
    print("\nrows of each table:")
    for table in TABLES.values():
        if table.name in written:
            print(f"  {table.name:<20}{tables.read(table).count():>6,}")
    print(show_recall(tables))
    samples = tables.read(SAMPLES)
    for arrangement in ("en-first", "retrieved"):
        print(show_sample(samples, arrangement))


def show_recall(tables: Tables) -> str:
    """How many neighbours were found of those that are: by an exact search, and by the sample's own
    knowledge of which web document is on which article's subject.
    """
    measured = tables.read(RUNS).where("metrics['recall_expected'] > 0")  # where all was searched
    (run,) = measured.orderBy(F.desc("started")).head(1)
    found, there = run.metrics["recall_found"], run.metrics["recall_expected"]
    subjects = {web.url: web.subject for web in load_web_sample() if web.subject}
    nearest = tables.read(NEIGHBOURS).where("rank = 1").select("query_id", "doc_id")
    urls = tables.read(DOCUMENTS).select("doc_id", "url")
    articles = tables.read(PAIRS).select(
        page_source_id(F.col("target_lang"), "target_page_id").alias("query_id"), "en_title"
    )
    rows = articles.join(nearest, on="query_id", how="left").join(urls, on="doc_id", how="left")
    right = [subjects.get(row.url) == row.en_title for row in rows.collect()]
    return (
        f"\nretrieval: {found:,} of the {there:,} documents that an exact search finds "
        f"(recall {found / there:.3f});\n"
        f"for {sum(right)} of {len(right)} articles the nearest is known to be on its subject"
    )


def show_sample(samples: DataFrame, arrangement: str, language: str = "es") -> str:
    """The beginning of the shortest whole sample of a language, English left, target right."""
    whole = (F.col("arrangement") == arrangement) & (F.col("n_segments") == 1)
    row = samples.where(whole & (F.col("target_lang") == language)).orderBy("n_tokens", "sample_id")
    sample = row.head(1)[0]
    width = min(shutil.get_terminal_size((110, 0)).columns, 140)
    lines = side_by_side(sample.en_text, sample.target_text, width).splitlines()
    more = len(lines) - SHOWN_LINES
    return (
        f"\none sample of {sample.n_tokens:,} tokens, arrangement {arrangement}: "
        f"{sample.en_title or sample.en_url} | {sample.target_title}, "
        f"closed by {sample.split_token}\n\n"
        + "\n".join(lines[:SHOWN_LINES])
        + (f"\n… and {more} lines more" if more > 0 else "")
    )


if __name__ == "__main__":
    sys.exit(main())
