"""The plan of a search, and its quantizer, on literal values."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from crossic_etl.config.crawl import Encoder, Neighbours
from crossic_etl.config.encoder import choose_encoder
from crossic_etl.config.errors import UnfitSettingError
from crossic_etl.pipeline.retrieval.plan import (
    Cells,
    Sizes,
    choose_quantizer,
    fitted_cells,
    log_plan,
    make_request,
    measure_recall,
    plan_of,
    read_router,
    sizes_of,
    sizes_of_plan,
)
from crossic_etl.schemas import QUANTIZERS
from crossic_etl.tables import TableError, Tables

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

SIZES = Sizes(n_queries=20, n_documents=1_000, dimension=4)
CHOICE = choose_encoder(Encoder())
VECTORS = "id string, lang string, vector array<float>, url string, text_hash string"
ROUTED = Neighbours(method="routed", k=1, shards=2, cells=2, nprobe=1, recall_queries=10)


@pytest.mark.parametrize(
    ("settings", "n_documents", "expected"),
    [
        (Neighbours(cells=7), 1_000_000, 7),
        (Neighbours(shards=16), 1_000_000, 4_000),
        (Neighbours(shards=16), 10, 16),
        (Neighbours(shards=1), 2, 2),
        (Neighbours(shards=1), 0, 1),
    ],
)
def test_cells_are_configured_or_fit_the_corpus(
    settings: Neighbours, n_documents: int, expected: int
) -> None:
    assert fitted_cells(settings, n_documents) == expected


def test_a_plan_has_the_sizes_and_settings() -> None:
    plan = plan_of(Neighbours(method="routed", k=3, shards=2, nprobe=50), SIZES, cells=8)
    assert (plan.search.k, plan.search.dimension, plan.search.index) == (3, 4, "Flat")
    assert (plan.size.n_queries, plan.size.n_documents) == (20, 1_000)
    assert (plan.size.method, plan.size.shards, plan.size.cells) == ("routed", 2, 8)
    assert plan.size.nprobe == 8  # no more than there are
    assert plan.size.task_memory == 2048 * 2**20


@pytest.mark.parametrize(
    ("settings", "sizes", "message"),
    [
        (Neighbours(task_memory_mb=64), SIZES, "neighbours.task_memory_mb: a task needs "),
        (Neighbours(shards=1, task_memory_mb=512), Sizes(1, 10**6, 512),
         "neighbours.shards: 1 given: a task needs "),
        (Neighbours(method="routed", shards=9), SIZES,
         "neighbours.shards: 9 given, expected at most the cells, 4"),
    ],
)  # fmt: skip
def test_what_cannot_fit_names_the_key_of_the_configuration(
    settings: Neighbours, sizes: Sizes, message: str
) -> None:
    with pytest.raises(UnfitSettingError) as error:
        plan_of(settings, sizes, cells=4)
    assert str(error.value).startswith(message)


def test_the_plan_is_logged_with_the_job_before_each_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, logger="crossic_etl")
    log_plan(Neighbours(k=3, shards=2), SIZES, None, job="calibrate")
    assert caplog.messages[0] == (
        "calibrate: exact, Flat, k 3: 20 queries in 1,000 documents of 4 floats"
    )
    assert caplog.messages[1] == "calibrate: 2 shards; a query goes to 2 at most"
    assert all(message.startswith("calibrate: ") for message in caplog.messages)


def test_a_request_excludes_texts_of_the_same_page() -> None:
    request = make_request(Neighbours(k=3, shards=5, index="SQ8"), 4, None)
    assert (request.search.k, request.search.dimension, request.search.index) == (3, 4, "SQ8")
    assert (request.shards, request.router, request.exclude) == (5, None, ("url", "text_hash"))


def test_an_exact_search_needs_no_quantizer_and_measures_no_recall() -> None:
    nothing = cast(Any, None)
    quantizer = choose_quantizer(
        nothing, nothing, SIZES, settings=Neighbours(), seed=0, choice=CHOICE
    )
    assert quantizer is None
    assert read_router(nothing, None, Neighbours()) is None
    for settings, sizes in (
        (Neighbours(), SIZES),
        (Neighbours(index="SQ8", recall_queries=0), SIZES),
        (Neighbours(index="SQ8"), Sizes(0, 5, 4)),
    ):
        recall = measure_recall(nothing, nothing, nothing, sizes, settings=settings, seed=0)
        assert recall == {}


def corpus_of(spark: SparkSession) -> DataFrame:
    vectors = [[1.0, 0.0], [0.8, 0.6], [-1.0, 0.0], [-0.8, 0.6]]
    rows = [(f"d{i}", "en", vector, None, f"h{i}") for i, vector in enumerate(vectors)]
    return spark.createDataFrame(rows, VECTORS)


def test_a_quantizer_is_trained_once_and_kept(
    spark: SparkSession, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="crossic_etl")
    tables, corpus = Tables(spark, str(tmp_path)), corpus_of(spark)
    sizes = Sizes(n_queries=1, n_documents=4, dimension=2)

    def chosen(settings: Neighbours, sizes: Sizes = sizes, seed: int = 0) -> Cells | None:
        return choose_quantizer(tables, corpus, sizes, settings=settings, seed=seed, choice=CHOICE)

    first = chosen(ROUTED)
    assert first is not None and first.n == 2
    assert chosen(ROUTED) == first
    assert tables.read(QUANTIZERS).count() == 1
    router = read_router(tables, first, ROUTED)
    assert router is not None and router.centroids.shape == (2, 2)
    assert chosen(ROUTED, seed=1) is not None
    assert tables.read(QUANTIZERS).count() == 2
    fitted = Neighbours(method="routed", shards=2)
    assert chosen(fitted) is not None
    chosen(fitted, Sizes(1, 10_000, 2))
    assert caplog.messages == [
        "neighbours: the quantizer's 4 cells are kept; 400 would fit the corpus now: "
        "see neighbours.cells"
    ]


def test_recall_is_measured_against_an_exact_search(spark: SparkSession) -> None:
    corpus = corpus_of(spark)
    queries = [("q0", "th", [1.0, 0.0], None, "q0"), ("q1", "th", [-1.0, 0.0], None, "h2")]
    found = spark.createDataFrame(
        [("q0", "th", "d0", 1, 1.0), ("q1", "th", "d1", 1, 0.5)],
        "query_id string, target_lang string, doc_id string, rank int, cosine float",
    )
    recall = measure_recall(
        found, spark.createDataFrame(queries, VECTORS), corpus, Sizes(2, 4, 2),
        settings=ROUTED, seed=0,
    )  # fmt: skip
    # d2 has the text of q1, so d3 is its nearest.
    assert recall == {"recall_queries": 2, "recall_expected": 2, "recall_found": 1}


def test_sizes_are_counted(spark: SparkSession) -> None:
    corpus = corpus_of(spark)
    assert sizes_of(corpus.limit(3), corpus, half=False) == Sizes(3, 4, 2)
    halves = spark.createDataFrame([("d", bytes(8))], "id string, vector binary")
    assert sizes_of(halves, halves, half=True) == Sizes(1, 1, 4)
    plan = spark.createDataFrame(
        [("a", "th", 1, "same"), ("b", "th", None, "new"), ("c", "th", 2, "gone"),
         ("d", "en", 2, "same")],
        "id string, lang string, generation long, change string",
    )  # fmt: skip
    assert sizes_of_plan(plan, corpus, half=False) == Sizes(2, 1, 2, n_new=1, n_gone=1, newest=2)


def test_no_queries_or_no_documents_are_refused(spark: SparkSession) -> None:
    corpus = corpus_of(spark)
    with pytest.raises(TableError, match="embeddings has no queries of this encoder"):
        sizes_of(corpus.limit(0), corpus, half=False)
    with pytest.raises(TableError, match="embeddings has no English documents of this encoder"):
        sizes_of(corpus, corpus.limit(0), half=False)
