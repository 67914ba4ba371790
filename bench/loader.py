"""Tokens that training gets from an export in a second, beside bare reading of the same bytes.

    python -m bench.loader [--files N] [--length N] [shared data folder]

Windows are of real articles; a file is as large as job `export` makes them, and the export lists
one N times: more than 64 don't stay open. They are in the page cache for all. Read in order and
shuffled, a window is copied to a row of int64; batches are those windows by way of `Loaders`, that
is DataLoader and Collator, as a run has them, read in the training process. Seconds are processor
time of one core.

What a GPU takes is its FLOP/s over those of a token. An H100 does 989 TFLOP/s in bf16, 40 % of it
when training goes well; a token takes 6 FLOP for each parameter, 4 where LoRA spares most weights
their gradients. A small model of 0.5 B: 989e12 x 0.4 / (6 x 0.5e9) = 132,000 tokens/s, with LoRA
198,000; eight GPUs 1.1 and 1.6 million, but the process of each reads for itself. The larger the
model, the less. Where one core feeds m such GPUs, one of them waits 1 / (m + 1) of its time with
``workers: 0``.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
from collections.abc import Callable, Iterable, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from bench.packing import lone_articles, read_articles, read_pairs, samples_of, seconds
from bench.wikitext import shared_folder
from crossic_etl.config.training import Model, TrainingConfig
from crossic_etl.export.manifest import (
    MANIFEST,
    ExportFile,
    Manifest,
    Split,
    TokenizerInfo,
    WindowInfo,
    to_json,
)
from crossic_etl.export.plan import FILE_TOKENS
from crossic_etl.kernels.export.layouts import ENCODERS, WINDOW_SCHEMA, Layout, encode, token_type
from crossic_etl.kernels.samples.packing import pack
from crossic_etl.kernels.splits import TRAIN
from crossic_etl.kernels.tokens.tokenizers import load_tokenizer
from crossic_etl.training.batches import StepPlan
from crossic_etl.training.data import Data, Loaders
from crossic_etl.training.processes import Processes
from crossic_etl.training.reader import Windows, open_export

TIMED_TOKENS = 2**23
ROUNDS = 3
MODEL = 0.5e9
GPU_FLOPS = 989e12 * 0.4
TAKEN = {"full": GPU_FLOPS / (6 * MODEL), "LoRA": GPU_FLOPS / (4 * MODEL)}
ALONE = Processes(rank=0, local_rank=0, size=1, device=torch.device("cpu"))


def main(argv: Sequence[str] | None = None) -> None:
    """Prints a line for each layout and way of reading it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=shared_folder())
    parser.add_argument("--files", type=int, default=16, help="of 16 million tokens")
    parser.add_argument("--length", type=int, default=4096, help="of a window, in tokens")
    given = parser.parse_args(argv)
    table = table_of(given.folder, given.length)
    print(
        f"{given.files} files of {len(table):,} windows of {given.length} tokens; "
        f"a GPU takes {TAKEN['full']:,.0f} tokens/s, with LoRA {TAKEN['LoRA']:,.0f}"
    )
    gpus = "".join(f"{f'GPUs, {method}':>12}" for method in TAKEN)
    print(f"{'':<20}{'M tokens/s':>12}{'of bare':>10}{gpus}")
    with tempfile.TemporaryDirectory() as folder:
        for name in ENCODERS:
            print_rates(write_export(table, Path(folder) / name, name, given.length, given.files))


def table_of(data: Path, length: int) -> pa.Table:
    """The windows of a file: real articles, over and over again."""
    articles = {lang: dict(read_articles(data, lang)) for lang in ("en", "ar", "es", "ja", "th")}
    pairs = list(read_pairs(data, articles))
    made = samples_of(pairs + lone_articles(articles, pairs), load_tokenizer(), length // 2)
    windows = list(pack(((s.sample_id, s.input_ids) for s in made), length, "sliding"))
    order = np.random.default_rng(0).permutation(len(windows))
    rows: list[dict[str, Any]] = [
        {
            "input_ids": windows[i].input_ids,
            "sample_starts": windows[i].sample_starts,
            "sample_ids": windows[i].sample_ids,
            "sample_langs": ["th"] * len(windows[i].sample_ids),
            "n_repeated": windows[i].n_repeated,
        }
        for i in order
    ]
    return pa.Table.from_pylist(list(islice(cycle(rows), FILE_TOKENS // length)), WINDOW_SCHEMA)


def write_export(table: pa.Table, folder: Path, name: str, length: int, n_files: int) -> Path:
    """An export of one file, listed n times, but for indexes that only other readers need."""
    size = load_tokenizer().vocab_size
    layout = Layout(name, length, token_type(size))
    n_windows, n_tokens = len(table), len(table.column("input_ids").combine_chunks().flatten())
    files = []
    (folder / TRAIN).mkdir(parents=True)
    for number, (suffix, data) in enumerate(encode(table, layout).items()):
        path = f"{TRAIN}/00000{suffix}"
        (folder / path).write_bytes(data)
        counts = (0, 0) if number else (n_windows, n_tokens)
        files.append(ExportFile(path, *counts, len(data), hashlib.sha256(data).hexdigest()))
    n_tokens *= n_files
    manifest = Manifest(
        name, "en-first", ("th",), TokenizerInfo("qwen2.5", size, "", (), False),
        WindowInfo(length, "sliding"), 0,
        {TRAIN: Split(n_windows * n_files, n_tokens, n_tokens, 0, 0, tuple(files * n_files))},
        {}, {TRAIN: 0}, {}, "", "", "", layout.token_type,
    )  # fmt: skip
    (folder / MANIFEST).write_text(to_json(manifest))
    return folder


def print_rates(folder: Path) -> None:
    """Rates of bare reading, and of the first windows in order, shuffled and as batches."""
    windows = open_export(folder, TRAIN, verify=False)
    manifest = windows.manifest
    split, length = manifest.splits[TRAIN], manifest.window.length
    config = TrainingConfig(Model("none"), (str(folder),), "none")
    plan = StepPlan(len(windows), config.batch.windows, config.batch.per_device, 1, config.seed)
    n_steps = TIMED_TOKENS // length // plan.per_step
    n_windows = n_steps * plan.per_step
    shuffled = [i for one in islice(plan.passes(0, 0, 1), n_windows) for i in one.windows]
    timed = n_windows * split.tokens / split.windows
    bare = rate(split.tokens, lambda: read_bytes(folder / file.path for file in split.files))
    ways: dict[str, Callable[[], None]] = {
        "in order": lambda: load(windows, range(n_windows), length),
        "shuffled": lambda: load(windows, shuffled, length),
        "batches": lambda: load_batches(config, windows, plan, n_steps),
    }
    size = sum(file.bytes for file in split.files) / split.tokens
    print(f"{f'{manifest.layout}, bare':<20}{bare / 1e6:>12,.1f}{size:>40.2f} bytes a token")
    for way, work in ways.items():
        found = rate(timed, work)
        gpus = "".join(f"{found / taken:>12.0f}" for taken in TAKEN.values())
        print(f"{f'{manifest.layout}, {way}':<20}{found / 1e6:>12,.1f}{found / bare:>10.4f}{gpus}")


def rate(n_tokens: float, work: Callable[[], None]) -> float:
    """Tokens in a second, the best of a few."""
    return n_tokens / min(seconds(work) for _ in range(ROUNDS))


def read_bytes(paths: Iterable[Path]) -> None:
    for path in paths:
        with path.open("rb") as file:
            while file.read(2**20):
                pass


def load(windows: Windows, order: Iterable[int], length: int) -> None:
    batch = np.zeros(length, np.int64)
    for i in order:
        ids = windows[i].input_ids
        batch[: len(ids)] = ids


def load_batches(config: TrainingConfig, windows: Windows, plan: StepPlan, n_steps: int) -> None:
    for _ in islice(Loaders(config, Data([windows], {}), ALONE).steps(plan, 0), n_steps):
        pass


if __name__ == "__main__":
    main()
