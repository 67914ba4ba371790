"""Sorted rows to files: one for each key, the same for any batches, each try in its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crossic_etl.kernels.export.files import grouped, write_attribution, write_windows
from crossic_etl.kernels.export.filesystems import open_filesystem
from crossic_etl.kernels.export.layouts import WINDOW_SCHEMA, Layout

SCHEMA = pa.schema([("split", pa.string()), ("file", pa.int32()), *WINDOW_SCHEMA])


def window(split: str, file: int, ids: list[int], repeated: int = 0) -> dict[str, Any]:
    return {
        "split": split, "file": file, "input_ids": ids, "sample_starts": [0],
        "sample_ids": ["s"], "sample_langs": ["th"], "n_repeated": repeated,
    }  # fmt: skip


ROWS = [
    window("train", 0, [1, 2, 3]),
    window("train", 0, [2, 9], 1),
    window("train", 2, [4]),
    window("validation", 0, [8, 8]),
]


def batches(*sizes: int) -> list[pa.RecordBatch]:
    table, start, made = pa.Table.from_pylist(ROWS, SCHEMA), 0, []
    for size in sizes:
        made += table.slice(start, size).combine_chunks().to_batches()
        start += size
    return made


def test_each_file_is_written_once_and_counted(tmp_path: Path) -> None:
    rows = list(write_windows(batches(4), str(tmp_path / "parts"), Layout("parquet", 8)))
    assert [(r["split"], r["path"], r["windows"], r["tokens"], r["token_sum"]) for r in rows] == [
        ("train", "train/00000.parquet", 2, 5, 17),
        ("train", "train/00002.parquet", 1, 1, 4),
        ("validation", "validation/00000.parquet", 1, 2, 16),
    ]
    assert (rows[0]["repeated_tokens"], rows[0]["lowest_id"], rows[0]["highest_id"]) == (1, 1, 9)
    for row in rows:
        assert (tmp_path / "parts" / row["part"]).stat().st_size == row["bytes"]


@pytest.mark.parametrize("sizes", [(1, 1, 1, 1), (3, 1), (1, 0, 3)])
def test_batches_change_no_byte(sizes: tuple[int, ...], tmp_path: Path) -> None:
    layout = Layout("parquet", 8)
    hashes = [
        [row["sha256"] for row in write_windows(cut, str(tmp_path), layout)]
        for cut in (batches(*sizes), batches(4))
    ]
    assert hashes[0] == hashes[1]
    assert len(set(hashes[0])) == 3


def test_a_second_try_leaves_the_files_of_the_first_alone(tmp_path: Path) -> None:
    first, second = (
        {row["part"] for row in write_windows(batches(4), str(tmp_path), Layout("mds", 8))}
        for _ in range(2)
    )
    assert not first & second
    assert first | second == {path.name for path in tmp_path.iterdir()}


def test_flat_counts_its_windows_once_though_it_has_three_files(tmp_path: Path) -> None:
    rows = list(write_windows(batches(4)[:1], str(tmp_path), Layout("flat", 8)))
    assert [row["windows"] for row in rows[:3]] == [2, 0, 0]
    assert sum(row["tokens"] for row in rows) == 8


def test_attribution_is_parquet_of_the_columns_asked_for(tmp_path: Path) -> None:
    given = pa.table({"sample_id": ["a", "b"], "url": ["u", None], "file": [0, 1]})
    schema = pa.schema([("sample_id", pa.string()), ("url", pa.string())])
    rows = list(write_attribution(given.to_batches(), str(tmp_path), schema))
    assert [row["path"] for row in rows] == [f"attribution.parquet/0000{i}.parquet" for i in (0, 1)]
    assert pq.read_table(tmp_path / rows[1]["part"]).to_pylist() == [
        {"sample_id": "b", "url": None}
    ]


def test_nothing_comes_of_nothing() -> None:
    assert list(grouped([], ("file",))) == []
    assert list(grouped(batches(0), ("file",))) == []


def test_places_are_folders_or_urls(tmp_path: Path) -> None:
    for where in (str(tmp_path), f"{tmp_path}/", f"file:{tmp_path}", f"file://{tmp_path}"):
        assert open_filesystem(where)[1] == str(tmp_path)
    assert (
        open_filesystem("s3a://bucket/a/?endpoint_override=localhost:9&scheme=http")[1]
        == "bucket/a"
    )


def test_an_unknown_scheme_is_refused_in_one_line() -> None:
    with pytest.raises(ValueError, match="nowhere://x: can't be opened") as error:
        open_filesystem("nowhere://x")
    assert "\n" not in str(error.value)
