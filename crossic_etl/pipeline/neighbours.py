"""Job ``neighbours``: the English documents nearest to target-language texts, from embeddings."""

from __future__ import annotations

import logging

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from crossic_etl.config import Config
from crossic_etl.config.encoder import choose_encoder
from crossic_etl.inputs.run_inputs import RunInputs
from crossic_etl.pipeline.retrieval.incremental import start_search
from crossic_etl.pipeline.retrieval.plan import measure_recall
from crossic_etl.pipeline.retrieval.thresholds import (
    thresholds_of,
    uncovered_languages,
    warn_of_growth,
)
from crossic_etl.runs import recorded
from crossic_etl.runs.job import Job, needs_crawl
from crossic_etl.runs.record import Run
from crossic_etl.schemas import (
    DOCUMENTS,
    EMBEDDINGS,
    NEIGHBOURS,
    QUANTIZERS,
    REVERSE_NEIGHBOURS,
    SEARCHED_VECTORS,
    SEARCHES,
    THRESHOLDS,
    Table,
)
from crossic_etl.transforms.changes import GONE, mark_changes
from crossic_etl.transforms.matches import accept_neighbours, count_queries, select_neighbours
from crossic_etl.transforms.neighbours import add_margins
from crossic_etl.transforms.outcomes import count_outcomes

log = logging.getLogger(__name__)


def run(
    spark: SparkSession, config: Config, rebuild: bool = False, inputs: RunInputs | None = None
) -> Run:
    """Updates the neighbours of the configured languages and encoder."""
    inputs = inputs or RunInputs(spark, config)
    tables, choice = inputs.tables, choose_encoder(config.encoder)
    settings, wanted = config.neighbours, config.retrieved.queries
    with recorded(tables, config, JOB) as record:
        thresholds = thresholds_of(tables, settings, config.languages, choice)
        search = start_search(
            tables,
            settings=settings,
            languages=config.languages,
            query_kind=wanted,
            seed=config.seed,
            choice=choice,
        )
        warn_of_growth(thresholds, search.sizes.n_documents)
        record.rows_in = search.sizes.n_queries
        forward = search.forward()
        backward = search.backward(forward.found)
        scored = add_margins(forward.found, backward.found)
        accepted = accept_neighbours(scored, thresholds.least, settings.max_uses)
        made = select_neighbours(accepted, wanted, choice.model, choice.revision)
        marked = tables.stage("neighbours", mark_changes(made, search.neighbours, NEIGHBOURS))
        left = marked.where(F.col("change") != GONE)
        record.resolve_outcomes(
            count_outcomes(count_queries(search.queries, left)), used=("accepted",)
        )
        record.rows_used = record.rows_out
        if record.rows_used and "retrieved" not in config.arrangements:
            log.info("neighbours: arrangements has no retrieved, so they make no samples")
        record.metrics = forward.counts("queries") | backward.counts("documents")
        if forward.n_in_all or forward.n_in_new:
            record.metrics |= measure_recall(
                forward.found,
                search.queries,
                search.corpus,
                search.sizes,
                settings=settings,
                seed=config.seed,
            )
        others = search.changes(forward.found, backward.found)
        record.rows_out, removed = search.state.publish(marked, others, search.generation)
        record.metrics["removed"] = removed
        search.unstage()
        tables.unstage("neighbours")
    return record


def reads(config: Config) -> tuple[Table, ...]:
    """The tables that the job reads; ``thresholds`` only if calibrated thresholds are asked for."""
    calibrated = (THRESHOLDS,) if uncovered_languages(config.neighbours, config.languages) else ()
    return (EMBEDDINGS, DOCUMENTS, *calibrated)


JOB = Job(
    name="neighbours",
    run=run,
    writes=(NEIGHBOURS, REVERSE_NEIGHBOURS, SEARCHED_VECTORS, SEARCHES, QUANTIZERS),
    reads=reads,
    settings=("encoder", "neighbours", "retrieved", "seed"),
    needs=needs_crawl("neighbours"),
    scratch=("neighbours_plan", "forward", "backward", "reverse_neighbours", "neighbours"),
)
