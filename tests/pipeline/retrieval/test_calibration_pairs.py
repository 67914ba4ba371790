"""Margins of calibration pairs over vectors in the plane, worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crossic_etl.config.crawl import Encoder, Neighbours
from crossic_etl.config.encoder import choose_encoder
from crossic_etl.pipeline.retrieval.calibration_pairs import (
    CalibrationScores,
    score_calibration_pairs,
    wrong_pairs,
)
from crossic_etl.tables import TableError, Tables

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

VECTORS = "id string, kind string, lang string, text_hash string, vector array<float>, url string"
FILTERED = "target_lang string, query_id string, doc_id string, outcome string"
CHOICE = choose_encoder(Encoder())
SETTINGS = Neighbours(k=1, shards=2)
ON_PAGES = Neighbours(k=1, shards=2, wrong_pairs="nearest")

# Each query looks where its page does; page 3 lies between the others.
NAMED = {
    "th:1": [1.0, 0.0], "en:1": [1.0, 0.0],
    "th:2": [0.0, 1.0], "en:2": [0.0, 1.0],
    "th:3": [0.6, 0.8], "en:3": [0.6, 0.8],
}  # fmt: skip
KNOWN = [("th", f"th:{i}", f"en:{i}", "known") for i in (1, 2, 3)]


def vectors(spark: SparkSession) -> DataFrame:
    pages = [
        (name, "page", name.partition(":")[0], name, vector, None) for name, vector in NAMED.items()
    ]
    documents = [("d", "document", "en", "d", [-1.0, 0.0], None)]
    return spark.createDataFrame([*pages, *documents], VECTORS)


def scored(
    spark: SparkSession,
    folder: Path,
    known: list[tuple[str, str, str, str]],
    settings: Neighbours = SETTINGS,
    of_all: DataFrame | None = None,
) -> CalibrationScores:
    return score_calibration_pairs(
        Tables(spark, str(folder)),
        spark.createDataFrame(known, FILTERED),
        of_all or vectors(spark),
        settings=settings,
        query_kind="pages",
        seed=0,
        choice=CHOICE,
    )


def test_a_wrong_partner_is_the_nearest_other_page_of_the_language(spark: SparkSession) -> None:
    known = spark.createDataFrame(KNOWN, FILTERED)
    of_all = vectors(spark)
    queries, pages = of_all.where("id LIKE 'th:%'"), of_all.where("id LIKE 'en:%'")
    wrong = wrong_pairs(known, queries, pages, ON_PAGES, 2, seed=0)
    assert {tuple(row) for row in wrong.collect()} == {
        ("th", "th:1", "en:3"), ("th", "th:2", "en:3"), ("th", "th:3", "en:2"),
    }  # fmt: skip


def test_a_random_partner_is_a_page_of_another_pair(spark: SparkSession) -> None:
    known = spark.createDataFrame(KNOWN, FILTERED)
    settings = Neighbours(k=1, wrong_pairs="random")
    nothing = vectors(spark).limit(0)
    wrong = wrong_pairs(known, nothing, nothing, settings, 2, seed=0).collect()
    assert sorted(row.query_id for row in wrong) == ["th:1", "th:2", "th:3"]
    assert all(row.doc_id[3:] != row.query_id[3:] for row in wrong)


def test_margins_are_the_cosine_over_the_mean_of_both_neighbourhoods(
    spark: SparkSession, tmp_path: Path
) -> None:
    pairs = [*KNOWN, ("th", "th:9", "en:9", "no_vector")]
    rows = scored(spark, tmp_path, pairs, ON_PAGES).margins.collect()
    margins = {(row.query_id, row.is_right): row.margin for row in rows}
    # The nearest neighbour of every end has the cosine 1, so that a margin is the pair's cosine.
    assert margins == pytest.approx({
        ("th:1", True): 1.0, ("th:2", True): 1.0, ("th:3", True): 1.0,
        ("th:1", False): 0.6, ("th:2", False): 0.8, ("th:3", False): 0.8,
    })  # fmt: skip
    assert {row.target_lang for row in rows} == {"th"}


def test_the_wrong_document_is_the_best_in_a_neighbourhood_without_the_own_page(
    spark: SparkSession, tmp_path: Path
) -> None:
    of_all = vectors(spark).where("id <> 'd'")
    documents = [("copy of 1", [0.96, 0.28]), ("a", [0.8, 0.6]), ("b", [-0.6, 0.8])]
    rows = [(name, "document", "en", name, vector, None) for name, vector in documents]
    with_documents = of_all.unionByName(spark.createDataFrame(rows, VECTORS))
    margins, n_searched = scored(spark, tmp_path, KNOWN, of_all=with_documents)
    # A right pair has the cosine 1, as both its neighbourhoods have. The document a is a copy of
    # page 3, so 3 finds the copy of page 1, and 1 finds a. Both are at 0.96 of their nearest query.
    # No query finds a page: 3 is at 0.8 of page 2, and would prefer it to any document.
    assert {(row.query_id, row.is_right): row.margin for row in margins.collect()} == {
        ("th:1", True): pytest.approx(1.0), ("th:1", False): pytest.approx(0.8 / 0.88),
        ("th:2", True): pytest.approx(1.0), ("th:2", False): pytest.approx(1.0),
        ("th:3", True): pytest.approx(1.0), ("th:3", False): pytest.approx(0.8 / 0.88),
    }  # fmt: skip
    assert n_searched == 3


def test_without_a_known_pair_there_is_no_margin(spark: SparkSession, tmp_path: Path) -> None:
    for settings in (SETTINGS, ON_PAGES):
        found = scored(spark, tmp_path, [("th", "th:1", "en:1", "same_text")], settings)
        assert (found.margins.collect(), found.n_searched) == ([], 1)


def test_without_documents_there_is_nothing_to_search(spark: SparkSession, tmp_path: Path) -> None:
    with pytest.raises(TableError, match="embeddings has no English documents"):
        score_calibration_pairs(
            Tables(spark, str(tmp_path)), spark.createDataFrame(KNOWN, FILTERED),
            vectors(spark).where("kind = 'page'"), settings=SETTINGS, query_kind="pages", seed=0,
            choice=CHOICE,
        )  # fmt: skip
