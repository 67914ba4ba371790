"""Incremental search over a handful of vectors in the plane."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from crossic_etl.config.crawl import Encoder, Neighbours
from crossic_etl.config.encoder import choose_encoder
from crossic_etl.pipeline.retrieval.incremental import IncrementalSearch, NeighbourLists
from crossic_etl.pipeline.retrieval.plan import Sizes
from crossic_etl.pipeline.retrieval.state import SearchState
from crossic_etl.schemas import REVERSE_NEIGHBOURS, SEARCHED_VECTORS
from crossic_etl.tables import Tables

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

VECTORS = "id string, lang string, vector array<float>, url string, text_hash string"
PLAN = "id string, lang string, fingerprint long, generation long, change string"
FOUND = "query_id string, target_lang string, doc_id string, rank int, cosine float"
CHOICE = choose_encoder(Encoder())
SCOPE = {"target_lang": ["th"], "model": [CHOICE.model], "revision": [CHOICE.revision]}
SETTINGS = Neighbours(k=2, shards=2)

EAST, NORTH, WEST, SLANT = [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.75, 0.25]
QUERIES = {"q1": EAST, "q2": NORTH}
# Each vector is new to a language that is covered up to generation 1, where its own is 2 or none.
Plan = list[tuple[str, str, int | None, str]]


def vectors(spark: SparkSession, lang: str, named: dict[str, list[float]]) -> DataFrame:
    rows = [(name, lang, vector, None, name) for name, vector in named.items()]
    return spark.createDataFrame(rows, VECTORS)


def searched(
    tables: Tables,
    corpus: dict[str, list[float]],
    plan: Plan,
    covered: dict[str, int],
    stored: list[tuple[str, str, int, float]] | None = None,
    packed: list[tuple[str, list[tuple[str, float]]]] | None = None,
) -> IncrementalSearch:
    """A search of `QUERIES` in a corpus, with the lists that an earlier one stored."""
    spark = tables.spark
    rows = [(name, lang, 0, generation, change) for name, lang, generation, change in plan]
    changes = [change for *_, change in plan]
    known = [generation for _, _, generation, _ in plan if generation is not None]
    neighbours = [(query, "th", doc, rank, cosine) for query, doc, rank, cosine in stored or []]
    reverse = [(doc, "th", CHOICE.model, CHOICE.revision, of_doc) for doc, of_doc in packed or []]
    return IncrementalSearch(
        tables=tables,
        settings=SETTINGS,
        languages=("th",),
        choice=CHOICE,
        queries=vectors(spark, "th", QUERIES),
        corpus=vectors(spark, "en", corpus),
        sizes=Sizes(
            n_queries=len(QUERIES),
            n_documents=len(corpus),
            dimension=2,
            n_new=changes.count("new"),
            n_gone=changes.count("gone"),
            newest=max(known, default=0),
        ),
        cells=None,
        plan=spark.createDataFrame(rows, PLAN),
        state=SearchState(tables, SCOPE, "s", [], covered),
        neighbours=spark.createDataFrame(neighbours, FOUND),
        reverse=spark.createDataFrame(reverse, REVERSE_NEIGHBOURS.schema),
    )


def entries(lists: NeighbourLists) -> list[tuple[str, str, int]]:
    return sorted((row.query_id, row.doc_id, row["rank"]) for row in lists.found.collect())


@pytest.fixture
def tables(spark: SparkSession, tmp_path: Path) -> Tables:
    return Tables(spark, str(tmp_path))


NEW: Plan = [("q1", "th", None, "new"), ("q2", "th", None, "new"),
             ("east", "en", None, "new"), ("slant", "en", None, "new"), ("west", "en", None, "new"),
             ]  # fmt: skip
CORPUS = {"east": EAST, "slant": SLANT, "west": WEST}


@pytest.mark.parametrize(
    ("covered", "n_new", "n_gone", "newest", "expected"),
    [
        ({"th": 1}, 0, 0, 1, True),
        ({"th": 2}, 0, 0, 1, True),
        ({"th": 1}, 1, 0, 1, False),
        ({"th": 1}, 0, 1, 1, False),
        ({"th": 1}, 0, 0, 2, False),
        ({"ja": 1}, 0, 0, 1, False),
        ({}, 0, 0, 0, False),
    ],
)
def test_lists_are_current_if_no_vector_is_new_or_gone_for_any_language(
    covered: dict[str, int], n_new: int, n_gone: int, newest: int, expected: bool
) -> None:
    nothing = cast(Any, None)
    search = IncrementalSearch(
        tables=nothing, settings=SETTINGS, languages=("th",), choice=CHOICE, queries=nothing,
        corpus=nothing, sizes=Sizes(1, 1, 2, n_new, n_gone, newest), cells=None, plan=nothing,
        state=SearchState(nothing, SCOPE, "s", [], covered), neighbours=nothing, reverse=nothing,
    )  # fmt: skip
    assert search.is_current == expected
    assert search.generation == newest + (n_new > 0)


def test_a_first_search_looks_at_everything_in_both_directions(
    tables: Tables, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="crossic_etl")
    search = searched(tables, CORPUS, NEW, covered={})
    forward = search.forward()
    assert entries(forward) == [
        ("q1", "east", 1), ("q1", "slant", 2), ("q2", "east", 2), ("q2", "slant", 1),
    ]  # fmt: skip
    assert forward.counts("queries") == {"queries_in_all": 2, "queries_in_new": 0}
    backward = search.backward(forward.found)
    assert entries(backward) == [
        ("east", "q1", 1), ("east", "q2", 2), ("slant", "q1", 1), ("slant", "q2", 2),
    ]  # fmt: skip
    assert backward.counts("documents") == {"documents_in_all": 2, "documents_in_new": 0}
    assert caplog.messages[0] == (
        "neighbours: exact, Flat, k 2: 2 queries in 3 documents of 2 floats"
    )
    assert caplog.messages[-1] == (
        "neighbours: backward: 2 documents, once for each language that found them, in its part of "
        "2 queries"
    )


def test_what_is_written_besides_neighbours_are_lists_and_vectors(tables: Tables) -> None:
    search = searched(tables, CORPUS, NEW, covered={})
    forward = search.forward()
    (lists, packed), (table, marked) = search.changes(
        forward.found, search.backward(forward.found).found
    )
    assert (lists, table) == (REVERSE_NEIGHBOURS, SEARCHED_VECTORS)
    assert {
        row.doc_id: (row.change, [one.query_id for one in row.queries]) for row in packed.collect()
    } == {"east": ("new", ["q1", "q2"]), "slant": ("new", ["q1", "q2"])}
    assert {(row.id, row.generation, row.change) for row in marked.collect()} == {
        (name, 1, "new") for name, *_ in NEW
    }
    search.tables.stage("neighbours_plan", search.plan)
    search.unstage()
    assert not list((Path(search.tables.root) / "_staging").iterdir())


HELD: Plan = [("q1", "th", 1, "same"), ("q2", "th", 1, "same"),
              ("east", "en", 1, "same"), ("west", "en", 1, "same")]  # fmt: skip
STORED = [("q1", "east", 1, 1.0), ("q1", "west", 2, -1.0),
          ("q2", "east", 1, 0.0), ("q2", "west", 2, 0.0)]  # fmt: skip
PACKED = [("east", [("q1", 1.0), ("q2", 0.0)]), ("west", [("q2", 0.0), ("q1", -1.0)])]


def test_complete_lists_are_compared_with_new_documents_only(tables: Tables) -> None:
    plan: Plan = [*HELD, ("slant", "en", None, "new")]
    search = searched(tables, CORPUS, plan, {"th": 1}, STORED, PACKED)
    forward = search.forward()
    assert entries(forward) == [
        ("q1", "east", 1), ("q1", "slant", 2), ("q2", "east", 2), ("q2", "slant", 1),
    ]  # fmt: skip
    assert (forward.n_in_all, forward.n_in_new) == (0, 2)
    backward = search.backward(forward.found)
    # No query is new, so that the list of the old document is as it was.
    assert (backward.n_in_all, backward.n_in_new) == (1, 0)
    assert entries(backward) == [
        ("east", "q1", 1), ("east", "q2", 2), ("slant", "q1", 1), ("slant", "q2", 2),
    ]  # fmt: skip


def test_a_list_that_lost_an_entry_is_searched_for_among_all_documents(tables: Tables) -> None:
    plan: Plan = [*HELD[:3], ("west", "en", None, "gone"), ("slant", "en", 1, "same")]
    corpus = {"east": EAST, "slant": SLANT}
    stored = [("q1", "east", 1, 1.0), ("q1", "slant", 2, 0.75),
              ("q2", "slant", 1, 0.25), ("q2", "west", 2, 0.0)]  # fmt: skip
    forward = searched(tables, corpus, plan, {"th": 1}, stored, PACKED).forward()
    assert entries(forward) == [
        ("q1", "east", 1), ("q1", "slant", 2), ("q2", "east", 2), ("q2", "slant", 1),
    ]  # fmt: skip
    assert (forward.n_in_all, forward.n_in_new) == (1, 0)


def test_without_news_the_stored_lists_are_the_result(
    tables: Tables, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="crossic_etl")
    search = searched(tables, {"east": EAST, "west": WEST}, HELD, {"th": 1}, STORED, PACKED)
    forward = search.forward()
    backward = search.backward(forward.found)
    assert entries(forward) == sorted((query, doc, rank) for query, doc, rank, _ in STORED)
    assert entries(backward) == [
        ("east", "q1", 1), ("east", "q2", 2), ("west", "q1", 2), ("west", "q2", 1),
    ]  # fmt: skip
    assert search.changes(forward.found, backward.found) == []
    assert caplog.messages == ["neighbours: nothing new to search"]


def test_where_all_queries_are_gone_nothing_is_found(tables: Tables) -> None:
    plan: Plan = [("q1", "th", None, "gone"), ("q2", "th", None, "gone"), *HELD[2:]]
    search = searched(tables, {"east": EAST, "west": WEST}, plan, {"th": 1}, STORED, PACKED)
    search = replace(search, queries=search.queries.limit(0))
    forward = search.forward()
    assert entries(forward) == []
    assert (forward.n_in_all, forward.n_in_new) == (0, 0)
    assert entries(search.backward(forward.found)) == []
    (_, lists), (_, vectors_left) = search.changes(forward.found, forward.found)
    assert {(row.doc_id, row.change) for row in lists.collect()} == {
        ("east", "gone"), ("west", "gone"),
    }  # fmt: skip
    assert {row.id for row in vectors_left.collect() if row.change == "gone"} == {"q1", "q2"}
