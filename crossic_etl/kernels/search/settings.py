"""How a shard is searched. Imports no faiss, so that a plan costs nothing."""

from __future__ import annotations

from dataclasses import dataclass

from crossic_etl.kernels.search.indexes import INDEXES


@dataclass(frozen=True)
class Search:
    """How to search a shard.

    Attributes:
        k: documents for each query.
        dimension: of all vectors, which are of unit length.
        index: one of `INDEXES`. `SQfp16` and `SQ8` hold vectors in a half and a quarter of the
            memory; `HNSW32` and `IVF,PQ` are built over cells of ``index_from`` vectors and more,
            and their candidates are scored again on full vectors.
        index_from: smaller cells are searched in full.
        threads: of FAISS; the cores of a task.
        query_block: queries that are searched together; more make larger matrix products of the
            few queries that go to a cell.
    """

    k: int
    dimension: int
    index: str = "Flat"
    index_from: int = 20_000
    threads: int = 1
    query_block: int = 4_096

    def __post_init__(self) -> None:
        if self.index not in INDEXES:
            names = ", ".join(INDEXES)
            raise ValueError(f"neighbours.index: {self.index!r} given, expected one of {names}")
        for name in ("k", "dimension", "threads", "query_block"):
            if getattr(self, name) < 1:
                raise ValueError(
                    f"neighbours.{name}: {getattr(self, name)} given, expected 1 or more"
                )
