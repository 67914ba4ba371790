"""Reads Delta's log of a table: the newest transactions, and the settings in their metadata.

The fingerprint of the settings is stored as user metadata of the transaction that writes the rows.
So a run that dies can't leave rows of one setting with the fingerprint of another.

The log of a table on this machine's disks is read as files, which takes no Spark job. Everywhere
else Delta's own command reads it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession

from crossic_etl.spark_errors import missing

SESSION_METADATA = "spark.databricks.delta.commitInfo.userMetadata"
# Operations that don't change rows, and how many transactions are searched for another one.
UPKEEP = (
    "OPTIMIZE",
    "REORG",
    "VACUUM START",
    "VACUUM END",
    "SET TBLPROPERTIES",
    "ADD COLUMNS",
    "COMPUTE STATS",
    "ANALYZE TABLE",
    "UPGRADE PROTOCOL",
)
RECENT = 30
# The metadata's key; older versions of this package wrote the second one.
KEY, OLDER_KEY = "settings_fingerprints", "made_with"
# The file of a transaction in a table's log, by Delta's protocol.
_LOG, _COMMIT = "_delta_log", re.compile(r"(\d{20})\.json")


class Commit(NamedTuple):
    """One transaction of a table.

    Attributes:
        version: Delta's number of the table after it.
        operation: Delta's name of it.
        metadata: the user metadata that its writer gave.
    """

    version: int
    operation: str
    metadata: str | None


def newest_commits(spark: SparkSession, name: str, folder: Path | None, n: int) -> list[Commit]:
    """The last ``n`` transactions of a table, newest first; none if it doesn't exist.

    ``name`` is the table's SQL identifier, and ``folder`` its folder on this machine's disks, if it
    is there.
    """
    if folder is not None:
        return _read_log(folder / _LOG, n)
    try:
        history = spark.sql(f"DESCRIBE HISTORY {name} LIMIT {n}")
        rows = history.select("version", "operation", "userMetadata").collect()
    except AnalysisException as error:
        if missing(error):
            return []
        raise
    return [Commit(*row) for row in rows]


def last_write(commits: list[Commit]) -> Commit | None:
    """The last of these transactions that changed rows; the last of all if none did."""
    written = [commit for commit in commits if commit.operation not in UPKEEP]
    return max(written or commits, default=None)


def _read_log(log: Path, n: int) -> list[Commit]:
    """The newest transactions in a log's folder."""
    try:
        names = [path.name for path in log.iterdir() if _COMMIT.fullmatch(path.name)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [_read_commit(log / name) for name in sorted(names, reverse=True)[:n]]


def _read_commit(path: Path) -> Commit:
    """A transaction; its file has a line of JSON for each action, ``commitInfo`` most often first.

    A transaction without ``commitInfo``, which the protocol permits, may have changed rows.
    """
    info: dict[str, Any] = {}
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if "commitInfo" in (action := json.loads(line)):
                info = action["commitInfo"]
                break
    return Commit(int(path.stem), info.get("operation", "WRITE"), info.get("userMetadata"))


def read_fingerprints(metadata: str | None) -> dict[str, str]:
    """The settings' fingerprint of each part of a table, from a transaction's metadata.

    Empty if the metadata is missing or another program wrote it.
    """
    try:
        content = json.loads(metadata) if metadata else {}
    except ValueError:
        return {}
    if not isinstance(content, dict):
        return {}
    parts: dict[object, object] = content.get(KEY) or content.get(OLDER_KEY) or {}
    return {str(part): str(fingerprint) for part, fingerprint in parts.items()}


def write_fingerprints(parts: Mapping[str, str]) -> str:
    """The metadata that `read_fingerprints` reads."""
    return json.dumps({KEY: dict(parts)}, sort_keys=True)


@contextmanager
def merge_settings(spark: SparkSession, metadata: str | None) -> Iterator[None]:
    """The session's settings for a MERGE, which takes the metadata from there alone.

    The rows to merge are files, which are the same each time they are read, so that Delta need not
    write them once more to be sure of that.
    """
    settings = {"spark.databricks.delta.merge.materializeSource": "none"}
    if metadata is not None:
        settings[SESSION_METADATA] = metadata
    for key, value in settings.items():
        spark.conf.set(key, value)
    try:
        yield
    finally:
        for key in settings:
            spark.conf.unset(key)
