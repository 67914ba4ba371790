"""What batches of texts add to ``crawl_texts`` and to the links between near duplicates."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from crossic_etl.kernels.crawl.documents import DOCUMENT
from crossic_etl.pipeline.crawl.batches import CrawlPlan
from crossic_etl.pipeline.crawl.near_duplicates import add_near_duplicates, add_texts
from crossic_etl.schemas import CRAWL_TEXTS, NEAR_DUPLICATE_LINKS, STAGED_DOCUMENTS
from crossic_etl.tables import Tables

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

WORDS = "alder birch cedar elder fir hazel larch maple oak pine rowan willow yew aspen beech"
LONG = " ".join(f"{word} tree number {i}" for i, word in enumerate(WORDS.split()))
TEXTS = {"a": LONG, "b": f"{LONG} and", "c": "Something else altogether, of which there is one."}
FIRST = CrawlPlan(frozenset({"f1"}), 1)
SECOND = CrawlPlan(frozenset({"f2"}), 2, done=(1,), n_documents=2)


def staged(spark: SparkSession, *names: str) -> DataFrame:
    """Staged documents of these names; their texts are those of the first letter."""
    rows = [
        {"outcome": DOCUMENT, "n": 1, "doc_id": name, "text": TEXTS[name], "text_hash": name,
         "n_chars": len(TEXTS[name]), "lang": "en", "lang_score": 1.0, "licence": "none"}
        for name in names
    ]  # fmt: skip
    fields = STAGED_DOCUMENTS.fieldNames()
    return spark.createDataFrame([[r.get(f) for f in fields] for r in rows], STAGED_DOCUMENTS)


@pytest.fixture
def tables(spark: SparkSession, tmp_path: Path) -> Tables:
    return Tables(spark, str(tmp_path))


def add(
    tables: Tables, plan: CrawlPlan, *names: str, threshold: float = 0.7
) -> tuple[set[tuple[Any, ...]], int]:
    """The members of clusters, and the number of linked pairs, after a batch of texts."""
    texts = add_texts(
        tables, staged(tables.spark, *names), plan, threshold=threshold, seed=0
    )  # fmt: skip
    members, n_links = add_near_duplicates(tables, texts, plan, threshold=threshold)
    return {tuple(row) for row in members.collect()}, n_links


def links(tables: Tables) -> set[tuple[int, str, str]]:
    rows = tables.read(NEAR_DUPLICATE_LINKS).select("batch", "a", "b").distinct()
    return {tuple(row) for row in rows.collect()}


def test_a_text_of_a_later_batch_is_linked_to_one_of_an_earlier(tables: Tables) -> None:
    assert add(tables, FIRST, "a", "c") == (set(), 0)
    assert links(tables) == set()
    assert add(tables, SECOND, "b") == ({("a", "a"), ("b", "a")}, 1)
    assert links(tables) == {(2, "a", "b")}


def test_batches_find_what_one_batch_finds(tables: Tables) -> None:
    assert add(tables, FIRST, "a", "b", "c") == ({("a", "a"), ("b", "a")}, 1)
    assert links(tables) == {(1, "a", "b")}


def test_links_between_old_texts_are_kept(tables: Tables) -> None:
    add(tables, FIRST, "a", "b")
    assert add(tables, SECOND, "c") == ({("a", "a"), ("b", "a")}, 1)
    assert links(tables) == {(1, "a", "b"), (2, "a", "b")}  # the newest batch that is done counts


def test_a_text_that_comes_again_is_not_signed_again(tables: Tables) -> None:
    add(tables, FIRST, "a")
    add(tables, SECOND, "a", "c")
    rows = {
        (row.doc_id, row.batch): (row.is_first, row.signature is not None, row.bands is not None)
        for row in tables.read(CRAWL_TEXTS).collect()
    }
    assert rows == {
        ("a", 1): (True, True, True), ("a", 2): (False, False, False), ("c", 2): (True, True, True),
    }  # fmt: skip


def test_a_batch_that_is_done_again_replaces_its_own_rows(tables: Tables) -> None:
    add(tables, FIRST, "a", "c")
    add(tables, SECOND, "b")
    assert add(tables, SECOND, "b") == ({("a", "a"), ("b", "a")}, 1)
    assert tables.read(CRAWL_TEXTS).count() == 3
    assert links(tables) == {(2, "a", "b")}


def test_a_threshold_of_zero_looks_for_none(tables: Tables) -> None:
    assert add(tables, FIRST, "a", "b", threshold=0) == (set(), 0)
    assert links(tables) == set()
    assert {row.signature for row in tables.read(CRAWL_TEXTS).collect()} == {None}


def test_a_batch_without_texts_adds_nothing(tables: Tables) -> None:
    assert add(tables, FIRST) == (set(), 0)
    assert tables.read(CRAWL_TEXTS).collect() == []
