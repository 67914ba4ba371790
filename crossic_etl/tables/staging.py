"""Scratch tables: what a job's expensive pass makes, before it goes to the tables."""

from __future__ import annotations

import json
from typing import NamedTuple

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from crossic_etl.tables.commits import newest_commits

PREFIX = "staging_"


class Chunk(NamedTuple):
    """One of the transactions in which a long pass is staged, in their order from 0.

    Attributes:
        staging: a name that no other staging has.
        input_fingerprint: of what decides the rows of all chunks.
        number: of the chunk.
    """

    staging: str
    input_fingerprint: str
    number: int


def write_scratch(
    frame: DataFrame, name: str, chunk: Chunk | None = None, partition_by: str | None = None
) -> None:
    """Writes a frame to the scratch table with an SQL identifier, in one transaction.

    A frame without chunk, and the first chunk, replace what is there; other chunks are added. A
    chunk that is written a second time isn't added again.
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
    """The chunk that was last written to a scratch table; None where none was."""
    commit = newest_commits(spark, name, 1)
    try:
        return Chunk(*json.loads(commit[0].userMetadata)) if commit else None
    except (TypeError, ValueError):  # not a chunk's transaction
        return None
