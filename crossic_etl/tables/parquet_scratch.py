"""Scratch as Parquet files in a folder on this machine's disks.

``{folder}/{name}`` has the rows, or a folder for each chunk. A chunk counts once the file that
describes it is there, which is renamed into place after the chunk's rows were written. Each writer
has folders of its own, so that one that was taken for dead can't add to another's rows.
"""

from __future__ import annotations

import json
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from crossic_etl.atomic_files import write_whole
from crossic_etl.driver_files import escaped
from crossic_etl.tables.staging import Chunk

_ROWS, _CHUNK = "rows", "chunk-*.json"


@dataclass(frozen=True)
class ParquetScratch:
    """See `staging.Scratch`; ``folder`` is the root's folder for scratch."""

    spark: SparkSession
    folder: Path

    def write(
        self, name: str, frame: DataFrame, chunk: Chunk | None, partition_by: str | None
    ) -> DataFrame:
        """See `staging.Scratch.write`."""
        place = self.folder / name
        if chunk is None or chunk.number == 0:
            self.clear(name)
        rows = place / f"{_ROWS}-{uuid.uuid4().hex}"
        writer = frame.write.mode("overwrite")
        if partition_by is not None:
            writer = writer.partitionBy(partition_by)
        writer.parquet(_url(rows))
        if chunk is None:
            return self._read([rows], frame)
        content = {"chunk": chunk, "rows": rows.name}
        write_whole(place / f"chunk-{chunk.number:05}.json", json.dumps(content))
        return self._read(self._chunks(name), frame)

    def read(self, name: str) -> DataFrame:
        """See `staging.Scratch.read`."""
        return self._read(self._chunks(name) or sorted((self.folder / name).glob(f"{_ROWS}-*")))

    def _read(self, folders: list[Path], like: DataFrame | None = None) -> DataFrame:
        """The rows in some folders; ``like`` has their columns, which else take a job to find."""
        reader = self.spark.read if like is None else self.spark.read.schema(like.schema)
        return reader.parquet(*(escaped(_url(folder)) for folder in folders))

    def _chunks(self, name: str) -> list[Path]:
        place = self.folder / name
        described = [json.loads(path.read_text("utf-8")) for path in sorted(place.glob(_CHUNK))]
        return [place / content["rows"] for content in described]

    def last_chunk(self, name: str) -> Chunk | None:
        """See `staging.Scratch.last_chunk`."""
        last = max((self.folder / name).glob(_CHUNK), default=None)
        return None if last is None else Chunk(*json.loads(last.read_text("utf-8"))["chunk"])

    def clear(self, name: str) -> None:
        """See `staging.Scratch.clear`."""
        shutil.rmtree(self.folder / name, ignore_errors=True)

    def size(self, name: str) -> tuple[int, int]:
        """The number of files under a name, and their bytes."""
        sizes = [path.stat().st_size for path in (self.folder / name).rglob("*.parquet")]
        return len(sizes), sum(sizes)


def _url(path: Path) -> str:
    """The path as a URL of Hadoop's, whose default file system may be another."""
    return f"file:{path}"
