"""Looks at files on this machine's disks without a Spark job: listings, and the heads of dumps.

Each function gives the same as Spark's own reading of the path, or None where it can't tell: the
path isn't on this machine, has glob characters, or can't be read. Spark then reads it, and reports
what is wrong.
"""

from __future__ import annotations

import bz2
import gzip
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from pyspark.sql import SparkSession

from crossic_etl.driver_files import driver_path

_GLOB = re.compile(r"[\[\]{}*?\\]")


class FileStamp(NamedTuple):
    """A file's size in bytes, and its modification time in milliseconds since 1970."""

    length: int
    modified: int


def list_tree(spark: SparkSession, path: str) -> dict[str, FileStamp] | None:
    """The files at a path and below it that Spark reads and that aren't empty, by path.

    Paths have Hadoop's form ``file:/``. Spark leaves out names that begin with ``_`` or ``.``.
    """
    place = None if _GLOB.search(path) else driver_path(spark, path)
    if place is None or not place.exists():
        return None
    try:
        stats = [(file, file.stat()) for file in _files(place)]
    except OSError:
        return None
    return {
        f"file:{file}": FileStamp(stat.st_size, stat.st_mtime_ns // 10**6)
        for file, stat in stats
        if stat.st_size
    }


def _files(place: Path) -> Iterator[Path]:
    if place.is_file():
        if not _is_hidden(place.name):
            yield place
        return
    with os.scandir(place) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if not _is_hidden(entry.name):
                yield from _files(place / entry.name)


def _is_hidden(name: str) -> bool:
    """Spark's rule for names that are no data, `PartitioningAwareFileIndex.isDataPath` too."""
    is_private = name.startswith("_") and "=" not in name
    return is_private or name.startswith(".") or name.endswith("._COPYING_")


def read_start(spark: SparkSession, path: str, n_bytes: int) -> bytes | None:
    """The first ``n_bytes`` of a dump file, unpacked; fewer if it is shorter."""
    place = driver_path(spark, path)
    if place is None:
        return None
    try:
        with _open(place) as file:
            return file.read(n_bytes)
    except (OSError, EOFError):  # Spark says what is wrong
        return None


def _open(path: Path) -> BinaryIO:
    if path.suffix == ".bz2":
        return cast("BinaryIO", bz2.open(path))
    return cast("BinaryIO", gzip.open(path)) if path.suffix == ".gz" else path.open("rb")
