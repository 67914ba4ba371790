"""Samples to the table ``windows``."""

import sys

from pyspark.sql import SparkSession

from crossic_etl.cli import run_job
from crossic_etl.config import Config
from crossic_etl.runs import recorded
from crossic_etl.schemas import SAMPLES, WINDOWS
from crossic_etl.tables import Scope, Tables
from crossic_etl.transforms.windows import make_windows, window_counts

READS, WRITES = (SAMPLES,), (WINDOWS,)


def run(spark: SparkSession, config: Config) -> None:
    """Replaces the windows of the configured arrangements, tokenizer, length and policy."""
    tables = Tables(spark, config.root)
    kind: Scope = {"arrangement": config.arrangements, "tokenizer": [config.tokenizer]}
    window: Scope = {"window_length": [config.window.length], "policy": [config.window.policy]}
    with recorded(tables, config, "windows", READS) as record:
        samples = tables.select(SAMPLES, {**kind, "target_lang": config.languages})
        record.rows_in = samples.count()
        made = make_windows(
            samples, config.window.length, config.window.policy, config.shards, config.seed
        )
        staged = tables.stage("windows", made)
        record.metrics = window_counts(staged).head(1)[0].asDict()
        record.rows_used, record.rows_out = record.metrics["samples"], record.metrics["windows"]
        record.check()
        tables.replace(WINDOWS, staged, {**kind, **window})
        tables.unstage("windows")


if __name__ == "__main__":
    sys.exit(run_job(run, __doc__))
