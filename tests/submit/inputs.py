"""A small export, a model's configuration and a training YAML, as files."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import yaml

from crossic_etl.export.manifest import (
    ExportFile,
    Manifest,
    Split,
    TokenizerInfo,
    WindowInfo,
    to_json,
)

QWEN = TokenizerInfo("qwen2.5", 151_665, "<|quad_end|>", (151_651,), False)


def manifest(tokenizer: TokenizerInfo = QWEN, length: int = 64, n_windows: int = 3) -> Manifest:
    content = b"windows"
    file = ExportFile(
        "train/00000.parquet", n_windows, 100, len(content), hashlib.sha256(content).hexdigest()
    )
    return Manifest(
        layout="parquet", arrangement="en-first", languages=("ar", "th"), tokenizer=tokenizer,
        window=WindowInfo(length, "sliding"), seed=0,
        splits={"train": Split(n_windows, 100, 90, 10, 5, (file,))},
        licences={"CC-BY-SA-4.0": 5}, token_sum={"train": 1}, tables={"windows": 0},
        config_hash="0" * 16, code_version="0", created="2026-01-01T00:00:00+00:00",
    )  # fmt: skip


def write_export(folder: Path, given: Manifest | None = None) -> str:
    """An export's manifest and a file of the size that it says."""
    (folder / "train").mkdir(parents=True)
    (folder / "train" / "00000.parquet").write_bytes(b"windows")
    (folder / "manifest.json").write_text(to_json(given or manifest()), encoding="utf-8")
    return str(folder)


def write_model(folder: Path, **changed: Any) -> str:
    """What a checkpoint of Qwen2 says of itself, without weights."""
    folder.mkdir()
    config = {"model_type": "qwen2", "max_position_embeddings": 128, "vocab_size": 151_936}
    (folder / "config.json").write_text(json.dumps(config | changed), encoding="utf-8")
    return str(folder)


def write_yaml(path: Path, tree: dict[str, Any]) -> str:
    path.write_text(yaml.safe_dump(tree, allow_unicode=True), encoding="utf-8")
    return str(path)


def with_tokenizer(**changed: Any) -> Manifest:
    return manifest(dataclasses.replace(QWEN, **changed))
