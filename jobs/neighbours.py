"""Embeddings to the table ``neighbours``: English documents found for target-language texts."""

import sys

from pyspark.sql import SparkSession

from crossic_etl.cli import run_job
from crossic_etl.config import Config
from crossic_etl.encoder_choice import choose_encoder
from crossic_etl.retrieval import (
    EXCLUDED,
    choose_router,
    make_search,
    measure,
    print_plan,
    sizes_of,
)
from crossic_etl.runs import recorded
from crossic_etl.schemas import DOCUMENTS, EMBEDDINGS, NEIGHBOURS, QUANTIZERS, THRESHOLDS
from crossic_etl.tables import Tables
from crossic_etl.thresholds import reads_needed, thresholds_of
from crossic_etl.transforms.matches import (
    accept_neighbours,
    add_urls,
    count_queries,
    select_corpus,
    select_neighbours,
    select_queries,
    select_vectors,
)
from crossic_etl.transforms.neighbours import (
    add_margins,
    find_backward,
    find_candidates,
    merge_candidates,
)
from crossic_etl.transforms.outcomes import count_outcomes

READS, WRITES = (EMBEDDINGS, DOCUMENTS, THRESHOLDS), (NEIGHBOURS, QUANTIZERS)


def run(spark: SparkSession, config: Config) -> None:
    """Replaces the neighbours of the configured languages and encoder."""
    tables, choice = Tables(spark, config.root), choose_encoder(config.encoder)
    settings, wanted = config.neighbours, config.retrieved.queries
    scope = {
        "target_lang": config.languages,
        "model": [choice.model],
        "revision": [choice.revision],
    }
    with recorded(tables, config, "neighbours", reads_needed(READS, config)) as record:
        thresholds = thresholds_of(tables, config, choice)
        held = tables.select(EMBEDDINGS, {**choice.scope, "lang": config.wikis})
        vectors = add_urls(select_vectors(held, choice.half), tables.read(DOCUMENTS))
        queries, corpus = select_queries(vectors, wanted), select_corpus(vectors)
        sizes = sizes_of(queries, corpus, choice.half)
        record.rows_in = sizes.n_queries
        print_plan(settings, sizes)
        search = make_search(settings, sizes.dimension)
        router = choose_router(tables, corpus, sizes, config, choice)
        candidates = find_candidates(
            queries, corpus, search, settings.shards, router, exclude=EXCLUDED
        )
        forward = tables.stage("forward", merge_candidates(candidates, search.k))
        backward = tables.stage(
            "backward",
            find_backward(forward, queries, corpus, search, settings.shards, router, EXCLUDED),
        )
        scored = add_margins(forward, backward)
        accepted = accept_neighbours(scored, thresholds, settings.max_uses)
        made = select_neighbours(accepted, wanted, choice.model, choice.revision)
        staged = tables.stage("neighbours", made)
        record.settle(count_outcomes(count_queries(queries, staged)), used=("accepted",))
        record.rows_used = record.rows_out
        record.metrics = measure(forward, queries, corpus, sizes, config)
        tables.replace(NEIGHBOURS, staged, scope)
        record.rows_out = tables.select(NEIGHBOURS, scope).count()
        for name in ("forward", "backward", "neighbours"):
            tables.unstage(name)


if __name__ == "__main__":
    sys.exit(run_job(run, __doc__))
