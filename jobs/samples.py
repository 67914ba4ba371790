"""Pairs and the texts of their pages to the table ``samples``."""

import sys

from pyspark.sql import SparkSession

from crossic_etl.cli import run_job
from crossic_etl.config import Config
from crossic_etl.runs import recorded
from crossic_etl.schemas import PAGES, PAIRS, REJECTS, SAMPLES
from crossic_etl.tables import Tables
from crossic_etl.transforms.outcomes import count_outcomes, select_rejects
from crossic_etl.transforms.samples import (
    SampleSettings,
    choose_sides,
    make_samples,
    select_samples,
)

READS, WRITES = (PAIRS, PAGES), (SAMPLES, REJECTS)


def run(spark: SparkSession, config: Config) -> None:
    """Replaces the samples of the configured languages, arrangements and tokenizer."""
    tables = Tables(spark, config.root)
    languages, wikis = {"target_lang": config.languages}, {"lang": config.wikis}
    scope = languages | {"arrangement": config.arrangements, "tokenizer": [config.tokenizer]}
    settings = SampleSettings(
        config.tokenizer, config.split_token, config.max_tokens,
        config.segment.separator, config.segment.min_chars,
        config.validation_share, config.seed,
    )  # fmt: skip
    with recorded(tables, config, "samples", READS) as record:
        pairs, pages = tables.select(PAIRS, languages), tables.select(PAGES, wikis)
        record.rows_in = pairs.count() * len(config.arrangements)
        sides = choose_sides(pairs, pages, config.arrangements, settings)
        staged = tables.stage("samples", make_samples(sides, pages, settings))
        record.settle(count_outcomes(staged), used=("sample",))
        record.rows_used = record.rows_out
        tables.replace(SAMPLES, select_samples(staged), scope)
        record.rows_out = tables.select(SAMPLES, scope).count()
        broken = select_rejects(staged, "samples", ("text",), lang="target_lang")
        tables.replace_rejects("samples", broken, config.languages)
        tables.unstage("samples")


if __name__ == "__main__":
    sys.exit(run_job(run, __doc__))
