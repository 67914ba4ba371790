"""Lists and reads files on any Hadoop file system with Spark."""

from __future__ import annotations

import re

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from crossic_etl.driver_files import escaped
from crossic_etl.inputs.driver_reading import list_tree
from crossic_etl.spark_errors import missing


def list_files(spark: SparkSession, folder: str) -> dict[str, str]:
    """Sizes and times of the non-empty files in a folder; empty if it doesn't exist.

    Spark's listing works on every file system that Spark reads, and over Spark Connect. No file is
    opened, since the content isn't selected.
    """
    if (found := list_tree(spark, folder)) is not None:
        return {path: f"{stamp.length} {stamp.modified}" for path, stamp in found.items()}
    return list_matching(spark, folder, "*")


def list_matching(spark: SparkSession, folder: str, pattern: str) -> dict[str, str]:
    """Sizes and times of the non-empty files below a folder whose paths fit a glob."""
    try:
        listing = spark.read.format("binaryFile").load(f"{escaped(folder.rstrip('/'))}/{pattern}")
        return _stamps(listing)
    except AnalysisException as error:
        if missing(error):
            return {}
        raise


def _stamps(listing: DataFrame) -> dict[str, str]:
    time = F.unix_millis("modificationTime").alias("time")
    rows = listing.select("path", "length", time).collect()
    return {plain_path(row.path): f"{row.length} {row.time}" for row in rows}


def plain_path(path: str) -> str:
    """A path in Hadoop's form ``file:/``, where Spark's messages have ``file:///``."""
    return re.sub("^file:/+", "file:/", path)


def read_bytes(spark: SparkSession, path: str) -> DataFrame:
    """One file's bytes as one row, ``path, content``; Spark refuses files over 2 GiB."""
    return spark.read.format("binaryFile").load(escaped(path)).select("path", "content")
