"""Margins of known pairs to the table ``thresholds``: from which one on a neighbour is right."""

from __future__ import annotations

from pyspark.sql import SparkSession

from crossic_etl.config import Config
from crossic_etl.config.encoder import choose_encoder
from crossic_etl.kernels.search.calibration import Calibration, calibrate
from crossic_etl.pipeline.retrieval.known_pairs import score_known
from crossic_etl.pipeline.retrieval.thresholds import report, rows_of, scope_of, scores_by_language
from crossic_etl.runs import recorded
from crossic_etl.runs.ledger import JobSpec
from crossic_etl.schemas import DOCUMENTS, EMBEDDINGS, PAIRS, QUANTIZERS, THRESHOLDS
from crossic_etl.tables import Tables
from crossic_etl.transforms.matches import add_urls, select_vectors
from crossic_etl.transforms.outcomes import count_outcomes
from crossic_etl.transforms.thresholds import CALIBRATED, count_pairs, judge_pairs

READS, WRITES = (PAIRS, EMBEDDINGS, DOCUMENTS), (THRESHOLDS, QUANTIZERS)
SPEC = JobSpec("calibrate", READS, WRITES, ("encoder", "neighbours", "retrieved", "seed"))


def run(spark: SparkSession, config: Config) -> dict[str, Calibration]:
    """Replaces the thresholds of the configured languages and encoder, and returns them."""
    tables, choice = Tables(spark, config.root), choose_encoder(config.encoder)
    settings, scope = config.neighbours, scope_of(config, choice)
    with recorded(tables, config, SPEC) as record:
        held = tables.select(EMBEDDINGS, {**choice.scope, "lang": config.wikis})
        vectors = add_urls(select_vectors(held, choice.half), tables.read(DOCUMENTS))
        pairs = tables.select(PAIRS, {"target_lang": config.languages})
        record.rows_in = pairs.count()
        judged = tables.stage("known_pairs", judge_pairs(pairs, vectors, config.seed))
        scores = tables.stage("calibrate", score_known(tables, judged, vectors, config, choice))
        record.settle(count_outcomes(count_pairs(judged, scores)), used=(CALIBRATED,))
        record.rows_used = record.rows_out
        right, wrong = scores_by_language(scores, config.languages)
        found = calibrate(right, wrong, settings.precision)
        rows = list(rows_of(found, config, choice))
        tables.replace(THRESHOLDS, spark.createDataFrame(rows, THRESHOLDS.schema), scope)
        record.rows_out = len(rows)
        print("\n".join(report(found, settings.precision)), flush=True)
        for name in ("known_pairs", "pairs_to_score", "calibrate"):
            tables.unstage(name)
    return found
