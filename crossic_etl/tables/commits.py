"""Reads Delta's log of a table: the newest transactions, and the settings in their metadata.

The fingerprint of the settings is stored as user metadata of the transaction that writes the rows.
So a run that dies can't leave rows of one setting with the fingerprint of another.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pyspark.errors import AnalysisException
from pyspark.sql import Row, SparkSession

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


def newest_commits(spark: SparkSession, name: str, n: int) -> list[Row]:
    """The last ``n`` transactions of the table with an SQL identifier; none if it doesn't exist.

    Rows have ``version, operation, userMetadata``, newest first.
    """
    try:
        history = spark.sql(f"DESCRIBE HISTORY {name} LIMIT {n}")
        rows: list[Row] = history.select("version", "operation", "userMetadata").collect()
    except AnalysisException as error:
        if missing(error):
            return []
        raise
    return rows


def last_write(spark: SparkSession, name: str) -> Row | None:
    """The last transaction that changed the rows of a table; None if it doesn't exist."""
    rows = newest_commits(spark, name, RECENT)
    written = [row for row in rows if row.operation not in UPKEEP]
    return max(written or rows, key=lambda row: int(row.version), default=None)


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
def session_metadata(spark: SparkSession, metadata: str | None) -> Iterator[None]:
    """Adds the metadata to every transaction inside: MERGE takes it from the session alone."""
    if metadata is None:
        yield
        return
    spark.conf.set(SESSION_METADATA, metadata)
    try:
        yield
    finally:
        spark.conf.unset(SESSION_METADATA)
