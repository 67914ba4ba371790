"""Sections on retrieval: neighbours and their scores, thresholds, similarity of samples' texts."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from crossic_etl.config.crawl import Encoder
from crossic_etl.config.encoder import choose_encoder
from crossic_etl.report.charts import curves, histograms, with_ends
from crossic_etl.report.content import Figure, Grid, Section
from crossic_etl.report.flow import newest
from crossic_etl.report.source import ReportSource, collect
from crossic_etl.report.texts import described_grid
from crossic_etl.schemas import NEIGHBOURS, SAMPLES, THRESHOLDS
from crossic_etl.transforms.report import (
    compare_sides,
    describe,
    histogram,
    measure_neighbours,
    sample_groups,
    with_both_sides,
)

COSINE_STEP, MARGIN_STEP = 0.05, 0.05
# Samples of each arrangement; the encoder needs some 10 ms for a text.
MOST_COMPARED = 200
# Columns that a calibration's margins are specific to.
CALIBRATED = ("model", "k", "wrong_pairs")
SCORES = (",d", ".3f", ".3f", ".3f", ".3f", ".3f")


def neighbours_section(source: ReportSource) -> Section | None:
    """Recall of the search, counts of neighbours, and scores of each query's nearest document."""
    neighbours = source.find(NEIGHBOURS)
    if neighbours is None:
        return None
    rows = collect(measure_neighbours(neighbours), ["target_lang", "query_kind"])
    if not rows:
        return Section("neighbours", "Retrieval", "Nothing was found.")
    grid = Grid(
        "Neighbours by language",
        ("language", "queries are", "queries", "neighbours", "mutual", "accepted"),
        ("", "", ",d", ",d", ",d", ",d"),
        tuple(
            (
                row["target_lang"], f"{row['query_kind']}s",
                *[row[name] for name in ("queries", "rows", "mutual", "accepted")],
            )
            for row in rows
        ),
    )  # fmt: skip
    figures = _scores(neighbours.where(F.col("rank") == 1))
    return Section("neighbours", "Retrieval", _recall(source), figures, [grid])


def _recall(source: ReportSource) -> str:
    """A sentence on the recall that the newest search measured."""
    nearest = "The scores are those of the nearest document of each query."
    metrics: dict[str, int] = next(
        (run["metrics"] for run in newest(source) if run["job"] == "neighbours"), {}
    )
    if not (expected := metrics.get("recall_expected")):
        return f"The search was exact, or its recall wasn't measured. {nearest}"
    found, n_queries = metrics["recall_found"], metrics["recall_queries"]
    return (
        f"Recall of the newest search: {found / expected:.1%}, {found:,} of the {expected:,} "
        f"neighbours that an exact search finds for {n_queries:,} queries. {nearest}"
    )


def _scores(nearest: DataFrame) -> list[Figure]:
    named = nearest.withColumn("state", F.when(F.col("accepted"), "accepted").otherwise("refused"))
    figures = []
    for score, step in (("cosine", COSINE_STEP), ("margin", MARGIN_STEP)):
        value = F.col(score).cast("double")
        described = collect(describe(nearest, ["target_lang"], value), ["target_lang"])
        counted = collect(histogram(named, ["target_lang", "state"], value, step))
        if described:
            title = f"{score.capitalize()} of the nearest document"
            bins = with_ends(counted, step)
            chart = histograms(bins, "target_lang", score, kind="state", form="~f")
            grid = described_grid(title, "target_lang", described, SCORES)
            figures.append(Figure(title, chart, grid))
    return figures


def thresholds_section(source: ReportSource) -> Section | None:
    """The thresholds that calibrations chose, with precision and recall of each margin."""
    thresholds = source.find(THRESHOLDS)
    if thresholds is None:
        return None
    rows = collect(thresholds, [*CALIBRATED, "revision", "span_rule", "target_lang"])
    figures = []
    for scope, of_scope in groupby(rows, key=lambda row: [row[name] for name in CALIBRATED]):
        model, k, wrong = scope
        figures.append(_margins(f"{model}, k {k}, {wrong} wrong pairs", list(of_scope)))
    text = (
        "A neighbour is accepted from its language's least margin on (* is all languages "
        "together). Precision and recall are those among Wikipedia's pairs, which are known to be "
        "right, and one wrong candidate for each; the dashed line is the margin that was taken. "
        "False acceptance is the share of wrong candidates that are accepted. Where they are the "
        "best of all that is searched, it is the share of pages that would accept something if "
        "their English page weren't there; with 95 % confidence it is below the bound."
    )
    return Section("thresholds", "Thresholds", text, figures) if figures else None


def _margins(title: str, rows: list[dict[str, Any]]) -> Figure:
    """Precision and recall by threshold, a panel for each language that has pairs."""
    points = [
        {"lang": row["target_lang"], "margin": point["threshold"], "share": point[measure],
         "measure": measure}
        for row in rows
        for point in row["points"]
        for measure in ("precision", "recall")
    ]  # fmt: skip
    drawn = {point["lang"] for point in points}
    chosen = {row["target_lang"]: row["threshold"] for row in rows if row["threshold"] is not None}
    marks = {lang: margin for lang, margin in chosen.items() if lang in drawn}
    grid = Grid(
        title,
        (
            "language", "threshold", "precision", "recall", "false acceptance", "bound",
            "right pairs", "wrong pairs", "is from",
        ),
        ("", ".3f", ".3f", ".3f", ".3f", ".3f", ",d", ",d", ""),
        tuple(
            (
                *[row[name] for name in ("target_lang", "threshold", "precision", "recall")],
                *[row[name] for name in ("false_accept", "highest_false_accept")],
                *[row[name] for name in ("n_right", "n_wrong")],
                "all languages" if row["pooled"] else "its own pairs",
            )
            for row in rows
        ),
    )  # fmt: skip
    svg = curves(points, "lang", "measure", "margin", "share", marks) if points else ""
    return Figure(title, svg, grid)


def similarity_section(source: ReportSource) -> Section | None:
    """Cosines of the two texts of samples, by arrangement."""
    samples = source.find(SAMPLES)
    if samples is None:
        return None
    both = with_both_sides(samples)
    chosen = sample_groups(
        both, ["arrangement"], "sample_id", MOST_COMPARED, source.seed, "similarity"
    )
    choice = choose_encoder(Encoder())
    # Materialised, as it is read twice below: texts go through the encoder once.
    compared = source.tables.spark.createDataFrame(compare_sides(chosen, choice).toArrow())
    described = collect(describe(compared, ["arrangement"], F.col("cosine")), ["arrangement"])
    if not described:
        return None
    counted = collect(histogram(compared, ["arrangement"], F.col("cosine"), COSINE_STEP))
    title = "Cosine of the two sides"
    bins = with_ends(counted, COSINE_STEP)
    chart = histograms(bins, "arrangement", "cosine", form="~f")
    text = (
        f"The English and the target text of {MOST_COMPARED} samples of each arrangement, chosen "
        f"by a hash, as the embedded encoder ({choice.model}) sees their first "
        f"{choice.rule.max_characters:,} characters. Sides on one subject are near; those of the "
        "arrangement random aren't, and show how near any two texts are."
    )
    grid = described_grid(title, "arrangement", described, SCORES)
    return Section("similarity", "How similar the sides are", text, [Figure(title, chart, grid)])
