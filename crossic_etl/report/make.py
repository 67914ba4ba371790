"""A report: each section from its tables, then one file."""

from __future__ import annotations

from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

from pyspark.sql import SparkSession

from crossic_etl.atomic_files import is_place, write_whole
from crossic_etl.config import Config, ConfigError
from crossic_etl.report.browser import pick_samples
from crossic_etl.report.content import Report
from crossic_etl.report.flow import flow_section, rejects_section, seconds_section
from crossic_etl.report.html import render
from crossic_etl.report.retrieval import neighbours_section, similarity_section, thresholds_section
from crossic_etl.report.source import Source
from crossic_etl.report.texts import lengths_section, pairs_section, windows_section
from crossic_etl.tables import Tables

# Some six languages in seven arrangements make 4,200 samples of 6,000 characters: 30 MB.
MOST_SAMPLES = 100

SECTIONS = (
    flow_section,
    rejects_section,
    pairs_section,
    lengths_section,
    windows_section,
    neighbours_section,
    thresholds_section,
    similarity_section,
    seconds_section,
)


def make_report(spark: SparkSession, config: Config, most_samples: int) -> Report:
    """What the tables under the configuration's root hold; what isn't there is left out.

    Raises:
        TableError: there is no table at all, or one that isn't of this version.
    """
    tables = Tables(spark, config.root)
    tables.expect_some()
    source = Source(tables, config.seed, most_samples)
    sections = [section for ask in SECTIONS if (section := ask(source)) is not None]
    return Report(
        config.root,
        f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC",
        version("crossic-etl"),
        most_samples,
        sections,
        pick_samples(source),
    )


def check_file(path: Path) -> None:
    """Whether a file can be written there, as far as that shows before there is one.

    Raises:
        ConfigError: it can't.
    """
    if not is_place(path):
        raise ConfigError("--out", str(path), "a file in a folder that exists")


def write_report(report: Report, path: Path) -> None:
    """Writes the page whole or not at all, over an older one."""
    write_whole(path, render(report))
