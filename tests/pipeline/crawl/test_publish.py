"""What a batch changes in ``documents`` and ``rejects``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crossic_etl.pipeline.crawl.batches import CrawlPlan
from crossic_etl.pipeline.crawl.publish import publish_documents, publish_rejects, unstage_all
from crossic_etl.schemas import CRAWL_TEXTS, DOCUMENTS, REJECTS, STAGED_DOCUMENTS
from crossic_etl.tables import Tables
from tests.support.rows import row_of, write_rows

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

RESOLVED = "doc_id string, is_new boolean, stays boolean, n_near_copies long, is_changed boolean"
FULL = CrawlPlan(frozenset({"f"}), 1)
LATER = CrawlPlan(frozenset({"f"}), 2, done=(1,), n_documents=1)


@pytest.fixture
def tables(spark: SparkSession, tmp_path: Path) -> Tables:
    return Tables(spark, str(tmp_path))


def texts(spark: SparkSession, *names: str) -> DataFrame:
    rows = [
        row_of(CRAWL_TEXTS, doc_id=name, batch=1, text=f"Text of {name}.", n_copies=1, lang="en")
        for name in names
    ]
    return spark.createDataFrame(rows, CRAWL_TEXTS.schema)


def broken(spark: SparkSession, *rows: tuple[str, str]) -> DataFrame:
    """Staged rows of broken records: reason and key of each; others are kept or counted."""
    others = [{"outcome": "read", "n": 5}, {"outcome": "document", "n": 1, "doc_id": "d"}]
    staged = [
        {"outcome": reason, "n": 1, "lang": "und", "key": key, "detail": "{"}
        for reason, key in rows
    ]
    names = STAGED_DOCUMENTS.fieldNames()
    values = [[row.get(name) for name in names] for row in [*others, *staged]]
    return spark.createDataFrame(values, STAGED_DOCUMENTS)


def rejects(tables: Tables) -> set[tuple[str, str, str]]:
    rows = tables.read(REJECTS).select("table", "reason", "key")
    return {tuple(row) for row in rows.collect()}


def test_changed_documents_are_written_and_those_that_went_are_removed(tables: Tables) -> None:
    spark = tables.spark
    held = [{"doc_id": name, "lang": "en", "text": f"Text of {name}.", "n_copies": 1}
            for name in ("same", "near", "gone")]  # fmt: skip
    write_rows(tables, DOCUMENTS, held)
    resolved = spark.createDataFrame(
        [("same", False, True, 0, False), ("near", False, True, 1, True),
         ("gone", False, False, 0, True), ("new", True, True, 0, True),
         ("dropped", True, False, 0, False)],
        RESOLVED,
    )  # fmt: skip
    counts = publish_documents(
        tables, texts(spark, "same", "near", "new", "dropped"), resolved, tables.read(DOCUMENTS)
    )
    assert counts == (2, 1)
    rows = {row.doc_id: (row.text, row.n_near_copies) for row in tables.read(DOCUMENTS).collect()}
    assert rows == {
        "same": ("Text of same.", 0), "near": ("Text of near.", 1), "new": ("Text of new.", 0),
    }  # fmt: skip


def test_without_changes_the_table_keeps_its_version(tables: Tables) -> None:
    write_rows(tables, DOCUMENTS, [{"doc_id": "same", "lang": "en"}])
    version = tables.version(DOCUMENTS)
    nothing = tables.spark.createDataFrame([], RESOLVED)
    held = tables.read(DOCUMENTS)
    assert publish_documents(tables, texts(tables.spark), nothing, held) == (0, 0)
    assert tables.version(DOCUMENTS) == version


def test_a_later_batch_adds_its_rejects_to_those_before(tables: Tables) -> None:
    spark = tables.spark
    publish_rejects(tables, broken(spark, ("not_json", "a 1")), FULL, ["not_json"])
    publish_rejects(tables, broken(spark, ("no_text", "b 1")), LATER, ["no_text"])
    assert rejects(tables) == {("documents", "not_json", "a 1"), ("documents", "no_text", "b 1")}


def test_a_full_batch_replaces_the_rejects_of_documents_alone(tables: Tables) -> None:
    spark = tables.spark
    publish_rejects(tables, broken(spark, ("not_json", "a 1")), FULL, ["not_json"])
    others = [row_of(REJECTS, table="pages", lang="en", key="1", reason="cut")]
    tables.merge(REJECTS, spark.createDataFrame(others, REJECTS.schema),
                 spark.createDataFrame([], REJECTS.schema).select(*REJECTS.key))  # fmt: skip
    publish_rejects(tables, broken(spark, ("no_text", "b 1")), FULL, ["no_text"])
    assert rejects(tables) == {("pages", "cut", "1"), ("documents", "no_text", "b 1")}
    publish_rejects(tables, broken(spark), FULL, [])
    assert rejects(tables) == {("pages", "cut", "1")}


def test_a_batch_without_broken_records_writes_no_rejects(tables: Tables) -> None:
    publish_rejects(tables, broken(tables.spark, ("not_json", "a 1")), FULL, ["not_json"])
    version = tables.version(REJECTS)
    publish_rejects(tables, broken(tables.spark), LATER, ["too_short"])
    assert tables.version(REJECTS) == version
    assert rejects(tables) == {("documents", "not_json", "a 1")}


def test_scratch_tables_are_emptied(tables: Tables) -> None:
    names = ("documents", "documents_members", "documents_changes")
    for name in names:
        tables.stage(name, tables.spark.range(1))
    unstage_all(tables)
    assert not list((Path(tables.root) / "_staging").iterdir())
