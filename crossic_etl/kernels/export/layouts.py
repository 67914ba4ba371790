"""Windows as the bytes of an export's files, in three layouts, without pickle in any.

Each takes all windows of one file and gives ``{suffix: bytes}``, the same bytes for the same
windows however they were batched. The reader's side is ``crossic_etl.training.shards``.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

WINDOW_SCHEMA = pa.schema(
    [
        pa.field("input_ids", pa.list_(pa.field("element", pa.int32(), False)), False),
        pa.field("sample_starts", pa.list_(pa.field("element", pa.int32(), False)), False),
        pa.field("sample_ids", pa.list_(pa.field("element", pa.string(), False)), False),
        pa.field("sample_langs", pa.list_(pa.field("element", pa.string(), False)), False),
        pa.field("n_repeated", pa.int32(), False),
    ]
)
# A row group is what reading one window in random order costs: 128 KiB of ids (`bench.loader`).
# Twice as large, it takes 1.6 times longer, and files are no smaller. Half as large, it takes as
# much longer where there are more files than stay open: footers, which are read anew, grow.
GROUP_TOKENS = 2**15
GROUP_ROWS = 512

# llm-foundry reads a column ``tokens``. In the order that the format demands, by name.
MDS_COLUMNS = {
    "n_repeated": "int32",
    "sample_ids": "json",
    "sample_langs": "json",
    "sample_starts": "ndarray:int32",
    "tokens": "ndarray:int32",
}
_MDS_SIZES = [4, None, None, None, None]

INDEX_TYPE = np.dtype([("token", "<i8"), ("sample", "<i8"), ("n_repeated", "<i8")])


class Layout(NamedTuple):
    """How the windows of an export are written.

    ``length`` is the longest window in tokens, ``token_type`` what ``flat`` holds ids as: the
    smaller of uint16 and int32 that the vocabulary fits.
    """

    name: str
    length: int
    token_type: str = "int32"


def token_type(vocabulary_size: int) -> str:
    """The smallest type for ids below ``vocabulary_size``. Never int16: it ends at 32,767."""
    return "uint16" if vocabulary_size <= 2**16 else "int32"


def encode(windows: pa.Table, layout: Layout) -> dict[str, bytes]:
    """Suffix to bytes of the files that hold ``windows``, a table of `WINDOW_SCHEMA`, not empty."""
    return ENCODERS[layout.name](windows.combine_chunks(), layout)


def encode_parquet(windows: pa.Table, layout: Layout) -> dict[str, bytes]:
    """One Parquet file, in row groups small enough for random access."""
    rows = min(max(GROUP_TOKENS // layout.length, 1), GROUP_ROWS)
    return {".parquet": parquet_bytes(windows, rows)}


def parquet_bytes(table: pa.Table, rows: int) -> bytes:
    """A Parquet file with row groups of so many rows."""
    out = pa.BufferOutputStream()
    # Ids of 150,000 kinds only seem to gain by a dictionary; the few languages do.
    texts = [f.name for f in table.schema if f.type == pa.string()]
    few = ["sample_langs.list.element", *texts]
    pq.write_table(
        table.combine_chunks(), out, row_group_size=rows, compression="zstd", use_dictionary=few
    )
    data: bytes = out.getvalue().to_pybytes()
    return data


def encode_mds(windows: pa.Table, layout: Layout) -> dict[str, bytes]:
    """One shard of MosaicML's streaming format, version 2.

    The number of samples, the offset of each and of the end (uint32, little-endian), the columns
    as JSON, then the samples: the sizes of the columns of variable size, then all values.
    """
    config = json.dumps(mds_columns() | {"size_limit": None}, sort_keys=True).encode()
    samples = [_mds_sample(window) for window in _rows(windows)]
    sizes = np.array([0, *map(len, samples)], np.int64)
    offsets = np.cumsum(sizes) + 4 + 4 * len(sizes) + len(config)
    if offsets[-1] >= 2**32:
        raise ValueError(f"a shard of {offsets[-1]} bytes, less than 4 GiB expected")
    head = np.uint32(len(samples)).tobytes() + offsets.astype("<u4").tobytes()
    return {".mds": b"".join([head, config, *samples])}


def mds_columns() -> dict[str, Any]:
    """What a shard, and its entry in ``index.json``, says of the columns."""
    return {
        "column_encodings": list(MDS_COLUMNS.values()),
        "column_names": list(MDS_COLUMNS),
        "column_sizes": _MDS_SIZES,
        "compression": None,
        "format": "mds",
        "hashes": ["sha256"],
        "version": 2,
    }


def mds_index(shards: Iterable[Mapping[str, Any]]) -> bytes:
    """``index.json`` of a split: ``basename``, ``bytes``, ``sha256``, ``windows`` of its shards."""
    entries = [
        mds_columns()
        | {
            "raw_data": {
                "basename": shard["basename"],
                "bytes": shard["bytes"],
                "hashes": {"sha256": shard["sha256"]},
            },
            "samples": shard["windows"],
            "size_limit": None,
            "zip_data": None,
        }
        for shard in shards
    ]
    return json.dumps({"shards": entries, "version": 2}, sort_keys=True).encode()


def _rows(windows: pa.Table) -> Iterable[tuple[Any, ...]]:
    """Ids, starts (arrays), sample ids, languages (lists) and n_repeated of each window."""
    ids, starts = (_slices(windows.column(name)) for name in ("input_ids", "sample_starts"))
    names, langs, repeated = (
        windows.column(name).to_pylist() for name in ("sample_ids", "sample_langs", "n_repeated")
    )
    return zip(ids, starts, names, langs, repeated, strict=True)


def _slices(column: pa.ChunkedArray) -> Iterable[npt.NDArray[np.int32]]:
    offsets, values = _parts(column)
    ids = values.to_numpy()
    return (ids[low:high] for low, high in pairwise(offsets))


def _parts(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.int64], pa.Array]:
    """Where each list of a column begins, and the end; and the values of all of them."""
    lists = column.chunk(0)  # may be a slice: ``values`` would be those of the whole
    offsets = lists.offsets.to_numpy().astype(np.int64)
    return offsets - offsets[0], lists.flatten()


def _mds_sample(window: tuple[Any, ...]) -> bytes:
    ids, starts, names, langs, repeated = window
    parts = [
        json.dumps(names).encode(), json.dumps(langs).encode(), _mds_array(starts), _mds_array(ids),
    ]  # fmt: skip
    sizes = np.array([len(part) for part in parts], "<u4").tobytes()
    return b"".join([sizes, np.int32(repeated).tobytes(), *parts])


def _mds_array(values: npt.NDArray[np.int32]) -> bytes:
    """Dimensions and, in two bits, the size of each, which follows; then the values."""
    width = 0 if len(values) < 2**8 else 1 if len(values) < 2**16 else 2
    shape = np.array([len(values)], f"<u{2**width}").tobytes()
    return bytes([1 << 2 | width]) + shape + values.astype("<i4", copy=False).tobytes()


def encode_flat(windows: pa.Table, layout: Layout) -> dict[str, bytes]:
    """The ids of all windows one after the other in ``.bin``, and two arrays for ``numpy.load``.

    ``.idx.npy`` has a row for each window and one for the end: where its tokens begin in ``.bin``,
    where its samples begin in ``.samples.npy``, and n_repeated. ``.samples.npy`` has a row for
    each sample of each window: start in the window, language, id.
    """
    (token_at, ids), (sample_at, starts), (_, names), (_, langs) = (
        _parts(windows.column(name)) for name in WINDOW_SCHEMA.names[:4]
    )
    index = np.zeros(len(windows) + 1, INDEX_TYPE)
    index["token"], index["sample"] = token_at, sample_at
    index["n_repeated"][:-1] = windows.column("n_repeated").to_numpy()
    texts = {"lang": langs.to_pylist(), "sample_id": names.to_pylist()}
    columns = {key: np.array([text.encode() for text in texts[key]]) for key in texts}
    kinds = [("start", "<i4"), *((key, column.dtype.str) for key, column in columns.items())]
    samples = np.empty(len(starts), np.dtype(kinds))
    for key, column in ({"start": starts.to_numpy()} | columns).items():
        samples[key] = column
    kind = np.dtype(layout.token_type).newbyteorder("<")
    tokens = ids.to_numpy().astype(kind, copy=False)
    return {".bin": tokens.tobytes(), ".idx.npy": _npy(index), ".samples.npy": _npy(samples)}


def _npy(array: npt.NDArray[Any]) -> bytes:
    out = io.BytesIO()
    np.save(out, array, allow_pickle=False)
    return out.getvalue()


ENCODERS: dict[str, Callable[[pa.Table, Layout], dict[str, bytes]]] = {
    "parquet": encode_parquet,
    "mds": encode_mds,
    "flat": encode_flat,
}
