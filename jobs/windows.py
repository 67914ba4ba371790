"""Samples to the table ``windows``."""

import sys
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from crossic_etl.cli import run_job
from crossic_etl.config import Config
from crossic_etl.ledger import JobSpec, digest_of
from crossic_etl.runs import Run, recorded
from crossic_etl.schemas import SAMPLES, WINDOWS
from crossic_etl.tables import Scope, Tables
from crossic_etl.transforms.mixture import (
    MIXTURE,
    choose_pairs,
    count_mixture,
    count_samples,
    mix_samples,
    sampling_rates,
)
from crossic_etl.transforms.windows import (
    find_broken,
    make_windows,
    renew_repeated,
    select_unpacked,
    window_counts,
)

READS, WRITES = (SAMPLES,), (WINDOWS,)
SETTINGS = ("shards", "seed")
SPEC = JobSpec(
    *("windows", READS, WRITES, SETTINGS),
    inputs=("languages", "arrangements", "tokenizer", "window", "mixture"),
)


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


def run(spark: SparkSession, config: Config, rebuild: bool = False) -> None:
    """Brings the windows of the configured arrangements, tokenizer, length and policy up to date.

    Windows whose samples are all there stay as they are. Samples that are new, or were in a window
    with one that is gone, make windows of a new generation. All are made anew, as generation 0,
    where that is asked for, or those that are held are of another seed, number of shards, or code.

    Rows in are samples, each once, and once more where it may be in the mixture.
    """
    tables = Tables(spark, config.root)
    kind: Scope = {"arrangement": config.arrangements, "tokenizer": [config.tokenizer]}
    window: Scope = {"window_length": [config.window.length], "policy": [config.window.policy]}
    scope = {**kind, **window}
    digest, parts = digest_of(config, SETTINGS), parts_of(config)
    with recorded(tables, config, SPEC) as record:
        samples = tables.select(SAMPLES, {**kind, "target_lang": config.languages})
        packed, mixed = add_mixture(samples, config, record)
        made = {} if rebuild else tables.made_with(WINDOWS)
        held = [name for name, part in parts.items() if made.get(part) == digest]
        anew = [name for name in parts if name not in held]
        changes = [replacement(tables, config, packed, anew)] if anew else []
        if held:
            before = tables.select(WINDOWS, {**scope, "arrangement": held})
            changes.append(addition(tables, config, packed, before, held))
        record.rows_used = sum(change.n_packed for change in changes)
        record.check()
        for change in changes:
            digests = {parts[name]: digest for name in change.arrangements}
            if change.broken is None:
                of_these = {**scope, "arrangement": change.arrangements}
                tables.replace(WINDOWS, change.windows, of_these, digests)
                tables.unstage("windows")
            else:
                tables.merge(WINDOWS, change.windows, change.broken, digests)
                tables.unstage("windows_added")
                tables.unstage("windows_broken")
        windows = tables.select(WINDOWS, {**scope, "arrangement": list(parts)})
        record.metrics = window_counts(windows).head(1)[0].asDict() | mixed
        record.rows_out = record.metrics["windows"]


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


def add_mixture(
    samples: DataFrame, config: Config, record: Run
) -> tuple[DataFrame, dict[str, int]]:
    """The samples with those of the mixture, and the mixture's tokens of each arrangement.

    Raises:
        UnfitSettingError: an arrangement of the mixture has no samples, and others have.
    """
    held = {row.arrangement: row for row in count_samples(samples).collect()}
    record.rows_in = sum(row.samples for row in held.values())
    if not config.mixture or not held:
        return samples, {}
    rates = sampling_rates({name: row.tokens for name, row in held.items()}, config.mixture)
    record.rows_in += sum(held[name].samples for name in rates)
    chosen = choose_pairs(samples, rates, config.seed)
    counts = count_mixture(chosen).collect()
    record.dropped[MIXTURE] = sum(row.left_out for row in counts)
    tokens = {f"{MIXTURE}_{row.arrangement}": row.tokens for row in counts}
    return samples.unionByName(mix_samples(samples, chosen)), tokens


if __name__ == "__main__":
    sys.exit(run_job(run, SPEC, __doc__))
