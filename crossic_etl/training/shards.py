"""Opened files of an export: access to a window by its position, without reading the others."""

from __future__ import annotations

import json
import struct
from collections import OrderedDict
from collections.abc import Callable, Hashable
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from crossic_etl.export.manifest import ExportError, Manifest

Ids = npt.NDArray[np.int32]
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

# File name endings of shards; a split may have other files beside them.
SUFFIXES = {"parquet": ".parquet", "mds": ".mds", "flat": ".bin"}
# Row groups kept decoded, about 128 KiB each: reading in order decodes each once.
DECODED_GROUPS = 4


class TokenWindow(NamedTuple):
    """A training window without padding; its arrays may be read-only views of a file.

    ``sample_starts[i]`` is the offset in ``input_ids`` at which the sample in the language
    ``sample_langs[i]`` begins; the first is 0. The first ``n_repeated`` tokens are in another
    window too.
    """

    input_ids: Ids
    sample_starts: Ids
    sample_langs: list[str]
    n_repeated: int


class Shard(Protocol):
    """The windows of one file."""

    def __len__(self) -> int: ...

    def window(self, at: int) -> TokenWindow:
        """The window at a position from 0."""


class Recent(Generic[K, V]):
    """A cache of the most recently used values, at most ``capacity`` of them."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._held: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K, make: Callable[[], V]) -> V:
        """The value of a key, made if it isn't cached."""
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key]
        value = self._held[key] = make()
        if len(self._held) > self._capacity:
            self._held.popitem(last=False)
        return value


def open_shard(path: Path, manifest: Manifest) -> Shard:
    """The windows of a file of an export.

    Raises:
        ExportError: it isn't a file of the manifest's layout, or is damaged.
    """
    try:
        return SHARDS[manifest.layout](path, manifest)
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        reason = " ".join(str(error).split())
        raise ExportError(
            f"{path}: damaged, can't be read as {manifest.layout} ({reason})"
        ) from None


class ParquetShard:
    """A Parquet file; reading a window decodes its row group, which is cached."""

    COLUMNS = ("input_ids", "sample_starts", "sample_langs", "n_repeated")

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self._path = path
        self._file = pq.ParquetFile(path, memory_map=True)
        meta = self._file.metadata
        sizes = [meta.row_group(i).num_rows for i in range(meta.num_row_groups)]
        self._stops = np.cumsum(sizes, dtype=np.int64)
        self._groups: Recent[int, _Group] = Recent(DECODED_GROUPS)

    def __len__(self) -> int:
        return int(self._stops[-1]) if len(self._stops) else 0

    def window(self, at: int) -> TokenWindow:
        """The window at a position from 0."""
        group = int(np.searchsorted(self._stops, at, side="right"))
        first = int(self._stops[group - 1]) if group else 0
        return self._groups.get(group, lambda: self._decode(group)).window(at - first)

    def _decode(self, group: int) -> _Group:
        try:
            table = self._file.read_row_group(group, self.COLUMNS, use_threads=False)
        except (OSError, ValueError, pa.ArrowException) as error:
            reason = " ".join(str(error).split())
            raise ExportError(f"{self._path}: row group {group} is damaged ({reason})") from None
        return _Group(table)


class _Group:
    """A decoded row group; its windows' arrays are views of its memory."""

    def __init__(self, table: pa.Table) -> None:
        ids, starts, langs, repeated = (
            table.column(name).combine_chunks() for name in ParquetShard.COLUMNS
        )
        self._ids, self._id_stops = ids.values.to_numpy(), ids.offsets.to_numpy()
        self._starts, self._start_stops = starts.values.to_numpy(), starts.offsets.to_numpy()
        self._langs, self._lang_stops = langs.values, langs.offsets.to_numpy()
        self._repeated = repeated.to_numpy()

    def window(self, at: int) -> TokenWindow:
        """The window at a position in the group."""
        low, high = self._lang_stops[at], self._lang_stops[at + 1]
        return TokenWindow(
            self._ids[self._id_stops[at] : self._id_stops[at + 1]],
            self._starts[self._start_stops[at] : self._start_stops[at + 1]],
            self._langs[low:high].to_pylist(),
            int(self._repeated[at]),
        )


_MDS_HEAD = struct.Struct("<4Ii")


class MdsShard:
    """A memory-mapped shard of MosaicML's streaming format; reads only a window's own bytes.

    The file has the number of windows, then the offset of each and of the end (uint32). A window
    has the sizes of sample_ids, sample_langs, sample_starts and tokens, then n_repeated, then those
    four values.
    """

    COLUMNS = ("n_repeated", "sample_ids", "sample_langs", "sample_starts", "tokens")

    def __init__(self, path: Path, manifest: Manifest) -> None:
        self._data = _mapped(path, np.dtype(np.uint8))
        n = int(self._data[:4].view("<u4")[0])
        self._offsets = self._data[4 : 4 * (n + 2)].view("<u4")
        config = json.loads(self._data[4 * (n + 2) : self._offsets[0]].tobytes())
        if tuple(config["column_names"]) != self.COLUMNS or self._offsets[-1] != len(self._data):
            raise ValueError("its columns or its size aren't an export's")

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def window(self, at: int) -> TokenWindow:
        """The window at a position from 0."""
        begin, end = self._offsets[at : at + 2].tolist()
        data = self._data[begin:end]
        *sizes, repeated = _MDS_HEAD.unpack(data[: _MDS_HEAD.size].tobytes())
        stops = list(accumulate(sizes, initial=_MDS_HEAD.size))
        _, langs, starts, ids = (data[low:high] for low, high in pairwise(stops))
        return TokenWindow(
            _mds_array(ids), _mds_array(starts), json.loads(langs.tobytes()), repeated
        )


def _mds_array(data: npt.NDArray[np.uint8]) -> Ids:
    """The values of an encoded array, without its head: a byte and the size of its dimension."""
    width = 1 << (int(data[0]) & 3)
    return data[1 + width :].view("<i4")


class FlatShard:
    """Concatenated ids in a memory-mapped ``.bin``, with two memory-mapped arrays beside it."""

    def __init__(self, path: Path, manifest: Manifest) -> None:
        kind = np.dtype(manifest.token_type).newbyteorder("<")
        self._ids = _mapped(path, kind)
        self._index = _load(path.with_suffix(".idx.npy"))
        self._samples = _load(path.with_suffix(".samples.npy"))
        if self._index["token"][-1] != len(self._ids):
            raise ValueError("its index is of another file")
        if self._index["sample"][-1] != len(self._samples):
            raise ValueError("its index and its samples don't belong together")

    def __len__(self) -> int:
        return len(self._index) - 1

    def window(self, at: int) -> TokenWindow:
        """The window at a position from 0."""
        (first, first_sample, repeated), (end, end_sample, _) = self._index[at : at + 2].tolist()
        samples = self._samples[first_sample:end_sample]
        return TokenWindow(
            self._ids[first:end].astype(np.int32, copy=False),
            samples["start"],
            [lang.decode() for lang in samples["lang"].tolist()],
            repeated,
        )


def _load(path: Path) -> npt.NDArray[Any]:
    array: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    return array.view(np.ndarray)


def _mapped(path: Path, kind: np.dtype[Any]) -> npt.NDArray[Any]:
    """A memory-mapped file as a plain ndarray, since slicing a memmap is slower."""
    return np.memmap(path, kind, "r").view(np.ndarray)


SHARDS: dict[str, Callable[[Path, Manifest], Shard]] = {
    "parquet": ParquetShard,
    "mds": MdsShard,
    "flat": FlatShard,
}
