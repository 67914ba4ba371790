"""The job over small embeddings, against brute force in numpy."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from crossic_etl.config import Config, ConfigError
from crossic_etl.config_crawl import Neighbours
from crossic_etl.encoder_choice import choose_encoder
from crossic_etl.schemas import DOCUMENTS, EMBEDDINGS, NEIGHBOURS, QUANTIZERS, RUNS
from crossic_etl.tables import TableError, Tables
from jobs import neighbours

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

DIMENSION, N_DOCUMENTS, N_QUERIES, K = 16, 300, 40, 5
EXACT = Neighbours(k=K, shards=3, task_memory_mb=512)
ROUTED = replace(EXACT, method="routed", cells=12, nprobe=4, recall_queries=1000)


def vectors(n: int, seed: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    made = np.random.default_rng(seed).normal(size=(n, DIMENSION))
    return (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)


CORPUS, QUERIES = vectors(N_DOCUMENTS, 1), vectors(N_QUERIES, 2)


@pytest.fixture(scope="module")
def config(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Config:
    """Thai pages and English documents with vectors; document 0 is the very text of query 0."""
    config = Config(str(tmp_path_factory.mktemp("neighbours")), ("th",), neighbours=EXACT)
    choice, tables = choose_encoder(config.encoder), Tables(spark, config.root)
    encoder = (choice.model, choice.revision, choice.rule.name, [[0, 5]])

    def row(key: str, kind: str, lang: str, text_hash: str, vector: Any) -> tuple[Any, ...]:
        return (key, kind, lang, *encoder, text_hash, vector.tolist(), None)

    corpus = [
        row(f"d{i:03}", "document", "en", "q0" if i == 0 else f"d{i}", QUERIES[0] if i == 0 else v)
        for i, v in enumerate(CORPUS)
    ]
    pages = [row(f"th:{i}", "page", "th", f"q{i}", v) for i, v in enumerate(QUERIES)]
    frame = spark.createDataFrame(corpus + pages, EMBEDDINGS.schema)
    tables.replace(EMBEDDINGS, frame, {"lang": ["en", "th"]})
    tables.replace(DOCUMENTS, spark.createDataFrame([], DOCUMENTS.schema), {"lang": ["en"]})
    return config


def brute_force() -> dict[str, list[str]]:
    """The best K documents of each query; document 0, its very text, is none of query 0's."""
    corpus = CORPUS.copy()
    corpus[0] = QUERIES[0]
    scores = QUERIES.astype(np.float64) @ corpus.astype(np.float64).T
    scores[0, 0] = -2
    return {
        f"th:{i}": [f"d{j:03}" for j in np.argsort(-row, kind="stable")[:K]]
        for i, row in enumerate(scores)
    }


def found(tables: Tables) -> dict[str, list[str]]:
    rows = tables.read(NEIGHBOURS).orderBy("query_id", "rank").collect()
    best: dict[str, list[str]] = {}
    for row in rows:
        best.setdefault(row.query_id, []).append(row.doc_id)
    return best


def test_exact_search_equals_brute_force(spark: SparkSession, config: Config) -> None:
    neighbours.run(spark, config)
    tables = Tables(spark, config.root)
    assert found(tables) == brute_force()
    rows = tables.read(NEIGHBOURS).collect()
    assert all(row.accepted == row.mutual for row in rows)
    (run,) = tables.read(RUNS).collect()
    assert (run.rows_in, run.rows_out) == (N_QUERIES, N_QUERIES * K)
    assert run.rows_in == run.rows_used + sum(run.dropped.values())


def test_routed_search_measures_its_recall_and_keeps_its_quantizer(
    spark: SparkSession, config: Config, capsys: pytest.CaptureFixture[str]
) -> None:
    tables, routed = Tables(spark, config.root), replace(config, neighbours=ROUTED)
    neighbours.run(spark, routed)
    first = tables.read(QUANTIZERS).collect()
    assert "12 cells, nprobe 4" in capsys.readouterr().out
    neighbours.run(spark, routed)
    assert tables.read(QUANTIZERS).collect() == first
    truth, actual = brute_force(), found(tables)
    hits = sum(len(set(truth[key]) & set(actual.get(key, ()))) for key in truth)
    run = tables.read(RUNS).orderBy("started").collect()[-1]
    assert run.metrics["recall_expected"] == N_QUERIES * K
    assert run.metrics["recall_found"] == hits
    assert 0.5 * N_QUERIES * K < hits < N_QUERIES * K


def test_a_plan_that_cannot_fit_is_refused_and_leaves_the_table(
    spark: SparkSession, config: Config
) -> None:
    tables = Tables(spark, config.root)
    before = found(tables)
    tight = replace(config, neighbours=replace(EXACT, task_memory_mb=64))
    with pytest.raises(ConfigError, match=r"neighbours\.task_memory_mb: a task needs"):
        neighbours.run(spark, tight)
    assert found(tables) == before


def test_without_vectors_it_says_what_to_run(spark: SparkSession, config: Config) -> None:
    with pytest.raises(TableError, match="has no queries of this encoder"):
        neighbours.run(spark, replace(config, languages=("ja",)))
