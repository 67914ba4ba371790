"""What samples change of the windows that are there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from crossic_etl.config import Config
from crossic_etl.config.etl import Segment, Window
from crossic_etl.runs.ledger import settings_fingerprint
from crossic_etl.schemas import WINDOWS
from crossic_etl.tables import Scope, Tables
from crossic_etl.transforms.mixture import (
    MIXTURE,
)
from crossic_etl.transforms.windows import (
    find_broken,
    make_windows,
    renew_repeated,
    select_unpacked,
    window_counts,
)

SETTINGS = ("shards", "seed")


@dataclass(frozen=True)
class Change:
    """What is to be written of the windows of some arrangements, staged.

    Attributes:
        arrangements: of the windows.
        windows: new ones, and held ones of which something else is said now.
        broken: the keys of windows to remove; None where all that are held are replaced.
        n_packed: samples that are whole in a window once it is written.
    """

    arrangements: list[str]
    windows: DataFrame
    broken: DataFrame | None
    n_packed: int


def scope_of(config: Config, arrangements: Sequence[str]) -> Scope:
    """The windows of some arrangements, and of the configured tokenizer, length and policy."""
    window = config.window
    return {
        "arrangement": arrangements,
        "tokenizer": [config.tokenizer],
        "window_length": [window.length],
        "policy": [window.policy],
    }


def other_windows(tables: Tables, config: Config) -> Iterator[tuple[Config, list[str]]]:
    """Each other length and policy of which there are windows, and of which arrangements."""
    names = list(parts_of(config))
    scope = {"arrangement": names, "tokenizer": [config.tokenizer]}
    kinds = tables.select(WINDOWS, scope).groupBy("window_length", "policy")
    for row in kinds.agg(F.sort_array(F.collect_set("arrangement")).alias("names")).collect():
        window = Window(row.window_length, row.policy)
        if window != config.window:  # what a segment may be says nothing of these
            yield replace(config, window=window, segment=Segment()), row.names


def keep_true(
    tables: Tables, config: Config, samples: DataFrame, names: list[str], longest: Mapping[str, int]
) -> None:
    """Brings windows of another length or policy up to date, or removes them."""
    window = config.window
    unfit = [name for name in names if longest.get(name, 0) > window.length]
    said = f"windows: those of length {window.length}, policy {window.policy}"
    if unfit:
        none = tables.spark.createDataFrame([], WINDOWS.schema)
        tables.replace(WINDOWS, none, scope_of(config, unfit))
        n_tokens = max(longest[name] for name in unfit)
        reason = f"samples are up to {n_tokens:,} tokens long now"
        print(f"{said} of {', '.join(unfit)} are removed: {reason}", flush=True)
    if fit := [name for name in names if name not in unfit]:
        print(f"{said} of {', '.join(fit)} follow", flush=True)
        write_changes(tables, config, stage_changes(tables, config, samples, fit))


def stage_changes(
    tables: Tables,
    config: Config,
    samples: DataFrame,
    names: Sequence[str],
    rebuild: bool = False,
) -> list[Change]:
    """What brings the windows of some arrangements up to date."""
    digest, parts = settings_fingerprint(config, SETTINGS), parts_of(config)
    made = {} if rebuild else tables.settings_fingerprints(WINDOWS)
    held = [name for name in names if made.get(parts[name]) == digest]
    anew = [name for name in names if name not in held]
    changes = [replacement(tables, config, samples, anew)] if anew else []
    if held:
        before = tables.select(WINDOWS, scope_of(config, held))
        changes.append(addition(tables, config, samples, before, held))
    return changes


def write_changes(tables: Tables, config: Config, changes: Sequence[Change]) -> None:
    """Writes what was staged, and empties where it was."""
    digest, parts = settings_fingerprint(config, SETTINGS), parts_of(config)
    for change in changes:
        digests = {parts[name]: digest for name in change.arrangements}
        if change.broken is None:
            of_these = scope_of(config, change.arrangements)
            tables.replace(WINDOWS, change.windows, of_these, digests)
            tables.unstage("windows")
        else:
            tables.merge(WINDOWS, change.windows, change.broken, digests)
            tables.unstage("windows_added")
            tables.unstage("windows_broken")


def parts_of(config: Config) -> dict[str, str]:
    """Each arrangement of which there are windows, and what Delta's log calls these."""
    names = (*config.arrangements, *([MIXTURE] if config.mixture else []))
    kind = (config.tokenizer, str(config.window.length), config.window.policy)
    return {name: " ".join((name, *kind)) for name in names}


def replacement(
    tables: Tables, config: Config, samples: DataFrame, arrangements: list[str]
) -> Change:
    """All windows of some arrangements."""
    mine = samples.where(F.col("arrangement").isin(arrangements))
    staged = tables.stage("windows", pack(mine, config, 0))
    return Change(arrangements, staged, None, count_whole(staged))


def addition(
    tables: Tables, config: Config, samples: DataFrame, before: DataFrame, arrangements: list[str]
) -> Change:
    """What samples change of the windows that are there."""
    mine = samples.where(F.col("arrangement").isin(arrangements))
    broken = tables.stage("windows_broken", find_broken(before, mine))
    newest = before.agg(F.coalesce(F.max("generation"), F.lit(-1)).alias("newest"))
    generation = newest.head(1)[0].newest + 1
    added = pack(select_unpacked(mine, before, broken), config, generation)
    staged = tables.stage("windows_added", added.unionByName(renew_repeated(before, broken)))
    whole = before.join(broken, on=list(WINDOWS.key), how="left_anti")
    n_added = count_whole(staged.where(F.col("generation") == generation))
    return Change(arrangements, staged, broken, count_whole(whole) + n_added)


def pack(samples: DataFrame, config: Config, generation: int) -> DataFrame:
    """The windows of samples."""
    window = config.window
    return make_windows(
        samples, window.length, window.policy, config.shards, config.seed, generation
    )


def count_whole(windows: DataFrame) -> int:
    """Samples that are whole in these windows."""
    return int(window_counts(windows).head(1)[0].samples)
