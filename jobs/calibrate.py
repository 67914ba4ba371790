"""Margins of known pairs to the table ``thresholds``: from which one on a neighbour is right."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from pyspark.sql import SparkSession

from crossic_etl.arguments import parser
from crossic_etl.cli import checked_config, guarded, only_writer, with_writing
from crossic_etl.config import Config
from crossic_etl.encoder_choice import choose_encoder
from crossic_etl.kernels.calibration import Calibration, calibrate
from crossic_etl.known_pairs import score_known
from crossic_etl.ledger import JobSpec
from crossic_etl.runs import recorded
from crossic_etl.schemas import DOCUMENTS, EMBEDDINGS, PAIRS, QUANTIZERS, THRESHOLDS
from crossic_etl.session import get_session
from crossic_etl.tables import Tables
from crossic_etl.threshold_plot import check_plot, missing_packages, write_plot
from crossic_etl.thresholds import report, rows_of, scope_of, scores_by_language
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


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the job from its command line; the exit status is 0, or 1 after one line of error."""
    arguments = with_writing(parser(__doc__ or ""))
    arguments.add_argument(
        "--plot", type=Path, metavar="FILE", help="draw precision and recall there, .html or .svg"
    )
    given = arguments.parse_args(argv)

    def action() -> None:
        config = checked_config(given)
        if given.plot:
            check_plot(given.plot)
        spark = get_session()
        with only_writer(spark, config, given, [SPEC]):
            found = run(spark, config)
        if given.plot:
            draw(found, config.neighbours.wrong_pairs, given.plot)

    return guarded(action)


def draw(found: dict[str, Calibration], wrong_pairs: str, path: Path) -> None:
    """Writes the plot, or says what it lacks."""
    if missing := missing_packages():
        names = " and ".join(missing)
        print(f"calibrate: no plot without {names}: pip install 'crossic-etl[plots]'")
    elif not any(one.table for one in found.values()):
        print("calibrate: no plot without pairs")
    else:
        title = f"Right pairs against {wrong_pairs} wrong ones, by least margin"
        write_plot(found, title, path)
        print(f"calibrate: plot in {path}")


if __name__ == "__main__":
    sys.exit(main())
