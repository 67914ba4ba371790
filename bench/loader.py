"""Tokens that the reader gives in a second, beside bare reading of the same files.

    python -m bench.loader [--tokens N] [--length N] [shared data folder]

Windows are of real articles, over and over again; files are in the page cache for all. A loader
copies each window to a row of int64, as a trainer's batch wants it. Seconds are processor time.
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from bench.packing import lone_articles, read_articles, read_pairs, samples_of
from bench.wikitext import shared_folder
from crossic_etl.kernels.export_layouts import ENCODERS, WINDOW_SCHEMA, Layout, encode, token_type
from crossic_etl.kernels.packing import pack
from crossic_etl.kernels.tokenizers import load_tokenizer
from crossic_etl.training.manifest import (
    MANIFEST,
    ExportFile,
    Manifest,
    Split,
    TokenizerInfo,
    WindowInfo,
    to_json,
)
from crossic_etl.training.reader import Windows, open_export

FILE_TOKENS = 2**21
ROUNDS = 3


def main(argv: Sequence[str] | None = None) -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder", nargs="?", type=Path)
    arguments.add_argument("--tokens", type=int, default=2**23)
    arguments.add_argument("--length", type=int, default=4096)
    given = arguments.parse_args(argv)
    tables = list(files_of(given.folder or shared_folder(), given.tokens, given.length))
    n_windows = sum(len(table) for table in tables)
    print(f"{n_windows:,} windows of {given.length} tokens in {len(tables)} files")
    with tempfile.TemporaryDirectory() as folder:
        for name in ENCODERS:
            print_rates(write_export(tables, Path(folder) / name, name, given.length))


def files_of(data: Path, n_tokens: int, length: int) -> Iterator[pa.Table]:
    """About ``n_tokens`` tokens in windows of real articles, a table for each file."""
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
    stream, size = cycle(rows), FILE_TOKENS // length
    for _ in range(max(1, n_tokens // FILE_TOKENS)):
        yield pa.Table.from_pylist(list(islice(stream, size)), WINDOW_SCHEMA)


def write_export(tables: Iterable[pa.Table], folder: Path, name: str, length: int) -> Path:
    """An export of the tables in one layout, but for indexes that only other readers need."""
    size = load_tokenizer().vocab_size
    layout, files, counts = Layout(name, length, token_type(size)), [], [0, 0]
    (folder / "train").mkdir(parents=True)
    for number, table in enumerate(tables):
        n_windows, n_tokens = len(table), len(table.column("input_ids").combine_chunks().flatten())
        counts = [counts[0] + n_windows, counts[1] + n_tokens]
        for suffix, data in encode(table, layout).items():
            path = f"train/{number:05}{suffix}"
            (folder / path).write_bytes(data)
            digest = hashlib.sha256(data).hexdigest()
            files.append(ExportFile(path, n_windows, n_tokens, len(data), digest))
            n_windows = n_tokens = 0
    manifest = Manifest(
        name, "en-first", ("th",), TokenizerInfo("qwen2.5", size, "", (), False),
        WindowInfo(length, "sliding"), 0,
        {"train": Split(counts[0], counts[1], counts[1], 0, 0, tuple(files))},
        {}, {"train": 0}, {}, "", "", "", layout.token_type,
    )  # fmt: skip
    (folder / MANIFEST).write_text(to_json(manifest))
    return folder


def print_rates(folder: Path) -> None:
    """Tokens in a second in order, in a shuffled order and of bare reading, best of a few."""
    windows = open_export(folder, "train")
    manifest = windows.manifest
    split, length = manifest.splits["train"], manifest.window.length
    n_bytes = sum(file.bytes for file in split.files)
    shuffled = np.random.default_rng(1).permutation(len(windows)).tolist()
    bare = in_order = at_random = float("inf")
    for _ in range(ROUNDS):
        bare = min(bare, seconds_to_read(folder / file.path for file in split.files))
        in_order = min(in_order, seconds_to_load(windows, range(len(windows)), length))
        at_random = min(at_random, seconds_to_load(windows, shuffled, length))
    rates = [split.tokens / taken / 1e6 for taken in (in_order, at_random, bare)]
    print(
        f"{manifest.layout:8} {n_bytes / split.tokens:.2f} bytes/token; million tokens/s: in order "
        f"{rates[0]:.0f} ({rates[0] / rates[2]:.3f} of bare reading), shuffled {rates[1]:.1f} "
        f"({rates[1] / rates[2]:.3f}), bare reading {rates[2]:.0f}"
    )


def seconds_to_read(paths: Iterable[Path]) -> float:
    start = time.process_time()
    for path in paths:
        with path.open("rb") as file:
            while file.read(2**20):
                pass
    return time.process_time() - start


def seconds_to_load(windows: Windows, order: Iterable[int], length: int) -> float:
    batch = np.zeros(length, np.int64)
    start = time.process_time()
    for i in order:
        ids = windows[i].input_ids
        batch[: len(ids)] = ids
    return time.process_time() - start


if __name__ == "__main__":
    main()
