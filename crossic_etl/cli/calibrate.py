"""The command ``calibrate``: the job, and a plot of what it found."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crossic_etl.cli.actions import checked_config, only_writer
from crossic_etl.cli.options import Command, configuration, writing
from crossic_etl.cli.registry import JOBS
from crossic_etl.cli.stopping import start_session

if TYPE_CHECKING:
    from crossic_etl.kernels.search.calibration import Calibration

log = logging.getLogger(__name__)


@click.command("calibrate", cls=Command, help=JOBS["calibrate"])
@configuration()
@writing
@click.option(
    "--plot",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Draw precision and recall there, .html or .svg.",
)
def command(
    path: str,
    overrides: tuple[str, ...],
    reconfigure: bool,
    no_wait: bool,
    plot: Path | None,
) -> None:
    """Runs the job, then draws."""
    config = checked_config(path, overrides)
    if plot:
        from crossic_etl.pipeline.retrieval.plot import check_plot

        check_plot(plot)
    from crossic_etl.inputs.run_inputs import RunInputs
    from crossic_etl.pipeline.calibrate import JOB, find_thresholds

    spark = start_session()
    with only_writer(spark, config, [JOB], not no_wait, reconfigure):
        _, found = find_thresholds(RunInputs(spark, config))
    if plot:
        draw(found, config.neighbours.wrong_pairs, plot)


def draw(found: dict[str, Calibration], wrong_pairs: str, path: Path) -> None:
    """Writes the plot, or says what it lacks."""
    from crossic_etl.config.crawl import SEARCHED
    from crossic_etl.pipeline.retrieval.plot import missing_packages, write_plot

    if missing := missing_packages():
        names = " and ".join(missing)
        log.warning("calibrate: no plot without %s: pip install 'crossic-etl[plots]'", names)
    elif not any(one.table for one in found.values()):
        log.warning("calibrate: no plot without pairs")
    else:
        others = "the best of all documents as" if wrong_pairs == SEARCHED else wrong_pairs
        title = f"Right pairs against {others} wrong ones, by least margin"
        write_plot(found, title, path)
        log.info("calibrate: plot in %s", path)
