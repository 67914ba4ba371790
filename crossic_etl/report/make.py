"""Makes a report: sections from the tables, then one file."""

from __future__ import annotations

from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

from pyspark.sql import SparkSession

from crossic_etl.atomic_files import is_place, write_whole
from crossic_etl.config import Config, ConfigError
from crossic_etl.report.browser import browser_samples
from crossic_etl.report.content import ReportData
from crossic_etl.report.flow import flow_section, rejects_section, seconds_section
from crossic_etl.report.html import render
from crossic_etl.report.retrieval import neighbours_section, similarity_section, thresholds_section
from crossic_etl.report.sides import sides_section
from crossic_etl.report.source import ReportSource
from crossic_etl.report.texts import lengths_section, pairs_section, windows_section
from crossic_etl.tables import Tables

SECTIONS = (
    flow_section,
    rejects_section,
    pairs_section,
    lengths_section,
    sides_section,
    windows_section,
    neighbours_section,
    thresholds_section,
    similarity_section,
    seconds_section,
)


def make_report(spark: SparkSession, config: Config, most_samples: int) -> ReportData:
    """The report of the tables under the configuration's root, without sections of missing tables.

    Raises:
        TableError: there is no table at all, or one has other columns than this version's.
    """
    tables = Tables(spark, config.root)
    tables.expect_some()
    source = ReportSource(tables, config.seed, most_samples)
    sections = [section for ask in SECTIONS if (section := ask(source)) is not None]
    return ReportData(
        config.root,
        f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M} UTC",
        version("crossic-etl"),
        most_samples,
        sections,
        browser_samples(source),
    )


def check_file(path: Path) -> None:
    """Checks that a file can be written to ``path``, as far as that can be known beforehand.

    Raises:
        ConfigError: it can't be written.
    """
    if not is_place(path):
        raise ConfigError("--out", str(path), "a file in a folder that exists")


def write_report(report: ReportData, path: Path) -> None:
    """Writes the page to a file, whole or not at all; replaces an older one."""
    write_whole(path, render(report))
