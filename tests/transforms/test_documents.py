from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from pyspark.sql import functions as F

from crossic_etl.kernels.crawl.documents import DocumentRules, read_row
from crossic_etl.kernels.dedup.components import find_components
from crossic_etl.kernels.text.contamination import NgramIndex
from crossic_etl.schemas import DOCUMENTS, MAX_URLS, STAGED_DOCUMENTS
from crossic_etl.transforms.contamination import find_contaminated, mark_contaminated
from crossic_etl.transforms.documents import (
    ROW,
    choose_copies,
    count_documents,
    count_files,
    filter_json_files,
    filter_lines,
    filter_rows,
    filter_wet_files,
    resolve_documents,
    select_distinct,
    select_documents,
)
from crossic_etl.transforms.near_duplicates import link_near_duplicates, sign_documents

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Frame = Callable[[str, list[tuple[Any, ...]]], "DataFrame"]

RULES = DocumentRules(frozenset({"en"}), trusts_labels=True, min_chars=5, quality=None)
FIELDS = {"text": "text", "url": "url", "lang": "lang"}
ROWS = (
    "file string, number long, text binary, url string, source_id string, date string, "
    "lang string, lang_score string, dump string, named_file string"
)


def staged(spark: SparkSession, *rows: dict[str, Any]) -> DataFrame:
    """Staged documents; what a row doesn't say is the same in all."""
    default = {
        "outcome": "document", "n": 1, "doc_id": "d1", "text": "a", "text_hash": "h",
        "n_chars": 1, "lang": "en", "lang_score": 1.0, "licence": "NOASSERTION",
    }  # fmt: skip
    names = STAGED_DOCUMENTS.fieldNames()
    values = [[(default | row).get(name) for name in names] for row in rows]
    return spark.createDataFrame(values, STAGED_DOCUMENTS)


def in_batch(distinct: DataFrame, batch: int) -> DataFrame:
    """All of a batch that no other came before."""
    return distinct.withColumns({"batch": F.lit(batch), "is_first": F.lit(True)})


def outcomes(frame: DataFrame) -> dict[str, int]:
    assert frame.columns == STAGED_DOCUMENTS.fieldNames()
    counts = frame.groupBy("outcome").sum("n").collect()
    return {row.outcome: row["sum(n)"] for row in counts}


def test_rows_are_filtered_and_counted(frame: Frame) -> None:
    rows = [
        ("f", 0, b"the kiln", "u1", "i1", "2024", "eng", "0.9", "CC", None),
        ("f", 1, b"the", None, None, None, "eng", None, None, None),
        ("f", 2, None, None, None, None, None, None, None, None),
        ("f", 3, b"la alfarera", None, None, None, "spa", None, None, None),
    ]
    filtered = filter_rows(frame(ROWS, rows), RULES, "own dump")
    assert outcomes(filtered) == {
        "read": 4, "document": 1, "too_short": 1, "no_text": 1, "other_language": 1,
    }  # fmt: skip
    (kept,) = filtered.where("outcome = 'document'").collect()
    assert (kept.text, kept.url, kept.dump, kept.file) == ("the kiln", "u1", "CC", "f")
    (broken,) = filtered.where("outcome = 'no_text'").collect()
    assert (broken.lang, broken.key) == ("und", "f row 2")
    assert len(ROW) == read_row.__code__.co_argcount


def test_lines_and_files_are_filtered_alike(frame: Frame) -> None:
    lines = [b'{"text": "the kiln", "url": "u", "lang": "en"}', b"{", b"", b'{"text": "a"}']
    by_line = filter_lines(frame("value binary, file string", [(v, "f") for v in lines]),
                          FIELDS, RULES, "")  # fmt: skip
    whole = filter_json_files(
        frame("content binary, file string", [(b"\n".join(lines), "f"), (b"", "g")]),
        FIELDS, RULES, "",
    )  # fmt: skip
    expected = {"read": 4, "document": 1, "not_json": 1, "empty_line": 1, "too_short": 1}
    assert outcomes(by_line) == outcomes(whole) == expected
    assert [row.key for row in whole.where("outcome = 'not_json'").collect()] == ["f line 2"]


def test_wet_files_are_filtered(frame: Frame) -> None:
    head = b"WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Identified-Content-Language: eng\r\n"
    record = head + b"Content-Length: 8\r\n\r\nthe kiln\r\n\r\n"
    files = frame("content binary, file string", [(record * 2 + record[:-8], "f")])
    assert outcomes(filter_wet_files(files, RULES, "")) == {"read": 3, "document": 2, "cut": 1}


def test_of_exact_copies_the_shortest_then_the_first_by_address_stays(spark: SparkSession) -> None:
    rows = [
        {"text": "a  ", "n_chars": 3, "url": "http://a"},
        {"text": "A", "url": "http://c", "dump": "CC-2"},
        {"text": "a", "url": "http://b", "dump": "CC-2"},
        {"text": "a", "url": "http://b", "dump": "CC-1"},
        {"text": "a", "url": None},
        {"doc_id": "d2", "text": "b"},
        {"outcome": "too_short", "doc_id": None, "text": None},
    ]
    distinct = select_distinct(staged(spark, *rows)).orderBy("doc_id").collect()
    assert [(d.doc_id, d.text, d.url, d.dump, d.n_copies, d.urls) for d in distinct] == [
        ("d1", "a", "http://b", "CC-1", 5, ["http://a", "http://b", "http://c"]),
        ("d2", "b", None, None, 1, []),
    ]


def test_the_addresses_of_copies_are_capped(spark: SparkSession) -> None:
    urls = [f"http://{i:04}" for i in range(MAX_URLS + 20)]
    rows = [{"url": url} for url in reversed(urls)]
    (only,) = select_distinct(staged(spark, *rows)).collect()
    assert (only.n_copies, only.urls) == (MAX_URLS + 20, urls[:MAX_URLS])


def test_of_a_cluster_the_longest_text_then_the_lowest_id_stays(frame: Frame) -> None:
    sizes = frame("doc_id string, n_chars int", [("a", 5), ("b", 9), ("c", 9), ("x", 1), ("y", 2)])
    members = frame("node string, root string", [("a", "a"), ("b", "a"), ("c", "a"), ("y", "y")])
    rows = choose_copies(sizes, members).orderBy("doc_id").collect()
    assert [tuple(row) for row in rows] == [
        ("a", False, 2), ("b", True, 2), ("c", False, 2), ("y", True, 0),
    ]  # fmt: skip


def test_copies_are_counted_and_left_out(spark: SparkSession, frame: Frame) -> None:
    rows = staged(
        spark,
        *[{"doc_id": doc_id, "url": url} for doc_id, url in
          (("d1", "u1"), ("d1", "u2"), ("d2", "u3"), ("d3", "u4"), ("d3", "u4"), ("d3", "u5"))],
        {"outcome": "too_short", "n": 4},
        {"outcome": "read", "n": 10},
    )  # fmt: skip
    texts = in_batch(select_distinct(rows), 1)
    copies = frame(
        "doc_id string, stays boolean, n_near_copies long", [("d1", False, 1), ("d2", True, 1)]
    )
    resolved = resolve_documents(texts, copies, frame("doc_id string, n_near_copies long", []), 1)
    counts = {row.outcome: row.rows for row in count_documents(rows, resolved).collect()}
    assert counts == {
        "read": 10, "document": 2, "duplicate": 3, "near_duplicate": 1, "too_short": 4,
    }  # fmt: skip
    documents = select_documents(texts, resolved)
    assert documents.columns == DOCUMENTS.columns
    assert sorted((d.doc_id, d.n_copies, d.n_near_copies) for d in documents.collect()) == [
        ("d2", 1, 1), ("d3", 3, 0),
    ]  # fmt: skip


def test_without_documents_there_is_nothing_to_count(spark: SparkSession, frame: Frame) -> None:
    rows = staged(spark, {"outcome": "read", "n": 0})
    copies = frame("doc_id string, stays boolean, n_near_copies long", [])
    held = frame("doc_id string, n_near_copies long", [])
    resolved = resolve_documents(in_batch(select_distinct(rows), 1), copies, held, 1)
    counts = count_documents(rows, resolved).collect()
    assert {row.outcome: row.rows for row in counts} == {"read": 0}


def test_what_is_held_is_changed_where_copies_came_or_near_duplicates_are_others(
    frame: Frame,
) -> None:
    texts = frame("doc_id string, batch long, is_first boolean", [
        ("new", 2, True), ("near", 2, True), ("copied", 1, True), ("copied", 2, False),
        ("same", 1, True), ("led", 1, True), ("fallen", 1, True), ("risen", 1, True),
        ("below", 1, True),
    ])  # fmt: skip
    copies = frame("doc_id string, stays boolean, n_near_copies long", [
        ("led", True, 1), ("near", False, 1), ("fallen", False, 2), ("below", False, 2),
    ])  # fmt: skip
    held = frame("doc_id string, n_near_copies long", [
        (doc_id, 0) for doc_id in ("copied", "same", "led", "fallen", "stranger")
    ])  # fmt: skip
    resolved = resolve_documents(texts, copies, held, 2).collect()
    assert {row.doc_id for row in resolved if row.is_new} == {"new", "near"}
    assert {row.doc_id for row in resolved if row.stays} == {
        "new", "copied", "same", "led", "risen",
    }  # fmt: skip
    assert {row.doc_id for row in resolved if row.is_changed} == {
        "new", "copied", "led", "fallen", "risen", "stranger",
    }  # fmt: skip


def test_files_are_counted_by_outcome(frame: Frame) -> None:
    rows = [("f", "read", 2), ("f", "document", 1), ("f", "read", 1), ("g", "read", 1)]
    counted = count_files(frame("read_from string, outcome string, n long", rows)).collect()
    assert {row.path: row.counts for row in counted} == {
        "f": {"read": 3, "document": 1}, "g": {"read": 1},
    }  # fmt: skip


TEXT = "".join(f"The {word} of the potter stands on a shelf by the river. " for word in (
    "bowl", "kettle", "plate", "jug", "lamp", "cup", "vase", "tile", "pipe", "bell", "bead",
))  # fmt: skip


@pytest.mark.parametrize("partitions", [1, 7])
def test_near_duplicates_are_linked(frame: Frame, partitions: int) -> None:
    texts = [
        ("a", TEXT),
        ("b", TEXT + "Read more."),
        ("c", TEXT.replace("kettle", "teapot")),
        ("d", "Nothing here is like any of the others, not even the words that they are made of."),
        ("e", "ร้านเครื่องปั้นดินเผาริมแม่น้ำเปิดให้ชาวบ้านเข้าชมทุกฤดูใบไม้ผลิ " * 2),
        ("f", "ร้านเครื่องปั้นดินเผาริมแม่น้ำเปิดให้ชาวบ้านเข้าชมทุกฤดูใบไม้ผลิ  " * 2),
    ]
    documents = frame("doc_id string, text string", texts).repartition(partitions)
    signed = sign_documents(documents, 0.8, seed=0)
    edges = link_near_duplicates(signed, 0.8).collect()
    assert len(set(edges)) == len(edges)
    members = find_components((edge.a, edge.b) for edge in edges)
    assert members == {"a": "a", "b": "a", "c": "a", "e": "e", "f": "e"}


EVALUATION = NgramIndex.of(
    ["Which of the potter's vessels stands longest on the shelf beside the river, and why there?"]
)


def test_pages_that_hold_an_evaluation_text_are_found(frame: Frame) -> None:
    asked = "which of the potters vessels stands longest on the shelf beside the river and why"
    texts = [("en:1", f"Before.\n{asked}?\nAfter."), ("en:2", TEXT), ("th:1", "")]
    found = find_contaminated(frame("source_id string, text string", texts), EVALUATION)
    (row,) = found.collect()
    assert (row.source_id, row.hits > 0, 0.5 < row.share < 1) == ("en:1", True, True)


def test_sides_with_such_a_text_on_either_side_are_marked(frame: Frame) -> None:
    sides = [
        ("p1", "en:1", "th:1"),
        ("p2", "en:2", "th:2"),
        ("p3", "en:3", "ja:1"),
        ("p4", "en:4", "ja:2"),
    ]
    contaminated = [("en:1", 1, 0.5), ("th:2", 1, 0.5), ("th:1", 1, 0.5), ("ja:1", 1, 0.5)]
    schema = "pair_id string, en_source_id string, target_source_id string"
    found = frame("source_id string, hits long, share double", contaminated)
    marked = mark_contaminated(frame(schema, sides), found)
    assert marked.columns == ["pair_id", "en_source_id", "target_source_id", "is_contaminated"]
    assert sorted((row.pair_id, row.is_contaminated) for row in marked.collect()) == [
        ("p1", True), ("p2", True), ("p3", True), ("p4", False),
    ]  # fmt: skip
