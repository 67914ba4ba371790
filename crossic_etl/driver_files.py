"""Paths that this process can open itself, without a Spark job.

It can if it runs beside Spark's driver, and the path is on the machine's own file system. A path
without a scheme is on Spark's default file system, which is that one for a local session without a
configuration of Hadoop.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql.utils import is_remote

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")


def driver_path(spark: SparkSession, path: str) -> Path | None:
    """The local path of a path or ``file:`` URL; None if only Spark can read it."""
    if is_remote():
        return None
    if found := _SCHEME.match(path):
        return Path(re.sub("^file:/+", "/", path)) if found[1].lower() == "file" else None
    return Path(path).absolute() if _is_on_local_disks(spark) else None


def _is_on_local_disks(spark: SparkSession) -> bool:
    """Whether Spark's default file system is the machine's own."""
    settings = spark.conf.get("spark.master", ""), spark.conf.get("spark.hadoop.fs.defaultFS", "")
    has_hadoop = bool(os.environ.get("HADOOP_CONF_DIR")) or settings[1]
    return str(settings[0]).startswith("local") and not has_hadoop


def escaped(path: str) -> str:
    """A path with its glob characters escaped, so that Spark reads this one file."""
    return re.sub(r"([\[\]{}*?\\])", r"\\\1", path)
