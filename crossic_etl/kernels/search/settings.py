"""The settings of a shard's search. Imports no faiss, so that planning is cheap."""

from __future__ import annotations

from dataclasses import dataclass

from crossic_etl.kernels.search.indexes import INDEXES


@dataclass(frozen=True)
class Search:
    """The settings of a shard's search.

    Attributes:
        k: documents for each query.
        dimension: of all vectors, which have unit length.
        index: one of `INDEXES`. `SQfp16` and `SQ8` store vectors in a half and a quarter of the
            memory. `HNSW32` and `IVF,PQ` are built for cells of ``index_from`` vectors or more;
            their candidates are scored again on full vectors.
        index_from: cells with fewer vectors are searched exhaustively.
        threads: FAISS's threads; a task's cores.
        query_block: queries that are searched together. With more of them the matrix products of
            a cell are larger, since few queries go to each cell.
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
