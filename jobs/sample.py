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
from crossic_etl.sample.build_web import build_web_sample
from crossic_etl.sample.side_by_side import side_by_side
from crossic_etl.schemas import DOCUMENTS, NEIGHBOURS, PAGES, QUANTIZERS, SAMPLES, TABLES
from crossic_etl.session import get_session
from crossic_etl.tables import Tables
from jobs.pipeline import jobs_of

READS, WRITES = (), tuple(TABLES.values())

FAREWELL = """
The tables are Delta tables in {root}. To open one:

    spark.read.format("delta").load("{root}/pairs").show()    # in a session of crossic_etl.session
    pandas.read_parquet("{root}/windows")                     # columns alone, outside of Spark

To run on real dumps, download them in the mirror's layout (see README.md), copy
{config}
and change root, languages, wikipedia.dumps and wikipedia.date; then

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
            run(get_session(), config)
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
    """Runs every job, then prints the table counts and one sample."""
    for job in jobs_of(config).values():
        job.run(spark, config)
    tables = Tables(spark, config.root)
    print("\nrows of each table:")
    for table in TABLES.values():
        if table is not QUANTIZERS:  # the sample is searched exactly
            print(f"  {table.name:<10}{tables.read(table).count():>6,}")
    print(show_sample(tables.read(SAMPLES)))
    print(show_neighbour(tables))


def show_neighbour(tables: Tables, language: str = "es") -> str:
    """The nearest accepted web document of a language's articles."""
    taken = tables.read(NEIGHBOURS).where(F.col("accepted") & (F.col("target_lang") == language))
    documents = tables.read(DOCUMENTS).select("doc_id", "url", "text")
    pages = tables.read(PAGES).select(
        F.concat_ws(":", "lang", "page_id").alias("query_id"), "title"
    )
    joined = taken.join(documents, on="doc_id").join(pages, on="query_id")
    row = joined.orderBy(F.desc("margin"), "query_id").head(1)[0]
    return (
        f"\nthe nearest web document (cosine {row.cosine:.2f}, margin {row.margin:.2f}) of "
        f"{row.title}: {row.url}\n  {' '.join(row.text.split())[:160]}…"
    )


def show_sample(samples: DataFrame, language: str = "es") -> str:
    """The shortest whole pair of a language, English left, target right."""
    whole = (F.col("arrangement") == "en-first") & (F.col("n_segments") == 1)
    row = samples.where(whole & (F.col("target_lang") == language)).orderBy("n_tokens", "sample_id")
    sample = row.head(1)[0]
    width = min(shutil.get_terminal_size((110, 0)).columns, 140)
    return (
        f"\none sample of {sample.n_tokens:,} tokens, arrangement en-first: "
        f"{sample.en_title} | {sample.target_title}, closed by {sample.split_token}\n\n"
        + side_by_side(sample.en_text, sample.target_text, width)
    )


if __name__ == "__main__":
    sys.exit(main())
