"""Samples to the table ``windows``."""

import sys

from pyspark.sql import DataFrame, SparkSession

from crossic_etl.cli import run_job
from crossic_etl.config import Config
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
from crossic_etl.transforms.windows import make_windows, window_counts

READS, WRITES = (SAMPLES,), (WINDOWS,)


def run(spark: SparkSession, config: Config) -> None:
    """Replaces the windows of the configured arrangements, tokenizer, length and policy.

    Rows in are samples, each once, and once more where it may be in the mixture.
    """
    tables = Tables(spark, config.root)
    kind: Scope = {"arrangement": config.arrangements, "tokenizer": [config.tokenizer]}
    made = (*config.arrangements, *([MIXTURE] if config.mixture else []))
    window: Scope = {"window_length": [config.window.length], "policy": [config.window.policy]}
    with recorded(tables, config, "windows", READS) as record:
        samples = tables.select(SAMPLES, {**kind, "target_lang": config.languages})
        packed, mixed = add_mixture(samples, config, record)
        windows = make_windows(
            packed, config.window.length, config.window.policy, config.shards, config.seed
        )
        staged = tables.stage("windows", windows)
        record.metrics = window_counts(staged).head(1)[0].asDict() | mixed
        record.rows_used, record.rows_out = record.metrics["samples"], record.metrics["windows"]
        record.check()
        tables.replace(WINDOWS, staged, {**kind, **window, "arrangement": made})
        tables.unstage("windows")


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
    sys.exit(run_job(run, __doc__))
