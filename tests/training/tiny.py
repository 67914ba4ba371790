"""A tiny model and tiny exports that it can learn in seconds."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from crossic_etl.training.manifest import (
    ExportFile,
    Manifest,
    Split,
    TokenizerInfo,
    WindowInfo,
    to_json,
)
from crossic_etl.training.shards import Window

VOCABULARY = 64
SPLIT = VOCABULARY - 1
LENGTH = 32
LANGUAGES = ("ar", "th")
TOKENIZER = TokenizerInfo("tiny", VOCABULARY, "<|split|>", (SPLIT,), is_new_token=False)


def window(*samples: Sequence[int], langs: Sequence[str] = (), n_repeated: int = 0) -> Window:
    """The window of these samples, in Arabic where no languages are given."""
    starts = np.cumsum([0, *map(len, samples)])[:-1].astype(np.int32)
    ids = np.concatenate([np.array(sample, np.int32) for sample in samples])
    return Window(ids, starts, list(langs) or ["ar"] * len(samples), n_repeated)


def windows(n: int, seed: int) -> list[Window]:
    """Windows of two samples each: a random token counted up in Arabic, counted down in Thai."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(n):
        size, at = int(rng.integers(6, LENGTH // 2)), int(rng.integers(VOCABULARY))
        up = [*((at + np.arange(size)) % SPLIT), SPLIT]
        down = [*((at - np.arange(size)) % SPLIT), SPLIT]
        found.append(window(up, down, langs=LANGUAGES))
    return found


def write_export(
    folder: Path,
    train: Sequence[Window],
    validation: Sequence[Window],
    arrangement: str = "en-first",
    tokenizer: TokenizerInfo = TOKENIZER,
) -> Path:
    """Writes an export in Parquet with these windows."""
    splits = {}
    for name, part in (("train", train), ("validation", validation)):
        path = folder / name / "00000.parquet"
        path.parent.mkdir(parents=True)
        table = pa.table(
            {
                "input_ids": pa.array([w.input_ids for w in part], pa.list_(pa.int32())),
                "sample_starts": pa.array([w.sample_starts for w in part], pa.list_(pa.int32())),
                "sample_langs": pa.array([w.sample_langs for w in part], pa.list_(pa.string())),
                "n_repeated": pa.array([w.n_repeated for w in part], pa.int32()),
            }
        )
        pq.write_table(table, path)
        tokens, repeated = sum(len(w.input_ids) for w in part), sum(w.n_repeated for w in part)
        file = ExportFile(
            f"{name}/00000.parquet", len(part), tokens, path.stat().st_size,
            hashlib.sha256(path.read_bytes()).hexdigest(),
        )  # fmt: skip
        samples = sum(len(w.sample_starts) for w in part)
        splits[name] = Split(len(part), tokens, tokens - repeated, repeated, samples, (file,))
    sums = {"train": train, "validation": validation}
    manifest = Manifest(
        layout="parquet", arrangement=arrangement, languages=LANGUAGES, tokenizer=tokenizer,
        window=WindowInfo(LENGTH, "sliding"), seed=0, splits=splits, licences={},
        token_sum={k: sum(int(w.input_ids.sum()) for w in part) for k, part in sums.items()},
        tables={}, config_hash="", code_version="", created="2026-01-01T00:00:00+00:00",
    )  # fmt: skip
    (folder / "manifest.json").write_text(to_json(manifest), encoding="utf-8")
    return folder


def write_model(folder: Path, *, tied: bool = True, weights: bool = False, **changes: int) -> Path:
    """Writes a Qwen2 of 20,000 parameters: its architecture, and random weights if asked for."""
    import torch
    from transformers import AutoModelForCausalLM, Qwen2Config

    settings = {
        "vocab_size": VOCABULARY, "hidden_size": 32, "intermediate_size": 64,
        "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
        "max_position_embeddings": 64,
    }  # fmt: skip
    architecture = Qwen2Config(**settings | changes, tie_word_embeddings=tied)
    if weights:
        torch.manual_seed(0)
        AutoModelForCausalLM.from_config(architecture).save_pretrained(folder)
    else:
        architecture.save_pretrained(folder)
    return folder


def write_config(path: Path, model: Path, export: Path, output: Path, **changes: object) -> Path:
    """Writes a training configuration: 40 steps of 8 windows on the CPU, checkpoints every 10."""
    tree: dict[str, object] = {
        "model": {"name": str(model), "random_init": not (model / "model.safetensors").exists()},
        "exports": [str(export)], "output": str(output), "method": "full",
        "precision": "float32", "device": "cpu", "log_every": 1, "lora": {"rank": 4, "alpha": 8},
        "batch": {"windows": 8, "per_device": 4},
        "optimizer": {"learning_rate": 0.01}, "validation": {"every": 10},
    }  # fmt: skip
    path.write_text(yaml.safe_dump(tree | changes), encoding="utf-8")
    return path
