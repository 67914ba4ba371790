from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pyspark.sql import functions as F

from crossic_etl.kernels.search.quantizer import Quantizer
from crossic_etl.kernels.search.settings import Search
from crossic_etl.transforms.candidates import SearchRequest, find_candidates, merge_candidates
from crossic_etl.transforms.neighbours import (
    NEIGHBOUR_COLUMNS,
    add_margins,
    limit_uses,
    merge_neighbours,
    recall_at_k,
)
from crossic_etl.transforms.quantizers import load_router, sample_by_hash, train_quantizer

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row, SparkSession

Frame = Callable[[str, list[tuple[Any, ...]]], "DataFrame"]

D, K = 16, 5
VECTORS = "id string, lang string, vector array<float>, page string"
NEIGHBOURS = "query_id string, target_lang string, doc_id string, rank int, cosine float"
SEARCH = Search(K, D, query_block=50)


@cache
def unit(n: int, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((n, D)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def documents() -> np.ndarray:
    """Vectors of documents, some of them equal: ties between shards, and in a crowd."""
    vectors = unit(300, 0).copy()
    vectors[100:110] = vectors[5]
    vectors[110:130] = vectors[250]
    return vectors


def queries() -> np.ndarray:
    vectors = unit(60, 1).copy()
    vectors[0], vectors[1] = unit(300, 0)[5], unit(300, 0)[250]
    return vectors


def made(spark: SparkSession, vectors: np.ndarray, name: str, langs: str = "en") -> DataFrame:
    names = langs.split()
    rows = [
        (f"{name}{i:03}", names[i % len(names)], vector.tolist(), f"page{i % 50}")
        for i, vector in enumerate(vectors)
    ]
    return spark.createDataFrame(rows, VECTORS)


def found_by(found: list[Row]) -> dict[str, list[str]]:
    """The documents of each query, best first; ranks without a gap."""
    rows: dict[str, list[Any]] = {}
    for row in found:
        rows.setdefault(row.query_id, []).append(row)
    for of_query in rows.values():
        of_query.sort(key=lambda row: row["rank"])
        assert [row["rank"] for row in of_query] == list(range(1, len(of_query) + 1))
    return {name: [row.doc_id for row in of_query] for name, of_query in rows.items()}


def brute_force(allowed: Callable[[int, int], bool] | None = None) -> dict[str, list[str]]:
    scores = (queries().astype(np.float64) @ documents().T.astype(np.float64)).astype(np.float32)
    best = {}
    for i, row in enumerate(scores):
        ranked = [int(j) for j in np.argsort(-row, kind="stable")]
        best[f"q{i:03}"] = [f"d{j:03}" for j in ranked if allowed is None or allowed(i, j)][:K]
    return best


@pytest.fixture(scope="module")
def corpus(spark: SparkSession) -> DataFrame:
    return made(spark, documents(), "d")


@pytest.fixture(scope="module")
def asked(spark: SparkSession) -> DataFrame:
    return made(spark, queries(), "q", "th ja")


@pytest.fixture(scope="module")
def quantizer(corpus: DataFrame) -> bytes:
    (row,) = train_quantizer(corpus, D, 12, seed=1).collect()
    assert row.n_trained == 300
    return bytes(row.quantizer)


@pytest.mark.parametrize("shards", [1, 7, 64])
def test_exact_is_brute_force_to_the_last_neighbour(
    corpus: DataFrame, asked: DataFrame, shards: int
) -> None:
    merged = merge_candidates(find_candidates(asked, corpus, SearchRequest(SEARCH, shards)), K)
    assert merged.columns == list(NEIGHBOUR_COLUMNS)
    rows = merged.collect()
    assert found_by(rows) == brute_force()
    scores = queries() @ documents().T
    for row in rows:
        i, j = int(row.query_id[1:]), int(row.doc_id[1:])
        assert row.cosine == pytest.approx(scores[i, j], abs=1e-6)
        assert row.target_lang == ("th", "ja")[i % 2]


def test_rows_of_the_same_page_are_not_compared(corpus: DataFrame, asked: DataFrame) -> None:
    def allowed(i: int, j: int) -> bool:
        return i % 50 != j % 50

    candidates = find_candidates(asked, corpus, SearchRequest(SEARCH, 3, exclude=["page"]))
    assert found_by(merge_candidates(candidates, K).collect()) == brute_force(allowed)


def test_probing_every_cell_is_exact(corpus: DataFrame, asked: DataFrame, quantizer: bytes) -> None:
    router = load_router(quantizer, shards=3, nprobe=12)
    candidates = find_candidates(asked, corpus, SearchRequest(SEARCH, 3, router))
    assert found_by(merge_candidates(candidates, K).collect()) == brute_force()


def test_routed_compares_less_and_recall_says_what_that_costs(
    spark: SparkSession, corpus: DataFrame, asked: DataFrame, quantizer: bytes
) -> None:
    router = load_router(quantizer, shards=3, nprobe=4)
    candidates = find_candidates(asked, corpus, SearchRequest(SEARCH, 3, router))
    assert candidates.agg(F.sum("n_compared")).head()[0] < 0.6 * 60 * 300
    routed, expected = merge_candidates(candidates, K).collect(), brute_force()
    cosine = 0.5  # recall asks for none
    exact = [
        (query, ("th", "ja")[int(query[1:]) % 2], doc, rank, cosine)
        for query, docs in expected.items()
        for rank, doc in enumerate(docs, 1)
    ]
    frames = [spark.createDataFrame(rows, NEIGHBOURS) for rows in (routed, exact)]
    (row,) = recall_at_k(*frames, K).collect()
    found = found_by(routed)
    hits = sum(len(set(found[name]) & set(docs)) for name, docs in expected.items())
    assert (row.n_queries, row.n_expected, row.n_found) == (60, 60 * K, hits)
    assert row.recall == hits / (60 * K)
    assert 0.5 < row.recall < 1


def test_training_depends_on_no_order_of_rows(corpus: DataFrame, quantizer: bytes) -> None:
    (row,) = train_quantizer(corpus.repartition(5, "page"), D, 12, seed=1).collect()
    one, other = Quantizer.from_bytes(row.quantizer), Quantizer.from_bytes(quantizer)
    assert (one.centroids == other.centroids).all()


def test_there_is_no_quantizer_of_an_empty_sample(corpus: DataFrame) -> None:
    assert train_quantizer(corpus.where("id = ''"), D, 12, seed=1).collect() == []


@pytest.mark.parametrize("routed", [False, True])
@pytest.mark.parametrize("empty", ["documents", "queries"])
def test_an_empty_side_finds_nothing(
    corpus: DataFrame, asked: DataFrame, quantizer: bytes, empty: str, routed: bool
) -> None:
    router = load_router(quantizer, 2, 1) if routed else None
    sides = [corpus.where("id = ''"), asked] if empty == "documents" else [corpus, asked.limit(0)]
    candidates = find_candidates(sides[1], sides[0], SearchRequest(SEARCH, 2, router))
    assert merge_candidates(candidates, K).collect() == []


def test_a_wrong_dimension_is_named(corpus: DataFrame, asked: DataFrame) -> None:
    with pytest.raises(Exception, match="has 16 floats; expected 8 floats"):
        find_candidates(asked, corpus, SearchRequest(Search(K, 8), 1)).collect()


def test_new_documents_merge_to_what_a_search_of_all_finds(
    corpus: DataFrame, asked: DataFrame
) -> None:
    request = SearchRequest(SEARCH, shards=2)
    old = merge_candidates(find_candidates(asked, corpus.where("id < 'd120'"), request), K)
    new = merge_candidates(find_candidates(asked, corpus.where("id >= 'd110'"), request), K)
    assert found_by(merge_neighbours(old, new, K).collect()) == brute_force()


def test_a_sample_is_the_same_whatever_the_order_and_grows(corpus: DataFrame) -> None:
    few = {row.id for row in sample_by_hash(corpus, 60, 300, seed=0).collect()}
    more = {row.id for row in sample_by_hash(corpus.repartition(5), 150, 300, seed=0).collect()}
    assert 35 < len(few) < 90 and few < more
    assert few != {row.id for row in sample_by_hash(corpus, 60, 300, seed=1).collect()}


def test_null_and_empty_values_exclude_nothing_and_few_documents_are_few(frame: Frame) -> None:
    x, y = [1.0, 0.0], [0.0, 1.0]
    corpus = frame(VECTORS, [("d0", "en", x, None), ("d1", "en", y, ""), ("d2", "en", x, "p")])
    asked = frame(VECTORS, [("q0", "th", x, None), ("q1", "th", x, ""), ("q2", "th", x, "p")])
    candidates = find_candidates(asked, corpus, SearchRequest(Search(4, 2), 2, exclude=["page"]))
    assert found_by(merge_candidates(candidates, 4).collect()) == {
        "q0": ["d0", "d2", "d1"], "q1": ["d0", "d2", "d1"], "q2": ["d0", "d1"],
    }  # fmt: skip


def test_half_precision_bytes_are_searched_as_well(spark: SparkSession) -> None:
    def halves(vectors: np.ndarray, name: str) -> DataFrame:
        rows = [(f"{name}{i:03}", "en", v.astype("<f2").tobytes()) for i, v in enumerate(vectors)]
        return spark.createDataFrame(rows, "id string, lang string, vector binary")

    request = SearchRequest(SEARCH, shards=3)
    candidates = find_candidates(halves(queries(), "q"), halves(documents(), "d"), request)
    found, expected = found_by(merge_candidates(candidates, K).collect()), brute_force()
    assert np.mean([found[name][0] == docs[0] for name, docs in expected.items()]) > 0.95


def test_margins_are_those_of_both_neighbourhoods(frame: Frame) -> None:
    forward = frame(
        NEIGHBOURS,
        [
            ("p", "th", "d", 1, 0.9),
            ("p", "th", "e", 2, 0.4),
            ("q", "th", "d", 1, 0.8),
            ("q", "th", "e", 2, 0.7),
            ("r", "ja", "d", 1, 0.5),
        ],
    )
    backward = frame(
        NEIGHBOURS,
        [
            ("d", "th", "p", 1, 0.9),
            ("d", "th", "q", 2, 0.8),
            ("e", "th", "q", 1, 0.7),
            ("e", "th", "p", 2, 0.4),
            ("d", "ja", "r", 1, 0.5),
        ],
    )
    actual = add_margins(forward, backward)
    assert actual.columns == [*NEIGHBOUR_COLUMNS, "margin", "mutual"]
    rows = {(row.query_id, row.doc_id): row for row in actual.collect()}
    assert {key for key, row in rows.items() if row.mutual} == {("p", "d"), ("r", "d")}
    expected = {
        ("p", "d"): 0.9 / ((0.65 + 0.85) / 2),
        ("p", "e"): 0.4 / ((0.65 + 0.55) / 2),
        ("q", "d"): 0.8 / ((0.75 + 0.85) / 2),
        ("q", "e"): 0.7 / ((0.75 + 0.55) / 2),
        ("r", "d"): 1.0,
    }
    assert {key: row.margin for key, row in rows.items()} == pytest.approx(expected)


def test_there_is_no_margin_without_the_other_direction_or_a_sum_above_zero(frame: Frame) -> None:
    forward = frame(NEIGHBOURS, [("q", "th", "d", 1, 0.5), ("p", "th", "e", 1, -0.5)])
    backward = frame(NEIGHBOURS, [("e", "th", "p", 1, -0.5)])
    rows = {row.query_id: row for row in add_margins(forward, backward).collect()}
    assert (rows["q"].margin, rows["q"].mutual) == (None, False)
    assert (rows["p"].margin, rows["p"].mutual) == (None, True)


def test_a_document_keeps_its_best_uses_in_each_language(frame: Frame) -> None:
    schema = f"{NEIGHBOURS}, margin float"
    rows = [
        ("a", "th", "d", 1, 0.5, 1.1),
        ("b", "th", "d", 1, 0.6, 1.1),
        ("c", "th", "d", 2, 0.9, None),
        ("e", "th", "d", 1, 0.6, 1.1),
        ("f", "ja", "d", 1, 0.1, 1.0),
        ("c", "th", "x", 1, 0.9, 1.2),
    ]
    kept = limit_uses(frame(schema, rows), 2)
    assert kept.columns == frame(schema, rows).columns
    assert sorted((row.query_id, row.doc_id) for row in kept.collect()) == [
        ("b", "d"), ("c", "x"), ("e", "d"), ("f", "d"),
    ]  # fmt: skip


def test_recall_of_nothing_is_null(frame: Frame) -> None:
    (row,) = recall_at_k(frame(NEIGHBOURS, []), frame(NEIGHBOURS, []), 3).collect()
    assert (row.n_queries, row.recall) == (0, None)
