"""The command ``report``: all tables under a root as one HTML file."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

import click

from crossic_etl.cli.actions import open_config
from crossic_etl.cli.options import Command, configuration
from crossic_etl.cli.registry import OTHERS
from crossic_etl.cli.stopping import start_session

if TYPE_CHECKING:
    from crossic_etl.config import Config

log = logging.getLogger(__name__)


@click.command("report", cls=Command, help=OTHERS["report"])
@configuration()
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default="report.html",
    show_default=True,
    metavar="FILE",
    help="The HTML file.",
)
@click.option(
    "--samples",
    type=int,
    default=10,
    show_default=True,
    help="To read, of each language and arrangement.",
)
def command(path: str, overrides: tuple[str, ...], out: Path, samples: int) -> None:
    """Writes the report."""
    run(open_config(path, overrides), out, samples)


def run(config: Config, out: Path, most_samples: int) -> None:
    """Asks the tables and writes the file, whole or not at all."""
    from crossic_etl.config.errors import UnfitSettingError, require

    try:
        from crossic_etl.report.make import MOST_SAMPLES, check_file, make_report, write_report
    except ImportError as error:
        message = f"package {error.name} is missing: pip install 'crossic-etl[report]'"
        raise UnfitSettingError(message) from None
    fits = 0 <= most_samples <= MOST_SAMPLES
    require(fits, "--samples", most_samples, f"0 to {MOST_SAMPLES}")
    check_file(out)
    report = make_report(start_session(), config, most_samples)
    write_report(report, out)
    sections, samples = len(report.sections), len(report.samples)
    log.info("report: %d sections, %d samples, %s", sections, samples, out)
