"""Scratch: the rows of a job's expensive pass before they are written to the tables.

On this machine's disks, which rename a folder at once, they are plain Parquet files: a Delta table
costs two transactions more. Elsewhere they are a Delta table, so that a write is complete or not
there on every file system.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from pyspark.sql import DataFrame

FOLDER = "_staging"
# Scratch tables in a catalog, and those of older versions, are beside the others.
PREFIX = "staging_"


class Chunk(NamedTuple):
    """One of the parts in which a long pass is staged.

    Attributes:
        staging: a name that is unique to this staging.
        input_fingerprint: of everything that determines the rows of all chunks.
        number: of the chunk, from 0.
    """

    staging: str
    input_fingerprint: str
    number: int


class Scratch(Protocol):
    """Where staged rows are kept, by name."""

    def write(
        self, name: str, frame: DataFrame, chunk: Chunk | None, partition_by: str | None
    ) -> DataFrame:
        """Writes a frame and reads it back, with the chunks before it.

        A frame without a chunk, and the first chunk, replace what is there; other chunks are
        added. A chunk that is written twice is there once.
        """
        ...

    def read(self, name: str) -> DataFrame:
        """The rows under a name."""
        ...

    def last_chunk(self, name: str) -> Chunk | None:
        """The chunk that was last written under a name, or None."""
        ...

    def clear(self, name: str) -> None:
        """Removes the rows under a name."""
        ...
