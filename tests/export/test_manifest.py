"""The manifest's text, on literal values: written, read again, refused where it is wrong."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from crossic_etl.export.manifest import (
    ExportFile,
    Manifest,
    ManifestError,
    Split,
    TokenizerInfo,
    WindowInfo,
    check_files,
    parse_manifest,
    read_manifest,
    to_json,
)

SHARD = ExportFile("train/00000.parquet", 2, 9, 3, hashlib.sha256(b"abc").hexdigest())
SOURCES = ExportFile("attribution.parquet/00000.parquet", 0, 0, 1, "00")
MANIFEST = Manifest(
    layout="parquet",
    arrangement="en-first",
    languages=("ja", "th"),
    tokenizer=TokenizerInfo("qwen2.5", 151666, "[SPLIT]", (151665,), is_new_token=True),
    window=WindowInfo(64, "sliding"),
    seed=13,
    splits={
        "train": Split(2, 9, 7, 2, 3, (SHARD,)),
        "validation": Split(0, 0, 0, 0, 0, ()),
    },
    licences={"CC-BY-SA-4.0": 3},
    token_sum={"train": 900, "validation": 0},
    tables={"samples": 3, "windows": 7},
    config_hash="0123456789abcdef",
    code_version="1.0",
    created="2026-01-31T00:00:00+00:00",
    attribution=(SOURCES,),
)


def changed(**values: Any) -> str:
    """The manifest's text with other values; None takes a key away."""
    tree = json.loads(to_json(MANIFEST)) | values
    return json.dumps({key: value for key, value in tree.items() if value is not None})


def test_a_manifest_is_read_as_it_was_written() -> None:
    assert parse_manifest(to_json(MANIFEST)) == MANIFEST


def test_its_text_begins_with_format_and_version() -> None:
    assert to_json(MANIFEST).startswith('{\n "format": "crossic-etl export",\n "schema_version": 1')
    assert to_json(MANIFEST).endswith("}\n")


def test_names_of_other_scripts_are_written_as_they_are() -> None:
    tokenizer = replace(MANIFEST.tokenizer, split_token="แยก")
    text = to_json(replace(MANIFEST, tokenizer=tokenizer))
    assert "แยก" in text
    assert parse_manifest(text).tokenizer.split_token == "แยก"


def test_keys_that_a_reader_does_not_know_are_ignored() -> None:
    assert parse_manifest(changed(later="more")) == MANIFEST


def test_keys_with_a_default_may_be_missing() -> None:
    assert parse_manifest(changed(attribution=None, token_type=None)) == replace(
        MANIFEST, attribution=()
    )


def test_the_files_are_those_of_all_splits_and_the_attribution() -> None:
    assert list(MANIFEST.files) == [SHARD, SOURCES]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "here: no JSON"),
        ("[]", "here: not the manifest of a crossic-etl export"),
        (changed(format="of a web app"), "here: not the manifest of a crossic-etl export"),
        (changed(schema_version=2), "here: schema version 2, 1 expected"),
        (changed(seed=None), "here: seed is missing"),
        (changed(seed="13"), "here: seed: '13' given, expected int"),
        (changed(languages="th"), "here: languages: 'th' given, expected"),
        (changed(languages=["th", 7]), r"here: languages\[1\]: '7' given, expected str"),
        (changed(window={"length": 64}), "here: window: policy is missing"),
        (changed(token_budget=1.5), "here: token_budget: '1.5' given, expected"),
        (changed(layout="csv"), "here: layout 'csv', one of"),
        (changed(token_type="object"), "here: token_type 'object', one of"),
        (changed(attribution=[SOURCES.__dict__ | {"path": "../x"}]), "'../x' is outside"),
        (changed(attribution=[SOURCES.__dict__ | {"path": "/etc/x"}]), "'/etc/x' is outside"),
    ],
)
def test_what_is_no_manifest_is_refused_with_its_key(text: str, says: str) -> None:
    with pytest.raises(ManifestError, match=says) as error:
        parse_manifest(text, "here")
    assert "\n" not in str(error.value)


def test_a_manifest_that_can_not_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"no export, no manifest\.json"):
        read_manifest(tmp_path)
    (tmp_path / "manifest.json").write_bytes(b"\xff")
    with pytest.raises(ManifestError, match=r"manifest\.json: not UTF-8"):
        read_manifest(tmp_path)
    (tmp_path / "manifest.json").write_text(to_json(MANIFEST), encoding="utf-8")
    assert read_manifest(tmp_path) == MANIFEST


def test_files_are_held_against_size_and_checksum(tmp_path: Path) -> None:
    path = tmp_path / SHARD.path
    with pytest.raises(ManifestError, match=r"00000\.parquet: missing"):
        check_files(tmp_path, [SHARD])
    path.parent.mkdir()
    path.write_bytes(b"abcd")
    with pytest.raises(ManifestError, match=r"00000\.parquet: 4 bytes, 3 in the manifest"):
        check_files(tmp_path, [SHARD])
    path.write_bytes(b"abd")
    with pytest.raises(ManifestError, match=r"00000\.parquet: its SHA-256 isn't the manifest's"):
        check_files(tmp_path, [SHARD])
    check_files(tmp_path, [SHARD], checksums=False)
    path.write_bytes(b"abc")
    check_files(tmp_path, [SHARD])


@pytest.mark.parametrize("room", ["training", "submit", "download"])
def test_rooms_that_read_no_tables_import_no_spark(room: str) -> None:
    script = (
        "import importlib, pathlib, sys\n"
        f"folder = pathlib.Path(importlib.import_module('crossic_etl.{room}').__path__[0])\n"
        "for path in sorted(folder.glob('[!_]*.py')):\n"
        f"    importlib.import_module(f'crossic_etl.{room}.{{path.stem}}')\n"
        "print(*(name for name in sys.modules if name.partition('.')[0] == 'pyspark'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
