from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from crossic_etl.schemas import NEIGHBOURS
from crossic_etl.transforms.matches import (
    accept_neighbours,
    count_queries,
    select_corpus,
    select_neighbours,
    select_queries,
    select_vectors,
)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row, SparkSession

Frame = Callable[[str, list[tuple[Any, ...]]], "DataFrame"]
SCORED = (
    "query_id string, target_lang string, doc_id string, rank int, cosine float, margin float, "
    "mutual boolean"
)
ROWS = [
    ("th:1", "th", "a", 1, 0.9, 1.3, True),
    ("th:1", "th", "b", 2, 0.8, 1.1, False),
    ("th:2", "th", "a", 1, 0.7, 1.2, False),
    ("th:3", "th", "a", 1, 0.6, 1.15, False),
    ("ja:1", "ja", "a", 1, 0.5, 1.01, True),
    ("ja:2", "ja", "c", 1, 0.5, None, False),
]
EMBEDDINGS = (
    "id string, kind string, lang string, text_hash string, vector array<float>, half_vector binary"
)


def accepted(rows: list[Row]) -> set[tuple[str, str]]:
    return {(row.query_id, row.doc_id) for row in rows if row.accepted}


@pytest.fixture(scope="module")
def scored(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame(ROWS, SCORED)


def test_a_margin_at_the_languages_threshold_is_accepted(scored: DataFrame) -> None:
    rows = accept_neighbours(scored, {"th": 1.15, "*": 1.0}, 9).collect()
    assert len(rows) == len(ROWS)
    assert accepted(rows) == {("th:1", "a"), ("th:2", "a"), ("th:3", "a"), ("ja:1", "a")}


def test_without_a_threshold_mutual_neighbours_are_accepted(scored: DataFrame) -> None:
    rows = accept_neighbours(scored, {"th": 1.15}, 9).collect()
    assert accepted(rows) == {("th:1", "a"), ("th:2", "a"), ("th:3", "a"), ("ja:1", "a")}
    assert accepted(accept_neighbours(scored, {}, 9).collect()) == {("th:1", "a"), ("ja:1", "a")}


def test_a_document_serves_so_many_queries_of_a_language_the_best_first(scored: DataFrame) -> None:
    rows = accept_neighbours(scored, {"*": 1.0}, 2).collect()
    assert accepted(rows) == {("th:1", "a"), ("th:1", "b"), ("th:2", "a"), ("ja:1", "a")}


def test_neighbours_have_the_columns_of_their_table(scored: DataFrame) -> None:
    rows = select_neighbours(accept_neighbours(scored, {}, 1), "pages", "m", "r")
    assert rows.columns == NEIGHBOURS.columns
    assert {(row.query_kind, row.model, row.revision) for row in rows.collect()} == {
        ("page", "m", "r")
    }


def test_every_query_is_counted_once(frame: Frame, scored: DataFrame) -> None:
    queries = frame(
        "id string, lang string",
        [*((f"th:{i}", "th") for i in (1, 2, 3)), ("ja:1", "ja"), ("ja:2", "ja"), ("ar:1", "ar")],
    )
    neighbours = accept_neighbours(scored, {"th": 1.2}, 9)
    counts: dict[str, int] = {}
    for row in count_queries(queries, neighbours).collect():
        counts[row.outcome] = counts.get(row.outcome, 0) + row.n
    assert counts == {"accepted": 3, "none_accepted": 2, "no_neighbour": 1}


def test_queries_are_of_target_languages_and_the_corpus_is_english(frame: Frame) -> None:
    rows = [
        ("th:1", "page", "th", "h", [1.0], None),
        ("en:1", "page", "en", "h", [1.0], None),
        ("d1", "document", "en", "h", [1.0], None),
        ("d2", "document", "ja", "h", [1.0], None),
        ("d3", "document", "en", "h", None, b"xx"),
    ]
    embeddings = frame(EMBEDDINGS, rows)
    vectors = select_vectors(embeddings, half=False)
    assert [row.id for row in select_queries(vectors, "pages").collect()] == ["th:1"]
    assert [row.id for row in select_queries(vectors, "documents").collect()] == ["d2"]
    assert [row.id for row in select_corpus(vectors).collect()] == ["d1"]
    assert [row.id for row in select_vectors(embeddings, half=True).collect()] == ["d3"]
