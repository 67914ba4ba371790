"""Scratch tables: the rows of a job's expensive pass before they are written to the tables."""

from __future__ import annotations

import json
from typing import NamedTuple

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from crossic_etl.tables.commits import newest_commits

PREFIX = "staging_"


class Chunk(NamedTuple):
    """One of the transactions in which a long pass is staged.

    Attributes:
        staging: a name that is unique to this staging.
        input_fingerprint: of everything that determines the rows of all chunks.
        number: of the chunk, from 0.
    """

    staging: str
    input_fingerprint: str
    number: int


def write_scratch(
    frame: DataFrame, name: str, chunk: Chunk | None = None, partition_by: str | None = None
) -> None:
    """Writes a frame to the scratch table with an SQL identifier, in one transaction.

    A frame without a chunk, and the first chunk, replace the table's rows; other chunks are
    appended. A chunk that is written twice is appended once.
    """
    writer = frame.writeTo(name)
    if chunk is not None:
        writer = writer.option("userMetadata", json.dumps(chunk))
    if partition_by is not None:
        writer = writer.partitionedBy(F.col(partition_by))
    if chunk is None or chunk.number == 0:
        writer.using("delta").createOrReplace()
    else:
        once = {"txnAppId": chunk.staging, "txnVersion": str(chunk.number)}
        writer.options(**once).append()


def last_chunk(spark: SparkSession, name: str) -> Chunk | None:
    """The chunk that was last written to a scratch table, or None."""
    commit = newest_commits(spark, name, 1)
    try:
        return Chunk(*json.loads(commit[0].userMetadata)) if commit else None
    except (TypeError, ValueError):  # the transaction has no chunk
        return None
