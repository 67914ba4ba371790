"""Scratch as Delta tables, for catalogs and for file systems that only Spark reaches."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from crossic_etl.tables.commits import newest_commits
from crossic_etl.tables.staging import Chunk


@dataclass(frozen=True)
class DeltaScratch:
    """See `staging.Scratch`; ``identifier`` gives the SQL identifier of a name's table."""

    spark: SparkSession
    identifier: Callable[[str], str]

    def write(
        self, name: str, frame: DataFrame, chunk: Chunk | None, partition_by: str | None
    ) -> DataFrame:
        """See `staging.Scratch.write`."""
        writer = frame.writeTo(self.identifier(name))
        if chunk is not None:
            writer = writer.option("userMetadata", json.dumps(chunk))
        if partition_by is not None:
            writer = writer.partitionedBy(F.col(partition_by))
        if chunk is None or chunk.number == 0:
            writer.using("delta").createOrReplace()
        else:
            once = {"txnAppId": chunk.staging, "txnVersion": str(chunk.number)}
            writer.options(**once).append()
        return self.read(name)

    def read(self, name: str) -> DataFrame:
        """See `staging.Scratch.read`."""
        return self.spark.read.table(self.identifier(name))

    def last_chunk(self, name: str) -> Chunk | None:
        """See `staging.Scratch.last_chunk`."""
        commits = newest_commits(self.spark, self.identifier(name), None, 1)
        try:
            return Chunk(*json.loads(commits[0].metadata or "")) if commits else None
        except (TypeError, ValueError):  # the transaction has no chunk
            return None

    def clear(self, name: str) -> None:
        """See `staging.Scratch.clear`."""
        self.spark.sql(f"TRUNCATE TABLE {self.identifier(name)}")
