"""What a search will take, worked out before it starts, and whether it fits.

Counts are exact where rows were counted; the sizes of cells are those of the training sample, or
assumed. Bytes are those of the parts that grow with the data, beside a fixed base.
"""

from __future__ import annotations

from dataclasses import dataclass

from crossic_etl.kernels.search.indexes import EXACT as EXACT
from crossic_etl.kernels.search.indexes import INDEXES
from crossic_etl.kernels.search.indexes import ROUTED as ROUTED
from crossic_etl.kernels.search.shard import Search

MIB = 2**20

# Measured: a Python worker with pyarrow, numpy and faiss.
_BASE = 160 * MIB
# An id of 32 characters and its offset, its exclusions, its place in the order of ids.
_ROW_BYTES = 32 + 4 + 16 + 8
# FAISS multiplies at most this many queries with this many vectors at once.
_PRODUCT = 4096 * 1024 * 4
_BLOCK = 32 * MIB
_ARROW_ROWS = 2 * 1024
# Of the largest shard over the mean one, where the sizes of cells aren't known. Ours: hash shards
# of a hundred thousand rows differ by a few percent, shards of k-means cells by half.
_SKEW = {EXACT: 1.05, ROUTED: 1.5}
# A quantizer travels with each task's code, and Spark Connect takes messages of 128 MiB.
_MOST_QUANTIZER = 64 * MIB
_STORED = {"float32": 4.0, "float16": 2.0, "uint8": 1.0}
# HNSW32 keeps its own vectors and 64 links of 4 bytes; PQ a byte for 8 floats and an id.
_INDEX_BYTES = {"HNSW32": (4.0, 256), "IVF,PQ": (1 / 8, 8)}


class PlanError(ValueError):
    """A search that can't fit; names the setting to change and a value that would do."""


@dataclass(frozen=True)
class Job:
    """What is to be searched: rows counted, and how.

    Attributes:
        n_documents: rows of the corpus.
        n_queries: rows to search for.
        mode: ``exact`` or ``routed``.
        shards: parts of the corpus; a task holds one.
        cells: of the quantizer (routed).
        nprobe: cells that a query is compared with (routed).
        task_memory: bytes that a task's Python worker may take.
        tasks: that run at once over the whole cluster.
    """

    n_documents: int
    n_queries: int
    mode: str
    shards: int
    task_memory: int
    cells: int = 1
    nprobe: int = 1
    tasks: int = 1


@dataclass(frozen=True)
class Plan:
    """Rows, bytes and distances of a search."""

    job: Job
    search: Search
    largest_shard: int
    shard_memory: int
    query_copies: int
    shuffled_rows: int
    shuffled_bytes: int
    distances: int

    @property
    def share(self) -> float:
        """Of the distances that an exact search computes; about, for cells differ in size."""
        return self.distances / max(1, self.job.n_documents * self.job.n_queries)

    def lines(self) -> list[str]:
        """The plan in words, for a job to print."""
        job = self.job
        routed = f", {job.cells:,} cells, nprobe {job.nprobe}" if job.mode == ROUTED else ""
        return [
            f"{job.mode}, {self.search.index}, k {self.search.k}: {job.n_queries:,} queries in "
            f"{job.n_documents:,} documents of {self.search.dimension} floats",
            f"{job.shards} shards{routed}; a query goes to {self.query_copies} at most",
            f"about {self.distances:,} distances, {self.share:.1%} of all",
            f"{self.shuffled_rows:,} rows, {_size(self.shuffled_bytes)} shuffled",
            f"memory of a task {_size(self.shard_memory)} of {_size(job.task_memory)}, "
            f"for {self.largest_shard:,} documents; {job.tasks} tasks at once",
        ]


def plan_search(job: Job, search: Search, largest_shard: int | None = None) -> Plan:
    """The plan of a job; ``largest_shard`` in documents, where the training sample tells it.

    Raises:
        PlanError: a setting is out of its range, or a shard wouldn't fit a task's memory.
    """
    _check(job, search)
    if largest_shard is None:
        largest_shard = min(job.n_documents, int(job.n_documents / job.shards * _SKEW[job.mode]))
    memory = task_memory(largest_shard, search)
    if memory > job.task_memory:
        raise _too_big(job, search, largest_shard, memory)
    copies = job.shards if job.mode == EXACT else min(job.shards, job.nprobe)
    rows = job.n_documents + job.n_queries * copies
    share = 1.0 if job.mode == EXACT else min(1.0, job.nprobe / job.cells)
    return Plan(
        job,
        search,
        largest_shard,
        memory,
        copies,
        rows,
        rows * (search.dimension * 4 + _ROW_BYTES),
        int(job.n_documents * job.n_queries * share),
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


def _check(job: Job, search: Search) -> None:
    if job.mode not in _SKEW:
        raise PlanError(f"neighbours.mode: {job.mode!r} given, expected {EXACT} or {ROUTED}")
    for name in ("shards", "cells", "nprobe"):
        if getattr(job, name) < 1:
            raise PlanError(f"neighbours.{name}: {getattr(job, name)} given, expected 1 or more")
    if job.mode == EXACT:
        return
    if job.nprobe > job.cells:
        raise PlanError(
            f"neighbours.nprobe: {job.nprobe} given, expected at most the cells, {job.cells}"
        )
    if job.shards > job.cells:
        raise PlanError(
            f"neighbours.shards: {job.shards} given, expected at most the cells, {job.cells}"
        )
    most = _MOST_QUANTIZER // (search.dimension * 4)
    if job.cells > most:
        raise PlanError(
            f"neighbours.cells: {job.cells} given, expected at most {most}: centroids of "
            f"{search.dimension} floats travel with every task"
        )


def _too_big(job: Job, search: Search, largest: int, memory: int) -> PlanError:
    fixed = task_memory(0, search)
    need = f"a task needs {_size(memory)} for {largest:,} documents, {_size(job.task_memory)} given"
    if fixed >= job.task_memory:
        return PlanError(f"neighbours.task_memory: {need}; at least {_size(fixed * 2)} expected")
    each = (memory - fixed) / max(1, largest)
    fitting = max(1.0, (job.task_memory - fixed) / each)
    shards = int(-(-job.shards * largest // fitting))
    return PlanError(f"neighbours.shards: {job.shards} given: {need}; {shards} or more expected")


def _size(n: int) -> str:
    return f"{n / 2**30:.1f} GiB" if n >= 2**30 else f"{n / MIB:.0f} MiB"
