"""A task's rows, sorted by (shard, documents first, cell), to the candidates of its queries.

Memory is bounded by a shard's documents and a block of queries: a shard is let go of when the next
one begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from time import perf_counter

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from crossic_etl.kernels.search.settings import Search
from crossic_etl.kernels.search.shard import Found, Queries, Shard
from crossic_etl.kernels.search.vectors import Longs, to_matrix

CANDIDATE = pa.struct(
    [pa.field("distance", pa.float32(), False), pa.field("doc_id", pa.string(), False)]
)
CANDIDATES = pa.schema(
    [
        pa.field("query_id", pa.string(), False),
        pa.field("lang", pa.string(), False),
        pa.field("candidates", pa.list_(pa.field("element", CANDIDATE, False)), False),
        pa.field("n_compared", pa.int64(), False),
        pa.field("seconds", pa.float64(), False),
    ]
)


class CellStream:
    """Builds a shard from the documents that come, then searches it for the queries that follow."""

    def __init__(self, search: Search) -> None:
        self._search = search

    def run(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Candidates of a schema `CANDIDATES`, a row for each query and shard; none if it is empty.

        ``n_compared`` counts the documents of the query's cells, ``seconds`` is its part of the
        time that searching its block took.

        Batches have `shard`, `is_query`, `cell` (of a document), `cells` (of a query), `id`,
        `lang`, `exclusions` (as many longs in each row) and `vector`.

        Raises:
            VectorError: a vector of another dimension than the search's.
        """
        current: tuple[int, _OpenShard] | None = None
        for shard, is_query, rows in _runs(batches):
            if current is None or current[0] != shard:
                if current:
                    yield from current[1].flush()
                    current = None  # lets go of the old shard before the new one grows
                current = (shard, _OpenShard(self._search))
            if is_query:
                yield from current[1].ask(rows)
            else:
                current[1].add(rows)
        if current:
            yield from current[1].flush()


def _runs(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[int, bool, pa.RecordBatch]]:
    """Slices of batches within which shard and side are the same."""
    for batch in batches:
        if not batch.num_rows:
            continue
        shards = batch.column("shard").to_numpy()
        sides = batch.column("is_query").to_numpy(zero_copy_only=False)
        cuts = np.flatnonzero((np.diff(shards) != 0) | (np.diff(sides) != 0)) + 1
        for start, stop in zip([0, *cuts], [*cuts, batch.num_rows], strict=True):
            yield int(shards[start]), bool(sides[start]), batch.slice(start, stop - start)


class _OpenShard:
    def __init__(self, search: Search) -> None:
        self._search = search
        self._shard = Shard(search)
        self._ids: list[pa.Array] = []
        self._held: list[pa.RecordBatch] = []
        self._finished = False

    def add(self, rows: pa.RecordBatch) -> None:
        vectors = to_matrix(rows.column("vector"), self._search.dimension)
        exclusions = _exclusions(rows)
        cells = rows.column("cell").to_numpy()
        cuts = np.flatnonzero(np.diff(cells) != 0) + 1
        for start, stop in zip([0, *cuts], [*cuts, len(cells)], strict=True):
            self._shard.add(int(cells[start]), vectors[start:stop], exclusions[start:stop])
        # A copy: a slice would keep the whole batch, vectors and all.
        self._ids.append(pa.concat_arrays([rows.column("id"), pa.array([], pa.string())]))

    def ask(self, rows: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        while rows.num_rows:
            room = self._search.query_block - sum(batch.num_rows for batch in self._held)
            self._held.append(rows.slice(0, room))
            rows = rows.slice(room)
            if rows.num_rows or room == self._held[-1].num_rows:
                yield from self.flush()

    def flush(self) -> Iterator[pa.RecordBatch]:
        if not self._held or not len(self._shard):
            self._held = []
            return
        if not self._finished:
            self._finish()
        held, self._held = self._held, []
        queries = Queries(
            np.concatenate([to_matrix(b.column("vector"), self._search.dimension) for b in held]),
            list(chain.from_iterable(map(_cells, held))),
            np.concatenate([_exclusions(batch) for batch in held]),
        )
        start = perf_counter()
        found = self._shard.search(queries)
        seconds = (perf_counter() - start) / len(queries.vectors)
        yield self._rows(held, found, self._shard.n_compared(queries), seconds)

    def _finish(self) -> None:
        ids = pa.concat_arrays(self._ids)
        self._ids = [ids]
        # Arrow compares strings by their bytes, as Spark does.
        order = np.empty(len(ids), np.int64)
        order[pc.sort_indices(ids).to_numpy()] = np.arange(len(ids))
        self._shard.finish(order)
        self._finished = True

    def _rows(
        self, held: list[pa.RecordBatch], found: Found, n_compared: Longs, seconds: float
    ) -> pa.RecordBatch:
        there = found.positions >= 0
        ends = np.concatenate([[0], np.cumsum(there.sum(axis=1))]).astype(np.int32)
        # Adding 0 turns -0.0 to 0.0, which sorts elsewhere in Spark.
        distances = pa.array(-found.scores[there] + np.float32(0))
        docs = self._ids[0].take(pa.array(found.positions[there]))
        items = pa.StructArray.from_arrays([distances, docs], fields=list(CANDIDATE))
        columns = [
            pa.concat_arrays([batch.column("id") for batch in held]),
            pa.concat_arrays([batch.column("lang") for batch in held]),
            pa.ListArray.from_arrays(ends, items, type=CANDIDATES.field("candidates").type),
            pa.array(n_compared),
            pa.array(np.full(len(n_compared), seconds)),
        ]
        return pa.RecordBatch.from_arrays(columns, schema=CANDIDATES)


def _exclusions(rows: pa.RecordBatch) -> Longs:
    values: Longs = rows.column("exclusions").flatten().to_numpy(zero_copy_only=False)
    width = len(values) // max(1, rows.num_rows)
    return values.astype(np.int64, copy=False).reshape(rows.num_rows, width)


def _cells(rows: pa.RecordBatch) -> list[Longs]:
    cells = rows.column("cells")
    ends = np.cumsum(cells.value_lengths().to_numpy())
    return np.split(cells.flatten().to_numpy(), ends[:-1])
