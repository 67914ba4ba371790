"""Estimates what a search takes before it starts, and refuses one that can't fit.

Rows were counted; the sizes of shards and cells are assumed. Memory is a fixed base and what grows
with the data. Imports no faiss.
"""

from __future__ import annotations

from dataclasses import dataclass

from crossic_etl.kernels.search.indexes import EXACT as EXACT
from crossic_etl.kernels.search.indexes import INDEXES
from crossic_etl.kernels.search.indexes import METHODS as METHODS
from crossic_etl.kernels.search.indexes import ROUTED as ROUTED
from crossic_etl.kernels.search.settings import Search

MIB = 2**20

# Measured: a Python worker with pyarrow, numpy and faiss.
_BASE = 160 * MIB
# An id of 32 characters and its offset, its exclusions, its place in the order of ids.
_ROW_BYTES = 32 + 4 + 16 + 8
# FAISS multiplies at most this many queries with this many vectors at once.
_PRODUCT = 4096 * 1024 * 4
_BLOCK = 32 * MIB
_ARROW_ROWS = 2 * 1024
# The largest shard over the mean one. Ours: hash shards of a hundred thousand rows differ by a few
# percent, shards of k-means cells by half.
_SKEW = {EXACT: 1.05, ROUTED: 1.5}
# A quantizer travels with each task's code, and Spark Connect takes messages of 128 MiB.
_MOST_QUANTIZER = 64 * MIB
_STORED = {"float32": 4.0, "float16": 2.0, "uint8": 1.0}
# HNSW32 keeps its own vectors and 64 links of 4 bytes; PQ a byte for 8 floats and an id.
_INDEX_BYTES = {"HNSW32": (4.0, 256), "IVF,PQ": (1 / 8, 8)}


class PlanError(ValueError):
    """A search that can't fit.

    Attributes:
        setting: the field of `SearchSize` to change.
        problem: what was given, what was expected, or a value that fits.
    """

    def __init__(self, setting: str, problem: str) -> None:
        super().__init__(f"{setting}: {problem}")
        self.setting = setting
        self.problem = problem


@dataclass(frozen=True)
class SearchSize:
    """How much is searched, and how.

    Attributes:
        n_documents: rows of the corpus.
        n_queries: rows to search for.
        method: one of `METHODS`.
        shards: parts of the corpus; a task holds one.
        cells: of the quantizer (routed).
        nprobe: cells that a query is compared with (routed).
        task_memory: bytes that a task's Python worker may take.
        tasks: that run at once over the whole cluster.
    """

    n_documents: int
    n_queries: int
    method: str
    shards: int
    task_memory: int
    cells: int = 1
    nprobe: int = 1
    tasks: int = 1


@dataclass(frozen=True)
class SearchPlan:
    """Rows, bytes and distances of a search."""

    size: SearchSize
    search: Search
    largest_shard: int
    shard_memory: int
    query_copies: int
    shuffled_rows: int
    shuffled_bytes: int
    distances: int

    @property
    def share(self) -> float:
        """Its distances over those of an exact search; an estimate, as cells differ in size."""
        return self.distances / max(1, self.size.n_documents * self.size.n_queries)

    def lines(self) -> list[str]:
        """The plan in words, for a job to print."""
        size = self.size
        routed = f", {size.cells:,} cells, nprobe {size.nprobe}" if size.method == ROUTED else ""
        return [
            f"{size.method}, {self.search.index}, k {self.search.k}: {size.n_queries:,} queries in "
            f"{size.n_documents:,} documents of {self.search.dimension} floats",
            f"{size.shards} shards{routed}; a query goes to {self.query_copies} at most",
            f"about {self.distances:,} distances, {self.share:.1%} of all",
            f"{self.shuffled_rows:,} rows, {_bytes(self.shuffled_bytes)} shuffled",
            f"memory of a task {_bytes(self.shard_memory)} of {_bytes(size.task_memory)}, "
            f"for {self.largest_shard:,} documents; {size.tasks} tasks at once",
        ]


def plan_search(size: SearchSize, search: Search) -> SearchPlan:
    """The plan of a search.

    Raises:
        PlanError: a setting is out of its range, or a shard doesn't fit a task's memory.
    """
    _check(size, search)
    mean_shard = size.n_documents / size.shards
    largest_shard = min(size.n_documents, int(mean_shard * _SKEW[size.method]))
    memory = task_memory(largest_shard, search)
    if memory > size.task_memory:
        raise _too_big(size, search, largest_shard, memory)
    is_exact = size.method == EXACT
    copies = size.shards if is_exact else min(size.shards, size.nprobe)
    rows = size.n_documents + size.n_queries * copies
    share = 1.0 if is_exact else min(1.0, size.nprobe / size.cells)
    return SearchPlan(
        size=size,
        search=search,
        largest_shard=largest_shard,
        shard_memory=memory,
        query_copies=copies,
        shuffled_rows=rows,
        shuffled_bytes=rows * (search.dimension * 4 + _ROW_BYTES),
        distances=int(size.n_documents * size.n_queries * share),
    )


def task_memory(n_documents: int, search: Search) -> int:
    """Bytes of a task's Python worker that holds a shard of that many documents."""
    d = search.dimension
    codec = INDEXES[search.index][0]
    floats, links = _INDEX_BYTES.get(search.index, (0.0, 0))
    documents = n_documents * (_STORED[codec] * d + floats * d + links + _ROW_BYTES)
    queries = 3 * search.query_block * d * 4 + search.query_block * search.k * 64
    scratch = _PRODUCT + 2 * _BLOCK + _ARROW_ROWS * d * 4
    return int(documents + queries + scratch + _BASE)


def _check(size: SearchSize, search: Search) -> None:
    if size.method not in METHODS:
        raise PlanError("method", f"{size.method!r} given, expected {EXACT} or {ROUTED}")
    for name in ("shards", "cells", "nprobe"):
        if getattr(size, name) < 1:
            raise PlanError(name, f"{getattr(size, name)} given, expected 1 or more")
    if size.method == EXACT:
        return
    for name in ("nprobe", "shards"):
        if getattr(size, name) > size.cells:
            raise PlanError(
                name, f"{getattr(size, name)} given, expected at most the cells, {size.cells}"
            )
    most = _MOST_QUANTIZER // (search.dimension * 4)
    if size.cells > most:
        raise PlanError(
            "cells",
            f"{size.cells} given, expected at most {most}: centroids of {search.dimension} floats "
            "travel with every task",
        )


def _too_big(size: SearchSize, search: Search, largest: int, memory: int) -> PlanError:
    given = size.task_memory
    fixed = task_memory(0, search)
    need = f"a task needs {_bytes(memory)} for {largest:,} documents, {_bytes(given)} given"
    if fixed >= given:
        return PlanError("task_memory", f"{need}; at least {_bytes(fixed * 2)} expected")
    each = (memory - fixed) / max(1, largest)
    fitting = max(1.0, (given - fixed) / each)
    shards = int(-(-size.shards * largest // fitting))
    return PlanError("shards", f"{size.shards} given: {need}; {shards} or more expected")


def _bytes(n: int) -> str:
    return f"{n / 2**30:.1f} GiB" if n >= 2**30 else f"{n / MIB:.0f} MiB"
