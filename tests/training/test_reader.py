"""Reading exports that are written here by hand, whole and damaged."""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crossic_etl.export.manifest import (
    ExportFile,
    Manifest,
    ManifestError,
    Split,
    TokenizerInfo,
    WindowInfo,
    parse_manifest,
    read_manifest,
    to_json,
)
from crossic_etl.training.reader import open_export

ROWS = [
    {
        "input_ids": [5, 6, 7],
        "sample_starts": [0, 2],
        "sample_langs": ["ar", "th"],
        "n_repeated": 0,
    },
    {"input_ids": [7, 151664], "sample_starts": [0], "sample_langs": ["th"], "n_repeated": 1},
    {"input_ids": [1], "sample_starts": [0], "sample_langs": ["ja"], "n_repeated": 0},
]
SCHEMA = pa.schema(
    {
        "input_ids": pa.list_(pa.int32()),
        "sample_starts": pa.list_(pa.int32()),
        "sample_langs": pa.list_(pa.string()),
        "n_repeated": pa.int32(),
    }
)


def write(folder: Path, name: str, rows: list[dict[str, object]]) -> ExportFile:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), path, row_group_size=1)
    tokens = sum(len(row["input_ids"]) for row in rows)  # type: ignore[arg-type]
    data = path.read_bytes()
    return ExportFile(name, len(rows), tokens, len(data), hashlib.sha256(data).hexdigest())


@pytest.fixture
def export(tmp_path: Path) -> Path:
    files = (
        write(tmp_path, "train/00000.parquet", ROWS[:2]),
        write(tmp_path, "train/00001.parquet", ROWS[2:]),
    )
    manifest = Manifest(
        "parquet", "en-first", ("ar", "ja", "th"),
        TokenizerInfo("qwen2.5", 151665, "<|quad_end|>", (151651,), False),
        WindowInfo(3, "sliding"), 0,
        {"train": Split(3, 6, 5, 1, 3, files), "validation": Split(0, 0, 0, 0, 0, ())},
        {"CC-BY-SA-4.0": 3}, {"train": 5 + 6 + 7 + 7 + 151664 + 1, "validation": 0},
        {"windows": 3, "samples": 2}, "0123", "0.1.0", "2026-01-01T00:00:00+00:00",
    )  # fmt: skip
    (tmp_path / "manifest.json").write_text(to_json(manifest))
    return tmp_path


def test_each_window_is_read_by_its_position(export: Path) -> None:
    windows = open_export(export, "train")
    assert len(windows) == 3
    for i in (2, 0, 1, -1):
        window = windows[i]
        assert window.input_ids.dtype == window.sample_starts.dtype == "int32"
        read = [window.input_ids.tolist(), window.sample_starts.tolist(), *window[2:]]
        assert read == list(ROWS[i].values())


def test_a_split_without_windows_is_empty(export: Path) -> None:
    assert list(open_export(export, "validation")) == []


def test_positions_outside_are_refused(export: Path) -> None:
    windows = open_export(export, "train")
    for i in (3, -4):
        with pytest.raises(IndexError, match=f"window {i} of 3"):
            windows[i]


def test_windows_go_to_another_process(export: Path) -> None:
    windows = open_export(export, "train")
    windows[0]
    copy = pickle.loads(pickle.dumps(windows))
    assert copy[1].input_ids.tolist() == ROWS[1]["input_ids"]


def test_a_manifest_is_read_as_it_was_written(export: Path) -> None:
    text = (export / "manifest.json").read_text()
    manifest = parse_manifest(text)
    assert to_json(manifest) == text
    assert manifest.tokenizer.split_ids == (151651,)
    assert manifest.splits["train"].files[1].path == "train/00001.parquet"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('"schema_version": 1', '"schema_version": 2', "schema version 2, 1 expected"),
        ("crossic-etl export", "something", "not the manifest"),
        ('"layout": "parquet"', '"layout": "orc"', "layout 'orc'"),
        ('"seed": 0,', "", "seed is missing"),
        ('"seed": 0', '"seed": "0"', "seed: '0' given, expected int"),
        ("train/00001", "../00001", "outside the export"),
        ("{", "[", "no JSON"),
    ],
)
def test_a_wrong_manifest_is_refused(export: Path, old: str, new: str, says: str) -> None:
    path = export / "manifest.json"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ManifestError, match=says) as error:
        read_manifest(export)
    assert "\n" not in str(error.value)


def test_keys_of_a_later_release_are_ignored(export: Path) -> None:
    manifest = read_manifest(export)
    later = to_json(manifest).replace('"seed": 0', '"seed": 0, "colour": "blue"')
    assert parse_manifest(later) == replace(manifest)


def test_a_folder_without_manifest_is_no_export(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="no export"):
        open_export(tmp_path, "train")


def test_a_missing_file_is_refused(export: Path) -> None:
    (export / "train/00001.parquet").unlink()
    with pytest.raises(ManifestError, match=r"00001\.parquet: missing"):
        open_export(export, "train", verify=False)


def test_a_cut_file_is_refused(export: Path) -> None:
    path = export / "train/00001.parquet"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ManifestError, match=r"00001\.parquet: \d+ bytes, \d+ in the manifest"):
        open_export(export, "train", verify=False)


def test_a_changed_byte_is_refused(export: Path) -> None:
    path = export / "train/00001.parquet"
    data = bytearray(path.read_bytes())
    data[5] ^= 1
    path.write_bytes(data)
    with pytest.raises(ManifestError, match=r"00001\.parquet: its SHA-256"):
        open_export(export, "train")
