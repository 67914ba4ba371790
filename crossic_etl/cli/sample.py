"""The bundled sample: builds its dumps, runs every job on them, and shows what came out."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import as_file, files
from pathlib import Path

from pyspark.sql import SparkSession

from crossic_etl.cli.run import guarded
from crossic_etl.config import Config, load_config
from crossic_etl.inputs.run_inputs import RunInputs
from crossic_etl.pipeline.flow import jobs_of
from crossic_etl.sample.build import build_sample
from crossic_etl.sample.build_web import build_web_sample
from crossic_etl.sample.show import show_recall, show_sample
from crossic_etl.schemas import RUNS, SAMPLES, TABLES
from crossic_etl.session import get_session
from crossic_etl.tables import Tables

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
    inputs = RunInputs(spark, config)
    for job in jobs:
        job.run(spark, config, inputs=inputs)
    tables = Tables(spark, config.root)
    written = {table.name for job in jobs for table in job.writes} | {RUNS.name}
    print("\nrows of each table:")
    for table in TABLES.values():
        if table.name in written:
            print(f"  {table.name:<20}{tables.read(table).count():>6,}")
    print(show_recall(tables))
    samples = tables.read(SAMPLES)
    for arrangement in ("en-first", "retrieved"):
        print(show_sample(samples, arrangement))
