"""Updates stored windows after samples have changed."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from crossic_etl.schemas import WINDOWS
from crossic_etl.tables import Scope, Tables
from crossic_etl.transforms.windows import (
    Streams,
    find_broken,
    make_windows,
    renew_repeated,
    select_unpacked,
    window_counts,
)

log = logging.getLogger(__name__)

# Scratch tables: windows that replace all, windows to add, and keys of windows to remove.
SCRATCH = ("windows", "windows_added", "windows_broken")


class WindowKind(NamedTuple):
    """The length of windows in tokens, and the policy by which samples are packed."""

    length: int
    policy: str


@dataclass(frozen=True)
class Packing:
    """The settings that determine the windows of given samples.

    Attributes:
        tokenizer: of the samples.
        kind: of the windows.
        streams: into which samples are divided, and the samples' order in them.
        settings_fingerprint: of shards, seed, order, languages and code; windows with another one
            are replaced.
    """

    tokenizer: str
    kind: WindowKind
    streams: Streams
    settings_fingerprint: str

    def scope(self, arrangements: Sequence[str]) -> Scope:
        """The scope of some arrangements' windows, for this tokenizer and kind."""
        return {
            "arrangement": arrangements,
            "tokenizer": [self.tokenizer],
            "window_length": [self.kind.length],
            "policy": [self.kind.policy],
        }

    def part_of(self, arrangement: str) -> str:
        """The name of an arrangement's windows in the table's metadata."""
        return f"{arrangement} {self.tokenizer} {self.kind.length} {self.kind.policy}"

    def fingerprints(self, arrangements: Sequence[str]) -> dict[str, str]:
        """The fingerprints to store in the table's metadata with these arrangements' windows."""
        return {self.part_of(name): self.settings_fingerprint for name in arrangements}


@dataclass(frozen=True)
class Change:
    """Staged changes to the windows of some arrangements.

    Attributes:
        arrangements: of the windows.
        windows: new windows, and stored ones whose counts of repeated tokens change.
        broken: keys of windows to remove; None if all stored windows are replaced.
        n_packed: samples that a window holds whole after the change.
    """

    arrangements: list[str]
    windows: DataFrame
    broken: DataFrame | None
    n_packed: int


def refresh_other_window_kinds(
    tables: Tables,
    packing: Packing,
    samples: DataFrame,
    arrangements: Sequence[str],
    longest: Mapping[str, int],
) -> None:
    """Updates windows of other lengths and policies after their samples have changed.

    Windows shorter than the longest sample of their arrangement (``longest``, in tokens) are
    removed.
    """
    for kind, names in find_other_kinds(tables, packing, arrangements):
        other = replace(packing, kind=kind)
        fitting, too_short = split_by_length(names, longest, kind.length)
        said = f"windows: those of length {kind.length}, policy {kind.policy}"
        if too_short:
            none = tables.spark.createDataFrame([], WINDOWS.schema)
            tables.replace(WINDOWS, none, other.scope(too_short))
            n_tokens = max(longest[name] for name in too_short)
            reason = f"samples are up to {n_tokens:,} tokens long now"
            log.info("%s of %s are removed: %s", said, ", ".join(too_short), reason)
        if fitting:
            log.info("%s of %s follow", said, ", ".join(fitting))
            write_changes(tables, other, stage_changes(tables, other, samples, fitting))


def find_other_kinds(
    tables: Tables, packing: Packing, arrangements: Sequence[str]
) -> list[tuple[WindowKind, list[str]]]:
    """Each other kind that has stored windows, with the arrangements of those windows."""
    scope = {"arrangement": arrangements, "tokenizer": [packing.tokenizer]}
    kinds = tables.select(WINDOWS, scope).groupBy("window_length", "policy")
    rows = kinds.agg(F.sort_array(F.collect_set("arrangement")).alias("names")).collect()
    found = [(WindowKind(row.window_length, row.policy), row.names) for row in rows]
    return [(kind, names) for kind, names in found if kind != packing.kind]


def split_by_length(
    names: Sequence[str], longest: Mapping[str, int], length: int
) -> tuple[list[str], list[str]]:
    """Arrangements whose samples all fit windows of a length, and those with a longer sample."""
    too_short = [name for name in names if longest.get(name, 0) > length]
    return [name for name in names if name not in too_short], too_short


def stage_changes(
    tables: Tables,
    packing: Packing,
    samples: DataFrame,
    names: Sequence[str],
    rebuild: bool = False,
) -> list[Change]:
    """Stages the changes of some arrangements' windows; with ``rebuild`` all are made again."""
    made = {} if rebuild else tables.settings_fingerprints(WINDOWS)
    held, anew = split_by_fingerprint(names, made, packing)
    changes = [stage_replacement(tables, packing, samples, anew)] if anew else []
    if held:
        changes.append(stage_addition(tables, packing, samples, held))
    return changes


def split_by_fingerprint(
    names: Sequence[str], made: Mapping[str, str], packing: Packing
) -> tuple[list[str], list[str]]:
    """Arrangements whose windows were made with these settings, and those to make again.

    ``made`` are the fingerprints in the table's metadata.
    """
    expected = packing.settings_fingerprint
    held = [name for name in names if made.get(packing.part_of(name)) == expected]
    return held, [name for name in names if name not in held]


def write_changes(tables: Tables, packing: Packing, changes: Sequence[Change]) -> None:
    """Writes the staged changes, and empties the scratch tables."""
    for change in changes:
        fingerprints = packing.fingerprints(change.arrangements)
        if change.broken is None:
            scope = packing.scope(change.arrangements)
            tables.replace(WINDOWS, change.windows, scope, fingerprints)
            tables.unstage("windows")
        else:
            tables.merge(WINDOWS, change.windows, change.broken, fingerprints)
            tables.unstage("windows_added")
            tables.unstage("windows_broken")


def stage_replacement(
    tables: Tables, packing: Packing, samples: DataFrame, arrangements: list[str]
) -> Change:
    """Stages all windows of some arrangements."""
    chosen = samples.where(F.col("arrangement").isin(arrangements))
    staged = tables.stage("windows", pack(chosen, packing, 0))
    return Change(arrangements, staged, None, count_whole(staged))


def stage_addition(
    tables: Tables, packing: Packing, samples: DataFrame, arrangements: list[str]
) -> Change:
    """Stages the windows to add and to remove after samples have changed.

    A window with a missing or changed sample is removed. Samples that are then in no window are
    packed into windows of a new generation.
    """
    chosen = samples.where(F.col("arrangement").isin(arrangements))
    before = tables.select(WINDOWS, packing.scope(arrangements))
    broken = tables.stage("windows_broken", find_broken(before, chosen))
    newest = before.agg(F.coalesce(F.max("generation"), F.lit(-1)).alias("newest"))
    generation = newest.head(1)[0].newest + 1
    added = pack(select_unpacked(chosen, before, broken), packing, generation)
    staged = tables.stage("windows_added", added.unionByName(renew_repeated(before, broken)))
    whole = before.join(broken, on=list(WINDOWS.key), how="left_anti")
    n_added = count_whole(staged.where(F.col("generation") == generation))
    return Change(arrangements, staged, broken, count_whole(whole) + n_added)


def pack(samples: DataFrame, packing: Packing, generation: int) -> DataFrame:
    """Packs samples into windows of one generation."""
    length, policy = packing.kind
    return make_windows(samples, length, policy, packing.streams, generation)


def count_whole(windows: DataFrame) -> int:
    """The number of samples that these windows hold whole."""
    return int(window_counts(windows).head(1)[0].samples)
