"""What the job ``export`` takes, plans, checks and lets the workers write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
from pyspark.sql import DataFrame, Row
from pyspark.sql.pandas.types import to_arrow_schema

from crossic_etl.config import Config, ConfigError
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
# Ours: 64 MiB of ids, which a worker holds while it makes a file of them.
FILE_TOKENS = 2**24
ATTRIBUTION_ROWS = 500_000


@dataclass(frozen=True)
class Request:
    """What to export, and how.

    Attributes:
        to: folder or URL of the export.
        arrangement: of the windows.
        layout: one of `LAYOUTS`.
        tokens: new training tokens after which no window is taken any more; None takes all. The
            same documents come first in every arrangement.
        file_windows: windows in a file, about; None is 2**24 tokens.
        overwrite: replace an export that is there.
        generation: of the windows; None takes those of all.
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
class Plan:
    """Which windows are taken, and in how many files.

    ``n_windows`` are there, ``n_taken`` of them are within the budget: down to ``last_depth`` of
    their shards, or all. ``files`` are counted for each split.
    """

    n_windows: int
    n_taken: int
    last_depth: float | None
    files: Mapping[str, int]


def check_found(windows: DataFrame, chosen: DataFrame, kind: Scope) -> None:
    """Whether there are windows of the kind that was asked for.

    Raises:
        TableError: there are none; says which there are.
    """
    if not chosen.isEmpty():
        return
    there = sorted(tuple(row) for row in _rows(windows.select(*kind).distinct()))
    found = "; ".join(", ".join(map(str, row)) for row in there) or "none at all"
    wanted = ", ".join(str(value) for values in kind.values() for value in values)
    raise TableError(f"table windows: no windows of {wanted} in it; there are: {found}")


def plan_export(placed: DataFrame, request: Request, length: int) -> Plan:
    """Counts the windows and cuts them where the budget is reached.

    Raises:
        ConfigError: the budget is more than there is: a smaller export would pass for one of it.
    """
    counts = _counts(placed)
    last_depth, taken = None, counts
    if request.tokens is not None:
        last_depth = _last_depth(placed, request.tokens, counts[TRAIN][1])
        taken = _counts(take_until(placed, last_depth))
    size = request.file_windows or max(1, FILE_TOKENS // length)
    files = {split: -(-taken[split][0] // size) for split in SPLITS}
    n_windows, n_taken = (sum(n for n, _ in each.values()) for each in (counts, taken))
    return Plan(n_windows, n_taken, last_depth, files)


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
    """The few rows of a frame of counts, or of one for each file."""
    rows: list[Row] = frame.collect()
    return rows


def write_window_files(
    taken: DataFrame, files: Mapping[str, int], folder: str, layout: Layout
) -> list[Row]:
    """Writes the windows from the workers to ``folder`` and gives a row of each file."""

    def run(batches: Batches) -> Batches:
        yield from to_batches(write_windows(batches, folder, layout), EXPORTED_FILES)

    return _rows(assign_files(taken, files).mapInArrow(run, EXPORTED_FILES))


def write_attribution_files(attributed: DataFrame, counts: Sequence[Row], folder: str) -> list[Row]:
    """Writes the attribution of all samples likewise; ``counts`` are those of `count_samples`."""
    n_samples = sum(row["samples"] for row in counts)
    frame = assign_attribution_files(attributed, max(1, -(-n_samples // ATTRIBUTION_ROWS)))
    schema = pa.schema([to_arrow_schema(frame.schema).field(name) for name in ATTRIBUTION])

    def run(batches: Batches) -> Batches:
        yield from to_batches(write_attribution(batches, folder, schema), EXPORTED_FILES)

    return _rows(frame.mapInArrow(run, EXPORTED_FILES))


def check_samples(counts: Sequence[Row], config: Config) -> None:
    """Whether the samples of the windows are still those that the windows were made of.

    Raises:
        TableError: some are gone, or closed by another split token than the configuration's.
    """
    missing = sum(row["samples"] for row in counts if row["licence"] is None)
    if missing:
        raise TableError(
            f"table samples: {missing} samples of the windows aren't there any more: "
            "run the job windows again"
        )
    tokens = sorted({row["split_token"] for row in counts})
    if tokens != [config.split_token]:
        raise TableError(
            f"table samples: closed by {tokens}, but split_token is {config.split_token!r}"
        )


def check_ids(files: Sequence[Row], tokenizer: Tokenizer) -> None:
    """Whether every id is one of the vocabulary.

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


def layout_of(request: Request, config: Config, tokenizer: Tokenizer) -> Layout:
    """How the windows are written."""
    kind = token_type(tokenizer.vocab_size) if request.layout == "flat" else "int32"
    return Layout(request.layout, config.window.length, kind)
