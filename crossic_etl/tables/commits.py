"""Delta's log of a table: its newest transactions, and what their metadata says of the rows.

Which settings made a table's rows stands in the transaction that wrote them (Delta's user
metadata), so that a run that died can't leave rows made with one setting beside a note of another.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pyspark.errors import AnalysisException
from pyspark.sql import Row, SparkSession

from crossic_etl.spark_errors import missing

SESSION_METADATA = "spark.databricks.delta.commitInfo.userMetadata"
# Transactions that leave the rows as they are, and how many of them may follow each other.
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
# The metadata's key; tables that an older version wrote have the other one.
KEY, OLDER_KEY = "settings_fingerprints", "made_with"


def newest_commits(spark: SparkSession, name: str, n: int) -> list[Row]:
    """The last ``n`` transactions of the table with an SQL identifier; none without a table.

    Rows have ``version, operation, userMetadata``, the newest first.
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
    """The last transaction that changed the rows of a table; None where there is no table."""
    rows = newest_commits(spark, name, RECENT)
    written = [row for row in rows if row.operation not in UPKEEP]
    return max(written or rows, key=lambda row: int(row.version), default=None)


def read_fingerprints(metadata: str | None) -> dict[str, str]:
    """The settings' fingerprint of each part of a table, from a transaction's metadata.

    Empty where the metadata is missing or was written by another program.
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
    """Every transaction inside carries the metadata: MERGE takes it from the session alone."""
    if metadata is None:
        yield
        return
    spark.conf.set(SESSION_METADATA, metadata)
    try:
        yield
    finally:
        spark.conf.unset(SESSION_METADATA)
