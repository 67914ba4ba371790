"""Best k documents of some cells of a shard for a block of queries, by inner product.

A shard is what one task holds: a row of cells, each a run of vectors that lie together. Queries
come in blocks, because one by one they are eight times slower (a matrix product reads a vector once
for all of them). Exact where the index is `Flat`, up to the rounding of its final score:

1. FAISS gives the best k and a few more in single precision, whose last bits depend on block sizes.
2. Their scores are worked out again, in double precision, each pair for itself, so that a pair has
   the same score in any shard, and equal vectors the same score.
3. Where the few more don't prove that nothing was missed (a crowd of equal vectors, or more
   excluded documents than those few), that query alone is compared with all of its cells.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import faiss
import numpy as np
import numpy.typing as npt

from crossic_etl.kernels.search.indexes import INDEXES
from crossic_etl.kernels.search.settings import Search
from crossic_etl.kernels.search.top_k import best_k
from crossic_etl.kernels.search.vector_store import VectorStore
from crossic_etl.kernels.search.vectors import Floats, Longs, inner_products

NONE = -1
_SPARE = 4
# Rounding of an inner product of unit vectors in single precision is some 1e-7; ours, with room.
_ROUNDING = 1e-5
_RESCORED_BYTES = 32 * 2**20
_PQ_FACTOR = 10
_PQ_FLOATS = 8
_PQ_TRAINING = 65_536
_PROBED_LISTS = 1 / 8


class Found(NamedTuple):
    """Best k of each query, best first: float32[n, k] and positions int64[n, k], -1 for none."""

    scores: Floats
    positions: Longs


class Queries(NamedTuple):
    """A block: float32[n, d], the cells that each is to be compared with, and its exclusions.

    ``exclusions`` int64[n, e] and the shard's exclusions int64[m, e] part a query from documents
    that have the same number in the same column; 0 is no number.
    """

    vectors: Floats
    cells: Sequence[Longs]
    exclusions: Longs


class Shard:
    """The documents of one task: vectors of each cell added together, cell after cell."""

    def __init__(self, search: Search) -> None:
        self._search = search
        codec, self._factory = INDEXES[search.index]
        self._store = VectorStore(search.dimension, codec)
        self._runs: dict[int, tuple[int, int]] = {}
        self._exclusions: list[Longs] = []
        self._indexes: dict[int, Any] = {}
        self._order: Longs | None = None

    def __len__(self) -> int:
        return len(self._store)

    def add(self, cell: int, vectors: Floats, exclusions: Longs) -> None:
        """Adds documents of a cell: the one that was added to last, or a new one."""
        start, stop = self._runs.get(cell, (len(self), len(self)))
        if stop != len(self):
            raise ValueError(f"cell {cell} comes in two runs: sort the documents by cell")
        self._store.add(vectors)
        self._exclusions.append(exclusions)
        self._runs[cell] = (start, len(self))

    def finish(self, order: Longs | None = None) -> None:
        """Call after the last document: builds the indexes of large cells.

        ``order[i]`` is where document i stands in the order of ids, which decides ties; by default
        documents came in that order.
        """
        self._order = order
        self._exclusions = [np.concatenate(self._exclusions)] if self._exclusions else []
        faiss.omp_set_num_threads(self._search.threads)
        for cell, (start, stop) in self._runs.items():
            if self._factory and stop - start >= self._search.index_from:
                self._indexes[cell] = self._build(start, stop)

    def n_compared(self, queries: Queries) -> Longs:
        """How many documents lie in each query's cells, int64[n]."""
        size = {cell: stop - start for cell, (start, stop) in self._runs.items()}
        counts = [sum(size.get(cell, 0) for cell in cells.tolist()) for cells in queries.cells]
        return np.array(counts, np.int64)

    def search(self, queries: Queries) -> Found:
        """The best k of each query among the documents of its cells."""
        faiss.omp_set_num_threads(self._search.threads)
        n, k = len(queries.vectors), self._search.k
        if not n or not len(self):
            return Found(np.full((n, k), -np.inf, np.float32), np.full((n, k), NONE, np.int64))
        scores, positions = self._nearest(queries)
        found, last = self._rescored(queries, scores, positions), scores[:, -1]
        if not self._factory:
            for i in np.flatnonzero(self._unproven(found, positions, last)):
                self._search_one(queries, int(i), found)
        return found

    def _nearest(self, queries: Queries) -> tuple[Floats, Longs]:
        """The best k and some spare ones in single precision, nothing excluded, best first."""
        size = (self._search.k + _SPARE) * (_PQ_FACTOR if "PQ" in self._factory else 1)
        heap = faiss.ResultHeap(len(queries.vectors), size, keep_max=True)
        for cell, rows in _by_cell(queries.cells):
            if cell not in self._runs:
                continue
            vectors = np.ascontiguousarray(queries.vectors[rows], np.float32)
            for start, scores, positions in self._search_cell(cell, vectors, size):
                heap.add_result_subset(
                    rows, scores, np.where(positions < 0, NONE, positions + start)
                )
        heap.finalize()
        return heap.D, heap.I

    def _search_cell(self, cell: int, vectors: Floats, size: int) -> Any:
        start, stop = self._runs[cell]
        if cell in self._indexes:
            yield start, *self._indexes[cell].search(vectors, size)
            return
        for at, piece in self._store.pieces(start, stop):
            scores, positions = faiss.knn(
                vectors, piece, min(size, len(piece)), faiss.METRIC_INNER_PRODUCT
            )
            yield at, scores, positions

    def _rescored(self, queries: Queries, rough: Floats, positions: Longs) -> Found:
        """The best k of those positions by their score in double precision, but the excluded."""
        rows, columns = np.nonzero(positions >= 0)
        chosen = positions[rows, columns]
        allowed = np.zeros(positions.shape, bool)
        allowed[rows, columns] = ~self._excluded(queries.exclusions[rows], chosen)
        if not self._factory:
            allowed &= rough >= self._least(rough, allowed)
        rows, columns = np.nonzero(allowed)
        chosen = positions[rows, columns]
        scores = self._scores(queries.vectors, rows, chosen)
        return self._best(rows, scores, chosen, len(positions))

    def _least(self, rough: Floats, allowed: npt.NDArray[np.bool_]) -> Floats:
        """The rough score, float32[n, 1], below which none can be among the best k."""
        is_last = allowed & (allowed.cumsum(axis=1) == self._search.k)
        least = np.where(is_last, rough, -np.inf).max(axis=1, keepdims=True, initial=-np.inf)
        scores: Floats = (least - 2 * _ROUNDING).astype(np.float32)
        return scores

    def _scores(self, vectors: Floats, rows: Longs, chosen: Longs) -> Floats:
        scores = np.empty(len(rows), np.float32)
        step = max(1, _RESCORED_BYTES // (self._search.dimension * 8))
        for at in range(0, len(rows), step):
            part = slice(at, at + step)
            documents = self._store.take(chosen[part])
            scores[part] = inner_products(vectors[rows[part]], documents)
        return scores

    def _best(self, rows: Longs, scores: Floats, chosen: Longs, n: int) -> Found:
        k = self._search.k
        found = Found(np.full((n, k), -np.inf, np.float32), np.full((n, k), NONE, np.int64))
        order = chosen if self._order is None else self._order[chosen]
        best = best_k(rows, scores, order, k)
        rows = rows[best]
        ranks = np.arange(len(rows)) - np.searchsorted(rows, rows)
        found.scores[rows, ranks] = scores[best]
        found.positions[rows, ranks] = chosen[best]
        return found

    def _unproven(self, found: Found, positions: Longs, last: Floats) -> npt.NDArray[np.bool_]:
        """Whether a document that isn't among the candidates might belong to the best k."""
        more = positions[:, -1] >= 0
        return more & (last + _ROUNDING >= found.scores[:, -1])

    def _search_one(self, queries: Queries, i: int, found: Found) -> None:
        """Compares one query with every document of its cells, and writes what it finds."""
        runs = [self._runs[cell] for cell in queries.cells[i].tolist() if cell in self._runs]
        positions = np.concatenate([np.arange(*run) for run in runs])
        vector = queries.vectors[i]
        rough = np.concatenate([v @ vector for run in runs for _, v in self._store.pieces(*run)])
        rough[
            self._excluded(
                np.broadcast_to(queries.exclusions[i], (len(rough), queries.exclusions.shape[1])),
                positions,
            )
        ] = -np.inf
        k = min(self._search.k, len(rough))
        least = np.partition(rough, len(rough) - k)[len(rough) - k] - _ROUNDING
        chosen = positions[(rough >= least) & (rough > -np.inf)]
        scores = self._scores(vector[None, :], np.zeros(len(chosen), np.int64), chosen)
        best = self._best(np.zeros(len(chosen), np.int64), scores, chosen, 1)
        found.scores[i], found.positions[i] = best.scores[0], best.positions[0]

    def _excluded(self, exclusions: Longs, chosen: Longs) -> npt.NDArray[np.bool_]:
        excluded: npt.NDArray[np.bool_] = (
            (exclusions == self._exclusions[0][chosen]) & (exclusions != 0)
        ).any(axis=1)
        return excluded

    def _build(self, start: int, stop: int) -> Any:
        lists = max(1, int((stop - start) ** 0.5))
        parts = max(1, self._search.dimension // _PQ_FLOATS)
        name = self._factory.format(lists=lists, parts=parts)
        index: Any = faiss.index_factory(self._search.dimension, name, faiss.METRIC_INNER_PRODUCT)
        if "IVF" in name:
            index.nprobe = max(1, int(lists * _PROBED_LISTS))
        else:
            index.hnsw.efSearch = 16 * (self._search.k + _SPARE)
        if not index.is_trained:
            count = min(stop - start, _PQ_TRAINING)
            chosen = start + np.linspace(0, stop - start - 1, count).astype(np.int64)
            index.train(self._store.take(chosen))
        for _, piece in self._store.pieces(start, stop):
            index.add(np.ascontiguousarray(piece))
        return index


def _by_cell(cells: Sequence[Longs]) -> list[tuple[int, Longs]]:
    """Each cell with the rows of the queries that are to be compared with it."""
    if not len(cells):
        return []
    rows = np.repeat(np.arange(len(cells)), [len(of_query) for of_query in cells])
    flat = np.concatenate(cells)
    order = np.argsort(flat, kind="stable")
    names, starts = np.unique(flat[order], return_index=True)
    return list(zip(names.tolist(), np.split(rows[order], starts[1:]), strict=True))


def search_cell(blocks: Sequence[Floats], queries: Floats, search: Search) -> Found:
    """The best k of each query, float32[n, d], among documents that come in blocks float32[m, d].

    Positions count over all blocks; of equal scores the lower position goes first.
    """
    shard = Shard(search)
    none = np.zeros((0, 0), np.int64)
    for block in blocks:
        shard.add(0, block, np.resize(none, (len(block), 0)))
    shard.finish()
    parts = []
    for start in range(0, len(queries), search.query_block):
        block = queries[start : start + search.query_block]
        everywhere = [np.zeros(1, np.int64)] * len(block)
        parts.append(shard.search(Queries(block, everywhere, np.resize(none, (len(block), 0)))))
    if not parts:
        parts = [shard.search(Queries(queries, [], np.zeros((0, 0), np.int64)))]
    return Found(*(np.concatenate(side) for side in zip(*parts, strict=True)))
