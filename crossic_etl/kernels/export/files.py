"""Sorted rows of an export to files, on a worker; each file is written whole and once."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from crossic_etl.kernels.export.filesystems import open_filesystem, write_file
from crossic_etl.kernels.export.layouts import WINDOW_SCHEMA, Layout, encode, parquet_bytes

Row = dict[str, Any]

ATTRIBUTION = "attribution.parquet"
ATTRIBUTION_GROUP = 50_000


def write_windows(batches: Iterable[pa.RecordBatch], folder: str, layout: Layout) -> Iterator[Row]:
    """Writes the windows of each (split, file) and gives a row for each file.

    Rows come sorted by split and file. A (split, file) may give several files, by the layout: the
    row of the first has the counts of its windows, the rows of the others zeros.
    """
    for (split, number), rows in grouped(batches, ("split", "file")):
        windows = rows.select(WINDOW_SCHEMA.names).cast(WINDOW_SCHEMA)
        counts = count(windows)
        for suffix, data in encode(windows, layout).items():
            yield written(folder, split, f"{split}/{number:05}{suffix}", data) | counts
            counts = dict.fromkeys(counts, 0)


def write_attribution(
    batches: Iterable[pa.RecordBatch], folder: str, schema: pa.Schema
) -> Iterator[Row]:
    """Writes the rows of each file as Parquet with these columns and gives a row for each file."""
    for (number,), rows in grouped(batches, ("file",)):
        data = parquet_bytes(rows.select(schema.names).cast(schema), ATTRIBUTION_GROUP)
        row = written(folder, "", f"{ATTRIBUTION}/{number:05}.parquet", data)
        yield row | dict.fromkeys(COUNTS, 0) | {"windows": len(rows)}


COUNTS = ("windows", "tokens", "repeated_tokens", "token_sum", "lowest_id", "highest_id")


def count(windows: pa.Table) -> dict[str, int]:
    """The counts of a file's windows."""
    ids = pc.list_flatten(windows.column("input_ids"))
    extremes = pc.min_max(ids).as_py()
    values = (
        len(windows),
        len(ids),
        pc.sum(windows.column("n_repeated")).as_py(),
        pc.sum(ids).as_py(),  # of int32 to int64
        extremes["min"],
        extremes["max"],
    )
    return dict(zip(COUNTS, values, strict=True))


def written(folder: str, split: str, path: str, data: bytes) -> Row:
    """Writes ``data`` under a unique temporary name and gives the row that names both paths.

    So no attempt of a task touches the file of another attempt. The driver moves the files whose
    rows it gets to their ``path``.
    """
    filesystem, root = open_filesystem(folder)
    part = uuid.uuid4().hex
    filesystem.create_dir(root, recursive=True)
    write_file(filesystem, f"{root}/{part}", data)
    digest = hashlib.sha256(data).hexdigest()
    return {"split": split, "path": path, "part": part, "bytes": len(data), "sha256": digest}


def grouped(
    batches: Iterable[pa.RecordBatch], names: tuple[str, ...]
) -> Iterator[tuple[tuple[Any, ...], pa.Table]]:
    """The rows of each run of equal values of ``names``, one run in memory at a time."""
    held: list[pa.RecordBatch] = []
    key: tuple[Any, ...] = ()
    for batch in batches:
        for low, high in _runs(batch, names):
            here = tuple(batch.column(name)[low].as_py() for name in names)
            if held and here != key:
                yield key, pa.Table.from_batches(held)
                held = []
            key = here
            held.append(batch.slice(low, high - low))
    if held:
        yield key, pa.Table.from_batches(held)


def _runs(batch: pa.RecordBatch, names: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    changes = np.zeros(max(batch.num_rows - 1, 0), np.bool_)
    for name in names:
        column = batch.column(name)
        changes |= pc.not_equal(column[1:], column[:-1]).to_numpy(zero_copy_only=False)
    edges = [0, *(np.flatnonzero(changes) + 1).tolist(), batch.num_rows]
    return ((low, high) for low, high in pairwise(edges) if high > low)
