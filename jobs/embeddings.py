"""Texts of pages and documents to the table ``embeddings``, those that aren't in it yet."""

import sys

from pyspark.sql import SparkSession

from crossic_etl.cli import run_job
from crossic_etl.config import Config
from crossic_etl.embedding_units import stage_vectors
from crossic_etl.encoder_choice import choose_encoder
from crossic_etl.ledger import JobSpec, inputs_of, settings_of
from crossic_etl.runs import recorded
from crossic_etl.schemas import DOCUMENTS, EMBEDDINGS, PAGES, PAIRS, REJECTS
from crossic_etl.tables import Tables
from crossic_etl.transforms.embeddings import (
    BROKEN,
    EMBEDDED,
    choose_texts,
    plan_embeddings,
    select_embeddings,
    select_gone,
    select_new,
    select_outcomes,
    select_texts,
)
from crossic_etl.transforms.outcomes import count_outcomes, select_rejects

READS, WRITES = (PAGES, PAIRS, DOCUMENTS), (EMBEDDINGS, REJECTS)
SPEC = JobSpec("embeddings", READS, WRITES, ("encoder", "retrieved", "seed"))


def run(spark: SparkSession, config: Config) -> None:
    """Adds what is new, replaces what changed and removes what vanished, of the chosen encoder."""
    tables, choice = Tables(spark, config.root), choose_encoder(config.encoder)
    scope = {"lang": config.wikis}
    with recorded(tables, config, SPEC) as record:
        pages, documents = tables.select(PAGES, scope), tables.select(DOCUMENTS, scope)
        pairs = tables.select(PAIRS, {"target_lang": config.languages})
        record.rows_in = pages.count() + documents.count()
        texts = choose_texts(pages, pairs, documents, config.retrieved.queries, config.seed)
        held = tables.select_or_create(EMBEDDINGS, {**choice.scope, **scope})
        versions = {**record.input_versions, EMBEDDINGS.name: tables.version(EMBEDDINGS)}
        made_of = [versions, inputs_of(config, SPEC), settings_of(config, SPEC.settings)]
        plan = tables.stage("embeddings_plan", plan_embeddings(texts, held, choice.half))
        texts = select_texts(plan, pages, documents, choice.rule)
        staged = stage_vectors(tables, texts, select_new(plan).count(), choice, made_of)
        record.settle(count_outcomes(select_outcomes(plan, staged)), used=(EMBEDDED,))
        gone = select_gone(plan, staged, choice)
        record.metrics = {"removed": gone.count()}
        tables.merge(EMBEDDINGS, select_embeddings(staged), gone)
        broken = select_rejects(staged, "embeddings", BROKEN)
        tables.replace_rejects("embeddings", broken, config.wikis)
        tables.unstage("embeddings_plan")
        tables.unstage("embeddings")


if __name__ == "__main__":
    sys.exit(run_job(run, SPEC, __doc__))
