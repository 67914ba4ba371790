"""Job ``embeddings``: embeds the texts of pages and documents that have no vector yet."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from crossic_etl.config import Config
from crossic_etl.config.encoder import choose_encoder
from crossic_etl.inputs.run_inputs import RunInputs
from crossic_etl.kernels.encoding.spec import EncoderChoice
from crossic_etl.runs import recorded
from crossic_etl.runs.job import Job, always, needs_crawl
from crossic_etl.runs.ledger import inputs_of, settings_of
from crossic_etl.runs.record import Run
from crossic_etl.schemas import DOCUMENTS, EMBEDDINGS, PAGES, PAIRS, REJECTS
from crossic_etl.tables import Chunk, Tables
from crossic_etl.tables.chunks import MOST, stage_chunks
from crossic_etl.transforms.embeddings import (
    BROKEN,
    choose_texts,
    number_chunks,
    plan_embeddings,
    select_embeddings,
    select_gone,
    select_new,
    select_outcomes,
    select_texts,
)
from crossic_etl.transforms.encoding import EMBEDDED, embed_texts, task_number
from crossic_etl.transforms.outcomes import count_outcomes, has_any, select_rejects

NAME, TEXTS = "embeddings", "embeddings_texts"
# Ours, for a chunk: some minutes on two cores.
LEAST_TEXTS = 100_000


def run(
    spark: SparkSession, config: Config, rebuild: bool = False, inputs: RunInputs | None = None
) -> Run:
    """Adds new, replaces changed and removes vanished vectors of the configured encoder."""
    inputs = inputs or RunInputs(spark, config)
    tables, choice = inputs.tables, choose_encoder(config.encoder)
    scope = {"lang": config.wikis}
    with recorded(tables, config, JOB) as record:
        pages, documents = tables.select(PAGES, scope), tables.select(DOCUMENTS, scope)
        pairs = tables.select(PAIRS, {"target_lang": config.languages})
        record.rows_in = pages.count() + documents.count()
        texts = choose_texts(pages, pairs, documents, config.retrieved.queries, config.seed)
        held = tables.select_if_there(EMBEDDINGS, {**choice.scope, **scope})
        versions = {**record.input_versions, EMBEDDINGS.name: tables.find_version(EMBEDDINGS)}
        values = [versions, inputs_of(config, JOB), settings_of(config, JOB.settings)]
        plan = tables.stage("embeddings_plan", plan_embeddings(texts, held, choice.half))
        texts = select_texts(plan, pages, documents, choice.rule)
        staged = stage_vectors(tables, texts, select_new(plan).count(), choice, values)
        outcomes = count_outcomes(select_outcomes(plan, staged))
        counts = record.resolve_outcomes(outcomes, used=(EMBEDDED,))
        gone = select_gone(plan, staged, choice)
        record.metrics = {"removed": gone.count()}
        n_changes = record.rows_out + record.metrics["removed"]
        tables.merge(EMBEDDINGS, select_embeddings(staged), gone, n_changes=n_changes)
        broken = select_rejects(staged, "embeddings", BROKEN)
        tables.replace_rejects("embeddings", broken, config.wikis, has_any(counts, BROKEN))
        tables.unstage("embeddings_plan", "embeddings")
    return record


def stage_vectors(
    tables: Tables,
    texts: DataFrame,
    n_texts: int,
    choice: EncoderChoice,
    input_values: Sequence[object],
) -> DataFrame:
    """Stages the vectors of `select_texts`'s rows, which ``input_values`` determine.

    With several chunks the texts are staged too, each chunk in a partition. Otherwise each chunk
    would scan all pages and documents for its texts.
    """
    n_chunks = max(1, min(MOST, n_texts // LEAST_TEXTS))
    n_tasks = task_number(-(-n_texts // n_chunks))
    if n_chunks > 1:
        texts = tables.stage(TEXTS, number_chunks(texts, n_chunks), partition_by="chunk")

    def stage(number: int, chunk: Chunk | None) -> DataFrame:
        part = texts if chunk is None else texts.where(F.col("chunk") == number).drop("chunk")
        return tables.stage(NAME, embed_texts(part, choice, n_tasks), chunk)

    staged = stage_chunks(tables, NAME, [choice.scope, *input_values], range(n_chunks), stage)
    if n_chunks > 1:
        tables.unstage(TEXTS)
    return staged


JOB = Job(
    name=NAME,
    run=run,
    writes=(EMBEDDINGS, REJECTS),
    reads=always(PAGES, PAIRS, DOCUMENTS),
    settings=("encoder", "retrieved", "seed"),
    needs=needs_crawl(NAME),
    scratch=("embeddings_plan", TEXTS, NAME, "changes_of_rejects"),
)
