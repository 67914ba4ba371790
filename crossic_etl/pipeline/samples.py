"""Pairs, and what was retrieved, with their texts to the table ``samples``."""

from __future__ import annotations

from pyspark.sql import SparkSession

from crossic_etl.config import Config
from crossic_etl.inputs.run_inputs import RunInputs
from crossic_etl.pipeline.sample_sources import (
    count_sides,
    load_sources,
    stage_contaminated,
    stage_samples,
)
from crossic_etl.runs import recorded
from crossic_etl.runs.job import Job
from crossic_etl.runs.ledger import inputs_of, settings_of
from crossic_etl.runs.record import Run
from crossic_etl.schemas import DOCUMENTS, NEIGHBOURS, PAGES, PAIRS, REJECTS, SAMPLES, Table
from crossic_etl.tables import Tables
from crossic_etl.transforms.outcomes import count_outcomes, select_rejects
from crossic_etl.transforms.samples import (
    GROUP,
    KEPT,
    select_gone_samples,
    select_samples,
)
from crossic_etl.transforms.sides import RETRIEVED


def run(
    spark: SparkSession, config: Config, rebuild: bool = False, inputs: RunInputs | None = None
) -> Run:
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
    with recorded(tables, config, JOB) as record:
        inputs = inputs or RunInputs(spark, config)
        record.inputs = inputs_of(config, JOB, JOB.fingerprint(inputs))
        sources = load_sources(tables, config)
        sides = count_sides(sources)
        record.rows_in = sum(sides.values())
        contaminated = stage_contaminated(tables, config.wikis, inputs.evaluation, sources)
        held = None if rebuild else tables.find_rows(SAMPLES, scope)
        groups = None if held is None else held.select(*GROUP)
        before = None if held is None else tables.find_version(SAMPLES)
        own = settings_of(config, JOB.settings)
        made_of = [record.input_versions, before, record.inputs, own]
        staged = stage_samples(tables, sources, sides, contaminated, config, made_of, groups)
        record.resolve_outcomes(count_outcomes(staged), used=("sample", KEPT))
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
    return record


def reads(config: Config) -> tuple[Table, ...]:
    """Web documents are read only where the arrangement `retrieved` is made."""
    of_crawl = (NEIGHBOURS, DOCUMENTS) if RETRIEVED in config.arrangements else ()
    return (PAIRS, PAGES, *of_crawl)


JOB = Job(
    name="samples",
    run=run,
    writes=(SAMPLES, REJECTS),
    reads=reads,
    settings=("split_token", "segment", "window.length", "validation_share", "seed"),
    inputs=("languages", "arrangements", "tokenizer", "encoder", "retrieved", "crawl.evaluation"),
    fingerprint=lambda inputs: inputs.evaluation_fingerprint,
    can_rebuild=True,
    scratch=("contaminated", "samples", "changes_of_rejects"),
)
