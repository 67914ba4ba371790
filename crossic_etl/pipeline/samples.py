"""Job ``samples``: text pairs of ``pairs`` and ``neighbours`` to the table ``samples``."""

from __future__ import annotations

import logging

from pyspark.sql import SparkSession

from crossic_etl.config import Config
from crossic_etl.config.encoder import choose_encoder
from crossic_etl.inputs.run_inputs import RunInputs
from crossic_etl.kernels.samples.names import BY_ENCODER
from crossic_etl.pipeline.sample_chunks import stage_samples
from crossic_etl.pipeline.sample_sources import (
    NeighbourQueries,
    SampleRules,
    count_text_pairs,
    load_sources,
    plan_embedding,
    stage_contaminated,
    stage_text_pairs,
)
from crossic_etl.runs import recorded
from crossic_etl.runs.job import Job
from crossic_etl.runs.ledger import inputs_of, settings_of
from crossic_etl.runs.record import Run
from crossic_etl.schemas import DOCUMENTS, NEIGHBOURS, PAGES, PAIRS, REJECTS, SAMPLES, Table
from crossic_etl.transforms.outcomes import has_any, select_rejects
from crossic_etl.transforms.samples import (
    GROUP,
    KEPT,
    SampleSettings,
    count_sample_outcomes,
    select_gone_samples,
    select_samples,
)
from crossic_etl.transforms.text_pairs import RETRIEVED

log = logging.getLogger(__name__)

# Outcomes of text pairs that are rejects.
BROKEN = ("text",)


def run(
    spark: SparkSession, config: Config, rebuild: bool = False, inputs: RunInputs | None = None
) -> Run:
    """Updates the samples of the configured languages, arrangements and tokenizer.

    A sample is kept if its texts, their attribution and the settings are unchanged. With
    ``rebuild`` all are made again.
    """
    inputs = inputs or RunInputs(spark, config)
    tables = inputs.tables
    scope = {
        "target_lang": config.languages,
        "arrangement": config.arrangements,
        "tokenizer": [config.tokenizer],
    }
    with recorded(tables, config, JOB) as record:
        record.inputs = inputs_of(config, JOB, JOB.fingerprint(inputs))
        sources = load_sources(
            tables,
            config.languages,
            config.arrangements,
            validation_share=config.validation_share,
            seed=config.seed,
            retrieved=queries_of(config),
        )
        n_text_pairs = count_text_pairs(sources)
        record.rows_in = sum(n_text_pairs.values())
        contaminated = stage_contaminated(tables, config.wikis, inputs.evaluation, sources)
        held = None if rebuild or not tables.is_there(SAMPLES) else tables.select(SAMPLES, scope)
        groups = None if held is None else held.select(*GROUP)
        before = None if held is None else tables.find_version(SAMPLES)
        settings = settings_of(config, JOB.settings)
        values = [record.input_versions, before, record.inputs, settings]
        rules = rules_of(config)
        text_pairs = stage_text_pairs(tables, sources, rules, contaminated)
        for line in plan_embedding(text_pairs, rules, groups):
            log.info("%s", line)
        staged = stage_samples(
            tables, sources, text_pairs, n_text_pairs, rules, values, held=groups
        )
        counts = record.resolve_outcomes(count_sample_outcomes(staged), used=("sample", KEPT))
        record.metrics = {
            "embedded_characters": sum(row["embedded"] for row in counts),
            "unmatched_segments": sum(row["unmatched"] for row in counts),
        }
        record.rows_used = record.rows_out
        if held is None:
            record.rows_out = tables.replace(SAMPLES, select_samples(staged), scope)
        else:
            n_made = sum(row["rows"] for row in counts if row["outcome"] == "sample")
            gone = select_gone_samples(held, staged)
            tables.merge(SAMPLES, select_samples(staged), gone, n_changes=n_made or None)
            record.rows_out = tables.select(SAMPLES, scope).count()
        broken = select_rejects(staged, "samples", BROKEN, lang="target_lang")
        tables.replace_rejects("samples", broken, config.languages, has_any(counts, BROKEN))
        tables.unstage(
            "samples", "text_pairs", *(["contaminated"] if contaminated is not None else [])
        )
    return record


def queries_of(config: Config) -> NeighbourQueries | None:
    """The queries whose neighbours make samples; None without the arrangement `retrieved`."""
    if RETRIEVED not in config.arrangements:
        return None
    choice = choose_encoder(config.encoder)
    return NeighbourQueries(choice.model, choice.revision, config.retrieved.queries == "pages")


def rules_of(config: Config) -> SampleRules:
    """The configured rules for making samples from given texts."""
    segment = config.segment
    embeds = segment.align == BY_ENCODER or segment.similarity == "all"
    settings = SampleSettings(
        config.tokenizer,
        config.split_token,
        config.max_tokens,
        segment.separator,
        segment.align,
        segment.similarity,
        segment.unmatched,
        choose_encoder(config.encoder) if embeds else None,
    )
    return SampleRules(config.languages, settings, config.segment.min_chars, config.seed)


def reads(config: Config) -> tuple[Table, ...]:
    """The tables that the job reads; web documents only for the arrangement `retrieved`."""
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
    scratch=("contaminated", "text_pairs", "samples", "changes_of_rejects"),
)
