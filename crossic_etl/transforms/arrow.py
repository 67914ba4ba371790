"""Runs kernels over Arrow batches in ``mapInArrow``; output batches have a bounded size."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pyarrow as pa
from pyspark.sql import types as T
from pyspark.sql.pandas.types import to_arrow_schema

Row = dict[str, Any]
Batches = Iterable[pa.RecordBatch]

# Limits of an output batch, in rows and characters, since pages of some MB would pile up.
BATCH_ROWS = 1024
BATCH_CHARACTERS = 8 * 2**20


def each_row(
    kernel: Callable[..., Iterable[Row]], schema: T.StructType, *columns: str
) -> Callable[[Batches], Batches]:
    """A function for ``mapInArrow`` that calls ``kernel(*column values)`` for each row."""

    def run(batches: Batches) -> Batches:
        def rows() -> Iterator[Row]:
            for batch in batches:
                for values in zip(*_lists(batch, columns), strict=True):
                    yield from kernel(*values)

        yield from to_batches(rows(), schema)

    return run


def _lists(batch: pa.RecordBatch, columns: Iterable[str]) -> list[list[Any]]:
    return [batch.column(name).to_pylist() for name in columns]


def to_batches(rows: Iterable[Row], schema: T.StructType) -> Batches:
    """Rows as Arrow batches of a Spark schema; columns that a row lacks are null."""
    arrow_schema = to_arrow_schema(schema)
    held: list[Row] = []
    size = 0
    for row in rows:
        held.append(row)
        size += sum(len(v) for v in row.values() if isinstance(v, str))
        if len(held) >= BATCH_ROWS or size >= BATCH_CHARACTERS:
            yield pa.RecordBatch.from_pylist(held, schema=arrow_schema)
            held, size = [], 0
    if held:
        yield pa.RecordBatch.from_pylist(held, schema=arrow_schema)


def rebatch(batches: Batches, n_rows: int) -> Batches:
    """The same rows in batches of ``n_rows``; the last one is shorter."""
    held: list[pa.RecordBatch] = []
    missing = n_rows
    for batch in batches:
        start = 0
        while start < batch.num_rows:
            held.append(batch.slice(start, missing))
            start += held[-1].num_rows
            missing -= held[-1].num_rows
            if not missing:
                yield from _joined(held)
                held, missing = [], n_rows
    yield from _joined(held)


def _joined(batches: list[pa.RecordBatch]) -> list[pa.RecordBatch]:
    if len(batches) < 2:
        return batches
    return list(pa.Table.from_batches(batches).combine_chunks().to_batches())
