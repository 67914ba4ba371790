"""Pairs, and what was retrieved, with their texts to the table ``samples``."""

from pyspark.sql import SparkSession

from crossic_etl.config import Config
from crossic_etl.inputs.evaluation import fingerprint_of_evaluation
from crossic_etl.pipeline.sample_sources import (
    count_sides,
    load_sources,
    stage_contaminated,
    stage_samples,
    tables_read,
)
from crossic_etl.runs import recorded
from crossic_etl.runs.ledger import JobSpec, inputs_of, settings_of
from crossic_etl.schemas import DOCUMENTS, NEIGHBOURS, PAGES, PAIRS, REJECTS, SAMPLES
from crossic_etl.tables import Tables
from crossic_etl.transforms.outcomes import count_outcomes, select_rejects
from crossic_etl.transforms.samples import (
    GROUP,
    KEPT,
    select_gone_samples,
    select_samples,
)

READS, WRITES = (PAIRS, PAGES, NEIGHBOURS, DOCUMENTS), (SAMPLES, REJECTS)
SPEC = JobSpec(
    *("samples", READS, WRITES),
    settings=("split_token", "segment", "window.length", "validation_share", "seed"),
    inputs=("languages", "arrangements", "tokenizer", "encoder", "retrieved", "crawl.evaluation"),
)


def run(spark: SparkSession, config: Config, rebuild: bool = False) -> None:
    """Brings the samples of the configured languages, arrangements and tokenizer up to date.

    Samples whose texts, their attribution and the settings are what they were stay as they are,
    unless all are to be made anew.
    """
    tables = Tables(spark, config.root)
    scope = {
        "target_lang": config.languages,
        "arrangement": config.arrangements,
        "tokenizer": [config.tokenizer],
    }
    with recorded(tables, config, SPEC, reads=tables_read(config)) as record:
        record.inputs = inputs_of(config, SPEC, fingerprint_of_evaluation(spark, config))
        sources = load_sources(tables, config)
        sides = count_sides(sources)
        record.rows_in = sum(sides.values())
        contaminated = stage_contaminated(tables, config, sources)
        held = None if rebuild else tables.find_rows(SAMPLES, scope)
        groups = None if held is None else held.select(*GROUP)
        before = None if held is None else tables.find_version(SAMPLES)
        own = settings_of(config, SPEC.settings)
        made_of = [record.input_versions, before, record.inputs, own]
        staged = stage_samples(tables, sources, sides, contaminated, config, made_of, groups)
        record.settle(count_outcomes(staged), used=("sample", KEPT))
        record.rows_used = record.rows_out
        if held is None:
            tables.replace(SAMPLES, select_samples(staged), scope)
        else:
            tables.merge(SAMPLES, select_samples(staged), select_gone_samples(held, staged))
        record.rows_out = tables.select(SAMPLES, scope).count()
        broken = select_rejects(staged, "samples", ("text",), lang="target_lang")
        tables.replace_rejects("samples", broken, config.languages)
        for name in ("samples", *(["contaminated"] if contaminated is not None else [])):
            tables.unstage(name)
