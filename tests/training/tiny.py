"""A tiny model, tiny exports that it can learn in seconds, and what its runs leave."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from crossic_etl.export.manifest import (
    ExportFile,
    Manifest,
    Split,
    TokenizerInfo,
    WindowInfo,
    to_json,
)
from crossic_etl.training.outputs import FINAL, read_metrics
from crossic_etl.training.shards import TokenWindow

ROOT = Path(__file__).resolve().parents[2]
VOCABULARY = 64
SPLIT = VOCABULARY - 1
LENGTH = 32
LANGUAGES = ("ar", "th")
TOKENIZER = TokenizerInfo("tiny", VOCABULARY, "<|split|>", (SPLIT,), is_new_token=False)
LOGITS = """
import sys, numpy, torch
from crossic_etl.training.models import load_trained
with torch.no_grad():
    logits = load_trained(sys.argv[1])(input_ids=torch.tensor(eval(sys.argv[2]))).logits
numpy.save(sys.argv[3], logits.numpy())
"""


def window(*samples: Sequence[int], langs: Sequence[str] = (), n_repeated: int = 0) -> TokenWindow:
    """The window of these samples, in Arabic where no languages are given."""
    starts = np.cumsum([0, *map(len, samples)])[:-1].astype(np.int32)
    ids = np.concatenate([np.array(sample, np.int32) for sample in samples])
    return TokenWindow(ids, starts, list(langs) or ["ar"] * len(samples), n_repeated)


def windows(n: int, seed: int) -> list[TokenWindow]:
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
    train: Sequence[TokenWindow],
    validation: Sequence[TokenWindow],
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


def write_model(
    folder: Path, *, tied: bool = True, weights: bool = False, **changes: float
) -> Path:
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


def write_training(folder: Path, *, weights: bool = False, **changes: object) -> str:
    """The YAML of a run in a folder, on an export and a model that fit each other."""
    export = write_export(folder / "export", windows(16, seed=0), windows(4, seed=1))
    model = write_model(folder / "model", weights=weights)
    return str(write_config(folder / "training.yaml", model, export, folder / "output", **changes))


def python(*arguments: object) -> list[str]:
    """The command line of another Python."""
    return [sys.executable, *map(str, arguments)]


def environment() -> dict[str, str]:
    """Its variables: it finds the project, adds numbers in one order, and asks no hub."""
    return os.environ | {
        "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"
    }  # fmt: skip


@contextmanager
def one_thread() -> Iterator[None]:
    """Runs that are compared to the last bit add their numbers in one order."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def curve(output: Path) -> list[tuple[Any, ...]]:
    """All that the metrics say of losses, which come last."""
    return [
        tuple(line.get(key) for key in ("kind", "step", "set", "language", "tokens", "loss"))
        for line in read_metrics(output)
    ]


def losses(output: Path, kind: str, language: str | None = None) -> list[float]:
    """Those of training, or of a language's validation."""
    return [
        line["loss"]
        for line in read_metrics(output)
        if (line["kind"], line.get("language")) == (kind, language)
    ]


def adapter(output: Path) -> bytes:
    """The weights that a run leaves in the end."""
    return (output / FINAL / "adapter_model.safetensors").read_bytes()


def fresh_logits(output: Path, ids: list[list[int]], saved: Path) -> Any:
    """Logits of what a run leaves in the end, loaded by a new process, which saves them."""
    subprocess.run(python("-c", LOGITS, output / FINAL, ids, saved), env=environment(), check=True)
    return np.load(saved)


def best_logits(config_file: Path, ids: list[list[int]]) -> tuple[Any, Any]:
    """Logits of a run's model before training, and with the weights of its best checkpoint."""
    import torch

    from crossic_etl.config.training import load_training_config
    from crossic_etl.training.checkpoints import Checkpoints
    from crossic_etl.training.data import open_data
    from crossic_etl.training.models import base_dtype, load_base, prepare

    config = load_training_config(config_file)
    tokenizer = open_data(config).tokenizer
    base = load_base(config.model, tokenizer, base_dtype(config), config.seed)
    model, checkpoints = prepare(base, config, tokenizer).eval(), Checkpoints(config.output)
    with torch.no_grad():
        untrained = model(input_ids=torch.tensor(ids)).logits.numpy()
        checkpoints.load_best(checkpoints.newest(), model)  # type: ignore[arg-type]
        return untrained, model(input_ids=torch.tensor(ids)).logits.numpy()
