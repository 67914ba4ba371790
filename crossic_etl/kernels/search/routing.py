"""Routes Arrow rows of documents and queries to the shards of their cells.

Rows in have `id`, `lang`, `vector`, `group` (a number; vectors of different groups are never
compared) and `exclusions`. Rows out add a shard and the cell or cells there. Their vector is
binary; half precision is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from crossic_etl.kernels.search.quantizer import Quantizer, assign, shard_cells
from crossic_etl.kernels.search.vectors import Floats, Ints, as_binary, to_matrix

KEPT = ("id", "lang", "exclusions")


@dataclass(frozen=True, eq=False)
class Router:
    """Routes vectors of one dimension: a query to ``nprobe`` cells, a document to one."""

    centroids: Floats
    shard_of: Ints
    nprobe: int
    threads: int

    @staticmethod
    def of(quantizer: Quantizer, shards: int, nprobe: int, threads: int = 1) -> Router:
        """The router of a quantizer for that many shards."""
        return Router(quantizer.centroids, shard_cells(quantizer, shards), nprobe, threads)

    @property
    def dimension(self) -> int:
        """Number of floats of a vector."""
        return int(self.centroids.shape[1])

    def documents(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Each document with its nearest cell."""
        for batch in batches:
            vectors = to_matrix(batch.column("vector"), self.dimension)
            cells = assign(vectors, self.centroids, 1, self.threads)[:, 0]
            names = batch.column("group").to_numpy() + cells
            lists = pa.ListArray.from_arrays(np.arange(len(cells) + 1, dtype=np.int32), names)
            held = as_binary(batch.column("vector"), self.dimension)
            yield _sent(batch, False, self.shard_of[cells], names, lists, held)

    def queries(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Each query once for each shard that has some of its ``nprobe`` nearest cells."""
        for batch in batches:
            if not batch.num_rows:
                continue
            vectors = to_matrix(batch.column("vector"), self.dimension)
            cells = assign(vectors, self.centroids, self.nprobe, self.threads)
            rows = np.repeat(np.arange(len(cells)), cells.shape[1])
            shards, flat = self.shard_of[cells].ravel(), cells.ravel().astype(np.int64)
            order = np.lexsort((shards, rows))
            rows, shards, flat = rows[order], shards[order], flat[order]
            starts = np.flatnonzero(
                np.concatenate([[True], (np.diff(rows) != 0) | (np.diff(shards) != 0)])
            )
            names = flat + batch.column("group").to_numpy()[rows]
            ends = np.append(starts, len(rows)).astype(np.int32)
            lists = pa.ListArray.from_arrays(ends, names)
            rows, shards = rows[starts], shards[starts]
            first = np.zeros(len(rows), np.int64)
            held = as_binary(batch.column("vector"), self.dimension).take(pa.array(rows))
            kept = batch.drop_columns("vector").take(pa.array(rows))
            yield _sent(kept, True, shards, first, lists, held)


def _sent(
    batch: pa.RecordBatch,
    is_query: bool,
    shards: Ints,
    cell: object,
    cells: pa.ListArray,
    vectors: pa.Array,
) -> pa.RecordBatch:
    columns = {
        "shard": pa.array(shards, pa.int32()),
        "is_query": pa.array(np.full(batch.num_rows, is_query)),
        "cell": pa.array(cell, pa.int64()),
        "cells": cells,
        **{name: batch.column(name) for name in KEPT},
        "vector": vectors,
    }
    return pa.RecordBatch.from_pydict(columns)
