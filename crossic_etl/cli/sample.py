"""The command ``sample``: builds the bundled sample, runs every job on it, shows the result."""

from __future__ import annotations

import logging
import shlex
import sys
from dataclasses import replace
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crossic_etl.cli.actions import show_root
from crossic_etl.cli.options import Command
from crossic_etl.cli.registry import OTHERS
from crossic_etl.cli.stopping import start_session

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from crossic_etl.config import Config

log = logging.getLogger(__name__)

FAREWELL = """
The tables are Delta tables in {root}. To open one, in {python}:

    import crossic_etl
    crossic_etl.open_tables("{root}").samples.show(3)

To run on real dumps, write a my.yaml as README.md has it under "Real dumps" (this run's was
{config}), and then

    {python} -m crossic_etl download --config my.yaml --only dumps
    {python} -m crossic_etl run --config my.yaml --dry-run
    {python} -m crossic_etl run --config my.yaml
"""


@click.command("sample", cls=Command, help=OTHERS["sample"])
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default="warehouse")
def command(folder: Path) -> None:
    """Runs the whole pipeline on the bundled sample; all of it goes into the folder."""
    from crossic_etl.config import load_config
    from crossic_etl.sample.build import build_sample
    from crossic_etl.sample.build_web import build_web_sample

    folder = folder.absolute()
    with as_file(files("crossic_etl.sample") / "config.yaml") as path:
        config = placed(load_config(path), folder)
        show_root(config)
        log.info("building the sample's dumps and crawl in %s", folder)
        build_sample(folder / "dumps")
        build_web_sample(folder / "crawl")
        run(start_session(brief=True), config)
        python = shlex.quote(sys.executable)
        click.echo(FAREWELL.format(root=config.root, config=path, python=python))


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
    """Runs every job, then prints how good retrieval was, and two samples."""
    from crossic_etl.inputs.run_inputs import RunInputs
    from crossic_etl.pipeline.flow import jobs_of
    from crossic_etl.sample.show import show_recall, show_sample
    from crossic_etl.schemas import SAMPLES

    jobs = jobs_of(config)
    inputs = RunInputs(spark, config)
    for job in jobs:
        job.run(spark, config, inputs=inputs)
    tables = inputs.tables
    click.echo(show_recall(tables))
    samples = tables.read(SAMPLES)
    for arrangement in ("en-first", "retrieved"):
        click.echo(show_sample(samples, arrangement))
