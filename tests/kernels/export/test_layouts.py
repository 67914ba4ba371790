"""The bytes of each layout, and that the reader finds in them what went in."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crossic_etl.export.manifest import ExportError, Manifest
from crossic_etl.kernels.export.layouts import (
    ENCODERS,
    WINDOW_SCHEMA,
    Layout,
    encode,
    mds_index,
    token_type,
)
from crossic_etl.training.shards import SUFFIXES, Shard, open_shard

Row = dict[str, Any]


def row(ids: list[int], langs: list[str], repeated: int = 0) -> Row:
    """A window whose samples begin at its first tokens."""
    return {
        "input_ids": ids,
        "sample_starts": list(range(len(langs))),
        "sample_ids": [f"s{i}" for i in range(len(langs))],
        "sample_langs": langs,
        "n_repeated": repeated,
    }


ROWS = [row([5, 6, 151664], ["ar", "th"]), row([7], ["zh-min-nan"], 1), row([1] * 300, ["ja"], 3)]


def table(rows: list[Row]) -> pa.Table:
    return pa.Table.from_pylist(rows, WINDOW_SCHEMA)


def manifest(layout: Layout) -> Manifest:
    """As far as the files of a layout need one."""
    made = object.__new__(Manifest)
    object.__setattr__(made, "layout", layout.name)
    object.__setattr__(made, "token_type", layout.token_type)
    return made


def opened(windows: pa.Table, layout: Layout, folder: Path) -> Shard:
    for suffix, data in encode(windows, layout).items():
        (folder / f"00000{suffix}").write_bytes(data)
    return open_shard(folder / f"00000{SUFFIXES[layout.name]}", manifest(layout))


def read(shard: Shard) -> list[list[Any]]:
    windows = [shard.window(i) for i in reversed(range(len(shard)))][::-1]
    return [[w.input_ids.tolist(), w.sample_starts.tolist(), *w[2:]] for w in windows]


def stated(rows: list[Row]) -> list[list[Any]]:
    return [
        [r[c] for c in ("input_ids", "sample_starts", "sample_langs", "n_repeated")] for r in rows
    ]


WINDOW = st.tuples(
    st.lists(st.integers(0, 151664), min_size=1, max_size=600),
    st.lists(st.sampled_from(["ar", "ja", "th", "zh-min-nan"]), min_size=1, max_size=4),
    st.integers(0, 5),
)


@pytest.mark.parametrize("name", ENCODERS)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(windows=st.lists(WINDOW, min_size=1, max_size=40))
def test_what_was_written_is_read(name: str, windows: list[Any], tmp_path: Path) -> None:
    rows = [row(*window) for window in windows]
    shard = opened(table(rows), Layout(name, 2**14), tmp_path)
    assert len(shard) == len(rows)
    assert read(shard) == stated(rows)


@pytest.mark.parametrize("name", ENCODERS)
def test_bytes_do_not_depend_on_how_rows_were_batched(name: str) -> None:
    whole = table(ROWS)
    cut = pa.concat_tables([table([ROWS[2]] * 2 + ROWS).slice(2, 1), table(ROWS[1:])])
    assert cut.column("input_ids").num_chunks == 2
    assert encode(cut, Layout(name, 512)) == encode(whole, Layout(name, 512))


@pytest.mark.parametrize("name", ENCODERS)
def test_a_slice_of_a_longer_table_is_only_the_slice(name: str, tmp_path: Path) -> None:
    shard = opened(table([ROWS[2], *ROWS, ROWS[2]]).slice(1, 3), Layout(name, 512), tmp_path)
    assert read(shard) == stated(ROWS)


def test_parquet_is_cut_to_row_groups_that_are_quickly_decoded() -> None:
    windows = table([row([1], ["th"])] * 1100)

    def groups(length: int) -> list[int]:
        data = encode(windows, Layout("parquet", length))[".parquet"]
        meta = pq.ParquetFile(io.BytesIO(data)).metadata
        return [meta.row_group(i).num_rows for i in range(meta.num_row_groups)]

    assert groups(64) == [512, 512, 76]
    assert groups(512)[:2] == [64, 64]
    assert groups(4096)[:2] == [8, 8]
    assert groups(10**6)[:2] == [1, 1]


def test_a_mds_shard_has_the_bytes_of_its_own_library() -> None:
    # The hash is that of the file that MDSWriter of mosaicml-streaming 0.13.0 wrote of these rows.
    rows = [
        row([5, 6, 7], ["ar", "th"]) | {"sample_starts": [0, 2], "sample_ids": ["a", "bé"]},
        row(list(range(150000, 150400)), ["th"], 1) | {"sample_ids": ["b"]},
        row(list(range(70000)), ["ja"], 3) | {"sample_ids": ["c"]},
    ]
    data = encode(table(rows), Layout("mds", 2**17))[".mds"]
    assert hashlib.sha256(data).hexdigest() == (
        "1cae9b9d5494da21ab8b482ce84c03d97a13cdb700255aff6d68dc2f6ca9b627"
    )


def test_streaming_reads_a_mds_export(tmp_path: Path) -> None:
    streaming = pytest.importorskip("streaming")
    data = encode(table(ROWS), Layout("mds", 512))[".mds"]
    (tmp_path / "00000.mds").write_bytes(data)
    shard = {
        "basename": "00000.mds", "bytes": len(data), "windows": 3,
        "sha256": hashlib.sha256(data).hexdigest(),
    }  # fmt: skip
    (tmp_path / "index.json").write_bytes(mds_index([shard]))
    dataset = streaming.LocalDataset(str(tmp_path))
    assert [sample["tokens"].tolist() for sample in dataset] == [r["input_ids"] for r in ROWS]
    assert [sample["sample_langs"] for sample in dataset] == [r["sample_langs"] for r in ROWS]


def test_the_index_of_mds_names_each_shard() -> None:
    shards = [{"basename": f"{i}.mds", "bytes": i, "sha256": "ab", "windows": 7} for i in (1, 2)]
    index = json.loads(mds_index(shards))
    assert [s["raw_data"]["basename"] for s in index["shards"]] == ["1.mds", "2.mds"]
    assert {s["samples"] for s in index["shards"]} == {7}
    assert "pkl" not in str(index)


def test_ids_have_the_smallest_type_that_holds_the_vocabulary() -> None:
    assert [token_type(n) for n in (32_000, 65_536, 65_537, 151_665)] == [
        "uint16",
        "uint16",
        "int32",
        "int32",
    ]


def test_flat_is_one_array_of_ids_and_an_index_without_pickle(tmp_path: Path) -> None:
    opened(table(ROWS), Layout("flat", 512), tmp_path)
    ids = np.fromfile(tmp_path / "00000.bin", "<i4")
    index = np.load(tmp_path / "00000.idx.npy", allow_pickle=False)
    samples = np.load(tmp_path / "00000.samples.npy", allow_pickle=False)
    assert index["token"].tolist() == [0, 3, 4, 304]
    assert ids[3:4].tolist() == [7]
    assert samples["lang"].tolist() == [b"ar", b"th", b"zh-min-nan", b"ja"]


def test_flat_of_a_small_vocabulary_has_two_bytes_for_each_id(tmp_path: Path) -> None:
    rows = [row([0, 40_000, 65_535], ["th"])]
    shard = opened(table(rows), Layout("flat", 512, "uint16"), tmp_path)
    assert (tmp_path / "00000.bin").stat().st_size == 6
    assert shard.window(0).input_ids.tolist() == [0, 40_000, 65_535]
    assert shard.window(0).input_ids.dtype == np.int32


@pytest.mark.parametrize("name", ENCODERS)
def test_a_damaged_file_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    opened(table(ROWS), Layout(name, 512), tmp_path)
    path = tmp_path / f"00000{SUFFIXES[name]}"
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(ExportError, match="damaged") as error:
        open_shard(path, manifest(Layout(name, 512)))
    assert "\n" not in str(error.value)
