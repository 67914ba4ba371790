"""Pairs, and what was retrieved, with their texts to the table ``samples``."""

import sys

from pyspark.sql import SparkSession

from crossic_etl.cli import run_job
from crossic_etl.config import Config
from crossic_etl.runs import recorded
from crossic_etl.sample_sources import load_sources, make_all, stage_contaminated, tables_read
from crossic_etl.schemas import DOCUMENTS, NEIGHBOURS, PAGES, PAIRS, REJECTS, SAMPLES
from crossic_etl.tables import Tables
from crossic_etl.transforms.outcomes import count_outcomes, select_rejects
from crossic_etl.transforms.samples import SampleSettings, select_samples

READS, WRITES = (PAIRS, PAGES, NEIGHBOURS, DOCUMENTS), (SAMPLES, REJECTS)


def run(spark: SparkSession, config: Config) -> None:
    """Replaces the samples of the configured languages, arrangements and tokenizer."""
    tables = Tables(spark, config.root)
    scope = {
        "target_lang": config.languages,
        "arrangement": config.arrangements,
        "tokenizer": [config.tokenizer],
    }
    settings = SampleSettings(
        config.tokenizer, config.split_token, config.max_tokens, config.segment.separator
    )
    with recorded(tables, config, "samples", tables_read(config)) as record:
        sources = load_sources(tables, config)
        record.rows_in = sum(s.rows.count() * len(s.arrangements) for s in sources)
        contaminated = stage_contaminated(tables, config, sources)
        staged = tables.stage("samples", make_all(sources, contaminated, settings, config))
        record.settle(count_outcomes(staged), used=("sample",))
        record.rows_used = record.rows_out
        tables.replace(SAMPLES, select_samples(staged), scope)
        record.rows_out = tables.select(SAMPLES, scope).count()
        broken = select_rejects(staged, "samples", ("text",), lang="target_lang")
        tables.replace_rejects("samples", broken, config.languages)
        for name in ("samples", *(["contaminated"] if contaminated is not None else [])):
            tables.unstage(name)


if __name__ == "__main__":
    sys.exit(run_job(run, __doc__))
