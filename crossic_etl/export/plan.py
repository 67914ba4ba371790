"""The steps of the job ``export``: its request, its plan, its checks, and the workers' files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
from pyspark.sql import DataFrame, Row
from pyspark.sql.pandas.types import to_arrow_schema

from crossic_etl.config import ConfigError
from crossic_etl.config.errors import UnfitSettingError
from crossic_etl.config.secrets import ANYWHERE, is_secret
from crossic_etl.export.manifest import LAYOUTS
from crossic_etl.kernels.export.files import write_attribution, write_windows
from crossic_etl.kernels.export.layouts import Layout, token_type
from crossic_etl.kernels.splits import TRAIN, VALIDATION
from crossic_etl.kernels.tokens.tokenizers import Tokenizer
from crossic_etl.schemas import EXPORTED_FILES
from crossic_etl.tables import Scope, TableError
from crossic_etl.transforms.arrow import Batches, to_batches
from crossic_etl.transforms.export import (
    ATTRIBUTION,
    assign_attribution_files,
    assign_files,
    count_windows,
    find_last_depth,
    take_until,
)

SPLITS = (TRAIN, VALIDATION)
# Tokens of a file, about: 64 MiB of ids, which a worker holds in memory at once. Ours.
FILE_TOKENS = 2**24
ATTRIBUTION_ROWS = 500_000


@dataclass(frozen=True)
class ExportRequest:
    """What to export, and how.

    Attributes:
        to: folder or URL of the export.
        arrangement: of the windows.
        layout: one of `LAYOUTS`.
        tokens: budget of new training tokens; None takes all windows. The same documents come
            first in every arrangement.
        file_windows: windows in a file, about; None is `FILE_TOKENS` tokens.
        overwrite: replace an export that exists.
        generation: of the windows; None takes all generations.
    """

    to: str
    arrangement: str
    layout: str = "parquet"
    tokens: int | None = None
    file_windows: int | None = None
    overwrite: bool = False
    generation: int | None = None

    def __post_init__(self) -> None:
        if is_secret(self.to):
            raise UnfitSettingError(f"--to: looks like a secret; {ANYWHERE}")
        if self.generation is not None and self.generation < 0:
            raise ConfigError("--generation", self.generation, "a whole number >= 0")
        for name in ("tokens", "file_windows"):
            value = getattr(self, name)
            if value is not None and value < 1:
                key = f"--{name.replace('_', '-')}"
                raise ConfigError(key, value, "a whole number >= 1")
        if self.layout not in LAYOUTS:
            raise ConfigError("--layout", self.layout, f"one of {', '.join(LAYOUTS)}")


@dataclass(frozen=True)
class ExportPlan:
    """Which windows are taken, and in how many files they go.

    Attributes:
        n_windows: windows of the kind that was asked for.
        n_taken: those within the token budget.
        last_depth: depth of the last training window within the budget; None takes all.
        files: number of files of each split.
    """

    n_windows: int
    n_taken: int
    last_depth: float | None
    files: Mapping[str, int]


def check_found(windows: DataFrame, chosen: DataFrame, kind: Scope) -> None:
    """Checks that there are windows of the kind that was asked for.

    Raises:
        TableError: there are none; the message names the kinds that exist.
    """
    if not chosen.isEmpty():
        return
    there = sorted(tuple(row) for row in _rows(windows.select(*kind).distinct()))
    found = "; ".join(", ".join(map(str, row)) for row in there) or "none at all"
    wanted = ", ".join(str(value) for values in kind.values() for value in values)
    raise TableError(f"table windows: no windows of {wanted} in it; there are: {found}")


def plan_export(placed: DataFrame, request: ExportRequest, length: int) -> ExportPlan:
    """Counts the windows, and finds where the token budget is reached.

    Raises:
        ConfigError: the budget exceeds the training tokens. A smaller export isn't made instead:
            it would pass for one of the whole budget.
    """
    counts = _counts(placed)
    last_depth, taken = None, counts
    if request.tokens is not None:
        last_depth = _last_depth(placed, request.tokens, counts[TRAIN][1])
        taken = _counts(take_until(placed, last_depth))
    size = request.file_windows or max(1, FILE_TOKENS // length)
    files = {split: -(-taken[split][0] // size) for split in SPLITS}
    n_windows, n_taken = (sum(n for n, _ in each.values()) for each in (counts, taken))
    return ExportPlan(n_windows, n_taken, last_depth, files)


def _counts(placed: DataFrame) -> dict[str, tuple[int, int]]:
    rows = {
        row["split"]: (row["windows"], row["new_tokens"]) for row in _rows(count_windows(placed))
    }
    if unknown := rows.keys() - set(SPLITS):
        raise TableError(f"table windows: split {sorted(unknown)}, one of {SPLITS} expected")
    return {split: rows.get(split, (0, 0)) for split in SPLITS}


def _last_depth(placed: DataFrame, tokens: int, available: int) -> float:
    rows = _rows(find_last_depth(placed, tokens))
    if not rows:
        raise ConfigError("--tokens", tokens, f"at most the {available} new training tokens")
    return float(rows[0]["depth"])


def _rows(frame: DataFrame) -> list[Row]:
    """The rows of a small frame: counts, or one row for each file."""
    rows: list[Row] = frame.collect()
    return rows


def write_window_files(
    taken: DataFrame, files: Mapping[str, int], folder: str, layout: Layout
) -> list[Row]:
    """Has the workers write the windows to ``folder``; returns a row for each file."""

    def run(batches: Batches) -> Batches:
        yield from to_batches(write_windows(batches, folder, layout), EXPORTED_FILES)

    return _rows(assign_files(taken, files).mapInArrow(run, EXPORTED_FILES))


def write_attribution_files(attributed: DataFrame, counts: Sequence[Row], folder: str) -> list[Row]:
    """Has the workers write the attribution of all samples; returns a row for each file.

    ``counts`` are the rows of `count_samples`.
    """
    n_samples = sum(row["samples"] for row in counts)
    frame = assign_attribution_files(attributed, max(1, -(-n_samples // ATTRIBUTION_ROWS)))
    schema = pa.schema([to_arrow_schema(frame.schema).field(name) for name in ATTRIBUTION])

    def run(batches: Batches) -> Batches:
        yield from to_batches(write_attribution(batches, folder, schema), EXPORTED_FILES)

    return _rows(frame.mapInArrow(run, EXPORTED_FILES))


def check_samples(counts: Sequence[Row], split_token: str) -> None:
    """Checks that the windows' samples still exist and end in the configured split token.

    Raises:
        TableError: some are missing, or end in another split token.
    """
    missing = sum(row["samples"] for row in counts if row["licence"] is None)
    if missing:
        raise TableError(
            f"table samples: {missing} samples of the windows aren't there any more: "
            "run the job windows again"
        )
    tokens = sorted({row["split_token"] for row in counts})
    if tokens != [split_token]:
        raise TableError(f"table samples: closed by {tokens}, but split_token is {split_token!r}")


def check_ids(files: Sequence[Row], tokenizer: Tokenizer) -> None:
    """Checks that every id is below the size of the tokenizer's vocabulary.

    Raises:
        TableError: one isn't.
    """
    for file in files:
        if (
            file["windows"]
            and not 0 <= file["lowest_id"] <= file["highest_id"] < tokenizer.vocab_size
        ):
            raise TableError(
                f"table windows: ids from {file['lowest_id']} to {file['highest_id']}, but "
                f"{tokenizer.name} has those from 0 to {tokenizer.vocab_size - 1}"
            )


def layout_of(name: str, window_length: int, vocabulary_size: int) -> Layout:
    """The layout of a name; ``flat`` stores ids in the smallest type for the vocabulary."""
    kind = token_type(vocabulary_size) if name == "flat" else "int32"
    return Layout(name, window_length, kind)
