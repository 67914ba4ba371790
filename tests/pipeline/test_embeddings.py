"""The job over a few rows: what is new is embedded, once, and what is stale goes."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pyspark.sql import functions as F

from crossic_etl.config import Config
from crossic_etl.config.crawl import Encoder, Retrieved
from crossic_etl.pipeline import embeddings
from crossic_etl.pipeline import embeddings as embedding_chunks
from crossic_etl.schemas import DOCUMENTS, EMBEDDINGS, PAGES, PAIRS, REJECTS, RUNS
from crossic_etl.tables import Tables
from tests.support.killed_runs import Killed, note_chunks
from tests.support.rows import row_of

if TYPE_CHECKING:
    from pyspark.sql import Row, SparkSession

Texts = dict[tuple[str, Any], str]
PAGE_TEXTS: Texts = {
    ("en", 1): "The tea plant grows in the hills.",
    ("en", 2): "An English page without a pair.",
    ("th", 1): "ชาปลูกบนเขา",
    ("es", 7): "Las abejas hacen la miel.",
    ("es", 8): " \n",
}
DOCUMENT_TEXTS: Texts = {
    ("en", "d1"): "Tea is grown on slopes.",
    ("en", "d2"): "Bees turn nectar into honey.",
    ("th", "d3"): "ผึ้งทำน้ำผึ้ง",
}
PAIR = {"pair_id": "p", "target_lang": "th", "en_page_id": 1, "target_page_id": 1}


def write(tables: Tables, pages: Texts, documents: Texts) -> None:
    """Replaces what the tables hold of the languages."""
    scope = {"lang": ["en", "th", "es"]}
    for table, name, texts in ((PAGES, "page_id", pages), (DOCUMENTS, "doc_id", documents)):
        rows = [
            row_of(table, text=text, text_hash=digest(text), **{"lang": lang, name: key})
            for (lang, key), text in texts.items()
        ]
        tables.replace(table, tables.spark.createDataFrame(rows, table.schema), scope)
    pairs = tables.spark.createDataFrame([row_of(PAIRS, **PAIR)], PAIRS.schema)
    tables.replace(PAIRS, pairs, {"target_lang": ["th"]})


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def config_of(tables: Tables, **encoder: Any) -> Config:
    return Config(tables.root, ("th", "es"), encoder=Encoder(**encoder))


def held(tables: Tables, span_rule: str = "lead-1000") -> dict[str, Row]:
    rows = tables.select(EMBEDDINGS, {"span_rule": [span_rule]}).collect()
    found = {row.id: row for row in rows}
    assert len(found) == len(rows)
    return found


def last_run(tables: Tables) -> Row:
    row: Row = tables.read(RUNS).orderBy(F.desc("started")).head(1)[0]
    return row


@pytest.fixture(scope="module")
def tables(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """One run from scratch."""
    made = Tables(spark, str(tmp_path_factory.mktemp("embeddings")))
    write(made, PAGE_TEXTS, DOCUMENT_TEXTS)
    embeddings.run(spark, config_of(made))
    return made


@pytest.fixture
def started(tables: Tables, tmp_path: Path) -> Tables:
    """A copy of that run's tables, to go on from."""
    import shutil

    shutil.copytree(tables.root, tmp_path / "tables")
    return Tables(tables.spark, str(tmp_path / "tables"))


def test_queries_passages_and_calibration_pages_have_vectors(tables: Tables) -> None:
    rows = held(tables)
    assert {(row.id, row.kind, row.lang) for row in rows.values()} == {
        ("en:1", "page", "en"),
        ("th:1", "page", "th"),
        ("es:7", "page", "es"),
        ("d1", "document", "en"),
        ("d2", "document", "en"),
    }
    vectors = np.array([row.vector for row in rows.values()])
    assert vectors.shape == (5, 512)
    assert np.abs(np.linalg.norm(vectors, axis=1) - 1).max() < 1e-5
    assert rows["th:1"].text_hash == digest("ชาปลูกบนเขา")


def test_the_nearest_document_is_on_the_same_subject(tables: Tables) -> None:
    rows = held(tables)

    def cosine(query: str, document: str) -> float:
        return float(np.dot(rows[query].vector, rows[document].vector))

    assert cosine("th:1", "d1") > cosine("th:1", "d2")
    assert cosine("es:7", "d2") > cosine("es:7", "d1")


def test_a_run_counts_every_page_and_document(tables: Tables) -> None:
    run = last_run(tables)
    assert (run.rows_in, run.rows_out, run.dropped) == (8, 5, {"not_needed": 2, "empty": 1})


def test_a_second_run_embeds_and_writes_nothing(started: Tables) -> None:
    before = started.version(EMBEDDINGS)
    embeddings.run(started.spark, config_of(started))
    assert started.version(EMBEDDINGS) == before
    run = last_run(started)
    assert (run.rows_in, run.rows_out) == (8, 0)
    assert run.dropped == {"already_embedded": 5, "not_needed": 2, "empty": 1}


def test_only_what_is_new_or_changed_is_embedded_and_what_is_stale_goes(started: Tables) -> None:
    before = held(started)
    pages = {key: text for key, text in PAGE_TEXTS.items() if key != ("es", 7)}
    documents = DOCUMENT_TEXTS | {("en", "d1"): "Rivers rise in spring.", ("en", "d4"): "A fox."}
    write(started, pages | {("th", 1): "…"}, documents)
    version = started.version(EMBEDDINGS)
    embeddings.run(started.spark, config_of(started))
    assert started.version(EMBEDDINGS) == version + 1
    run, after = last_run(started), held(started)
    assert after.keys() == {"en:1", "d1", "d2", "d4"}
    assert (after["en:1"], after["d2"]) == (before["en:1"], before["d2"])
    assert after["d1"].text_hash == digest("Rivers rise in spring.")
    assert after["d1"].vector != before["d1"].vector
    assert (run.rows_in, run.rows_out, run.metrics) == (8, 2, {"removed": 2})
    assert run.dropped == {"already_embedded": 2, "not_needed": 2, "empty": 1, "no_letters": 1}


def test_another_rule_or_form_is_beside_the_first_and_not_in_its_place(started: Tables) -> None:
    embeddings.run(started.spark, config_of(started, span_chars=16, half=True))
    first, second = held(started), held(started, "lead-16")
    assert first.keys() == second.keys()
    assert all(row.vector and row.half_vector is None for row in first.values())
    halves = [np.frombuffer(row.half_vector, "<f2") for row in second.values()]
    assert {half.shape for half in halves} == {(512,)}
    assert second["d1"].spans == [[0, 15]]


def test_a_switch_of_queries_keeps_the_vectors_it_does_not_need(started: Tables) -> None:
    config = replace(config_of(started), retrieved=Retrieved(queries="documents"))
    embeddings.run(started.spark, config)
    assert held(started).keys() == {"en:1", "th:1", "es:7", "d1", "d2", "d3"}
    assert last_run(started).dropped == {"already_embedded": 4, "not_needed": 3}


def test_texts_that_a_run_which_died_has_embedded_are_not_embedded_again(
    spark: SparkSession, tables: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedding_chunks, "LEAST_TEXTS", 2)
    made = Tables(spark, str(tmp_path))
    write(made, PAGE_TEXTS, DOCUMENT_TEXTS)
    with monkeypatch.context() as patched, pytest.raises(Killed):
        note_chunks(patched, dies_at=2)
        embeddings.run(spark, config_of(made))
    assert not made.is_there(EMBEDDINGS)
    with monkeypatch.context() as patched:
        numbers = note_chunks(patched)
        embeddings.run(spark, config_of(made))
    assert numbers == [2]
    assert held(made) == held(tables)
    assert last_run(made).dropped == {"not_needed": 2, "empty": 1}


def test_broken_texts_stand_in_rejects_of_the_table(tables: Tables) -> None:
    assert tables.select(REJECTS, {"table": ["embeddings"]}).count() == 0
