"""The files that the driver adds to an export: indexes, and the manifest with all checksums."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib.metadata import version

from pyspark.sql import Row

from crossic_etl.export.manifest import (
    MANIFEST,
    ExportFile,
    Manifest,
    Split,
    TokenizerInfo,
    WindowInfo,
    to_json,
)
from crossic_etl.export.plan import SPLITS, ExportRequest
from crossic_etl.kernels.export.layouts import Layout, mds_index
from crossic_etl.kernels.samples.shares import SampleShares, add_up
from crossic_etl.kernels.tokens.tokenizers import Tokenizer


@dataclass(frozen=True)
class WrittenFiles:
    """The files that the workers wrote.

    Attributes:
        windows: a row (`schemas.EXPORTED_FILES`) for each file of windows.
        attribution: a row (`schemas.EXPORTED_FILES`) for each file of attribution.
        samples: the counts of `transforms.export.count_samples`.
        versions: Delta version of each table read.
    """

    windows: Sequence[Row]
    attribution: Sequence[Row]
    samples: Sequence[Row]
    versions: Mapping[str, int]

    @property
    def moves(self) -> dict[str, str]:
        """Name of each part file to its path in the export."""
        return {row["part"]: row["path"] for row in (*self.windows, *self.attribution)}

    @property
    def n_samples(self) -> int:
        """Number of distinct samples."""
        return _sum(self.samples, "samples")

    @property
    def arrangements(self) -> dict[str, SampleShares]:
        """Arrangement to the shares of its samples, sorted by name."""
        groups: dict[str, list[Row]] = {}
        for row in self.samples:
            groups.setdefault(row["arrangement"], []).append(row)
        return {name: add_up(groups[name]) for name in sorted(groups)}

    def of(self, split: str) -> list[Row]:
        """Rows of a split's files of windows, in order of their paths."""
        rows = [row for row in self.windows if row["split"] == split]
        return sorted(rows, key=lambda row: str(row["path"]))


def describe_export(
    written: WrittenFiles,
    request: ExportRequest,
    layout: Layout,
    tokenizer: Tokenizer,
    *,
    policy: str,
    seed: int,
    config_hash: str,
) -> dict[str, bytes]:
    """Path to content of the files that the driver writes, the manifest last.

    Args:
        written: the workers' files.
        request: what was asked for.
        layout: of the files; its length is that of the windows.
        tokenizer: of the ids.
        policy: by which samples were cut into windows.
        seed: of the windows' order.
        config_hash: fingerprint of the configuration.
    """
    indexes = index_files(written, layout)
    described = [_index_file(path, data) for path, data in indexes.items()]
    licences: Counter[str] = Counter()
    for row in written.samples:
        licences[row["licence"]] += row["samples"]
    manifest = Manifest(
        layout=layout.name,
        arrangement=request.arrangement,
        languages=tuple(sorted({row["target_lang"] for row in written.samples})),
        tokenizer=describe_tokenizer(tokenizer),
        window=WindowInfo(layout.length, policy),
        seed=seed,
        splits={split: _split(written, split, described) for split in SPLITS},
        licences=dict(sorted(licences.items())),
        token_sum={split: _sum(written.of(split), "token_sum") for split in SPLITS},
        tables=dict(written.versions),
        config_hash=config_hash,
        code_version=version("crossic-etl"),
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        token_type=layout.token_type,
        token_budget=request.tokens,
        generation=request.generation,
        attribution=tuple(_file(row, windows=0) for row in written.attribution),
        arrangements=written.arrangements,
    )
    return indexes | {MANIFEST: to_json(manifest).encode()}


def index_files(written: WrittenFiles, layout: Layout) -> dict[str, bytes]:
    """Path to content of each split's index; only the layout ``mds`` has any."""
    if layout.name != "mds":
        return {}
    return {
        f"{split}/index.json": mds_index(
            row.asDict() | {"basename": row["path"].rpartition("/")[2]} for row in written.of(split)
        )
        for split in SPLITS
    }


def describe_tokenizer(tokenizer: Tokenizer) -> TokenizerInfo:
    """The manifest's entry of a tokenizer, whose split token has no ``new:`` or ``text:`` there."""
    kind, _, name = tokenizer.split_token.partition(":")
    return TokenizerInfo(
        name=tokenizer.name,
        vocabulary_size=tokenizer.vocab_size,
        split_token=name if kind in ("new", "text") else tokenizer.split_token,
        split_ids=tuple(tokenizer.split_ids.tolist()),
        is_new_token=kind == "new",
    )


def _split(written: WrittenFiles, split: str, indexes: Iterable[ExportFile]) -> Split:
    rows = written.of(split)
    tokens, repeated = _sum(rows, "tokens"), _sum(rows, "repeated_tokens")
    files = [_file(row, row["windows"]) for row in rows]
    files += [index for index in indexes if index.path.startswith(f"{split}/")]
    return Split(
        windows=_sum(rows, "windows"),
        tokens=tokens,
        new_tokens=tokens - repeated,
        repeated_tokens=repeated,
        samples=_sum([row for row in written.samples if row["split"] == split], "samples"),
        files=tuple(files),
    )


def _sum(rows: Iterable[Row], column: str) -> int:
    return sum(int(row[column]) for row in rows)


def _file(row: Row, windows: int) -> ExportFile:
    return ExportFile(row["path"], windows, row["tokens"], row["bytes"], row["sha256"])


def _index_file(path: str, data: bytes) -> ExportFile:
    return ExportFile(path, 0, 0, len(data), hashlib.sha256(data).hexdigest())
