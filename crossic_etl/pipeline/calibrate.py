"""Job ``calibrate``: margins of known pairs to ``thresholds``, the least margins of a match."""

from __future__ import annotations

import logging

from pyspark.sql import SparkSession

from crossic_etl.config import Config, ConfigError
from crossic_etl.config.crawl import SEARCHED, Neighbours
from crossic_etl.config.encoder import choose_encoder
from crossic_etl.inputs.run_inputs import RunInputs
from crossic_etl.kernels.search.calibration import Calibration, calibrate
from crossic_etl.pipeline.retrieval.calibration_pairs import (
    BACKWARD,
    FORWARD,
    SCRATCH,
    score_calibration_pairs,
)
from crossic_etl.pipeline.retrieval.thresholds import report, rows_of, scope_of, scores_by_language
from crossic_etl.runs import recorded
from crossic_etl.runs.job import Job, always, needs_crawl
from crossic_etl.runs.record import Run
from crossic_etl.schemas import DOCUMENTS, EMBEDDINGS, PAIRS, QUANTIZERS, THRESHOLDS
from crossic_etl.transforms.matches import add_urls, select_vectors
from crossic_etl.transforms.outcomes import count_outcomes
from crossic_etl.transforms.thresholds import CALIBRATED, count_pairs, filter_pairs

log = logging.getLogger(__name__)

PAIRS_SCRATCH = "calibration_pairs"


def run(
    spark: SparkSession, config: Config, rebuild: bool = False, inputs: RunInputs | None = None
) -> Run:
    """Replaces the thresholds of the configured languages and encoder."""
    return find_thresholds(inputs or RunInputs(spark, config))[0]


def find_thresholds(inputs: RunInputs) -> tuple[Run, dict[str, Calibration]]:
    """Like `run`; also returns the calibration of each language."""
    spark, config, tables = inputs.spark, inputs.config, inputs.tables
    choice = choose_encoder(config.encoder)
    settings = config.neighbours
    scope = scope_of(settings, config.languages, choice)
    with recorded(tables, config, JOB) as record:
        held = tables.select(EMBEDDINGS, {**choice.scope, "lang": config.wikis})
        vectors = add_urls(select_vectors(held, choice.half), tables.read(DOCUMENTS))
        pairs = tables.select(PAIRS, {"target_lang": config.languages})
        record.rows_in = pairs.count()
        filtered = tables.stage(PAIRS_SCRATCH, filter_pairs(pairs, vectors, config.seed))
        scored = score_calibration_pairs(
            tables,
            filtered,
            vectors,
            settings=settings,
            query_kind=config.retrieved.queries,
            seed=config.seed,
            choice=choice,
        )
        scores = tables.stage("calibrate", scored.margins)
        record.resolve_outcomes(count_outcomes(count_pairs(filtered, scores)), used=(CALIBRATED,))
        record.rows_used = record.rows_out
        right, wrong = scores_by_language(scores, config.languages)
        found = calibrate(
            right, wrong, settings.precision, max_false_accept=settings.max_false_accept
        )
        rows = list(rows_of(found, settings, choice, scored.n_searched))
        tables.replace(THRESHOLDS, spark.createDataFrame(rows, THRESHOLDS.schema), scope)
        record.rows_out = len(rows)
        for line in report(found, settings):
            log.info("%s", line)
        tables.unstage(*staged(settings))
    return record, found


def staged(settings: Neighbours) -> tuple[str, ...]:
    """The scratch tables of a run: neighbour lists where wrong pairs are chosen among them."""
    lists = (FORWARD, BACKWARD) if settings.wrong_pairs == SEARCHED else ()
    return (PAIRS_SCRATCH, SCRATCH, *lists, "calibrate")


def needs(config: Config) -> ConfigError | None:
    """Checks that calibration is asked for, and that there are crawl files to search."""
    if config.crawl.sources and not config.neighbours.calibrate:
        return ConfigError("neighbours.calibrate", False, "true for the job calibrate")
    return needs_crawl("calibrate")(config)


JOB = Job(
    name="calibrate",
    run=run,
    writes=(THRESHOLDS, QUANTIZERS),
    reads=always(PAIRS, EMBEDDINGS, DOCUMENTS),
    settings=("encoder", "neighbours", "retrieved", "seed"),
    needs=needs,
    scratch=(PAIRS_SCRATCH, SCRATCH, FORWARD, BACKWARD, "calibrate"),
)
