from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from crossic_etl.schemas import REVERSE_NEIGHBOURS
from crossic_etl.transforms.changes import GONE, NEW, SAME, mark_changes
from crossic_etl.transforms.increments import (
    choose_queries,
    count_plan,
    flag_entries,
    pack_lists,
    plan_vectors,
    select_fresh,
    select_kept,
    select_searched,
    unpack_lists,
)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Frame = Callable[[str, list[tuple[Any, ...]]], "DataFrame"]

VECTORS = "id string, lang string, text_hash string, url string, vector array<float>"
SEARCHED = "id string, lang string, fingerprint long, generation long"
PLAN = "id string, lang string, fingerprint long, generation long, change string"
NEIGHBOUR_COLUMNS = "query_id string, target_lang string, doc_id string, rank int, cosine float"
LISTS = "query_id string, target_lang string"


def planned(vectors: DataFrame, searched: DataFrame) -> dict[str, tuple[str, int | None]]:
    rows = plan_vectors(vectors, searched, ["en", "th"]).collect()
    return {row.id: (row.change, row.generation) for row in rows}


def test_a_vector_is_new_where_anything_that_a_search_reads_is_another(frame: Frame) -> None:
    before = [
        ("th:1", "th", "h", None, [1.0, 0.0]),
        ("th:2", "th", "h", None, [1.0, 0.0]),
        ("d1", "en", "h", "u", [1.0, 0.0]),
        ("d2", "en", "h", "u", [1.0, 0.0]),
        ("d3", "en", "h", "u", [1.0, 0.0]),
        ("d4", "en", "h", "u", [1.0, 0.0]),
        ("ja:1", "ja", "h", None, [1.0, 0.0]),
    ]
    first = plan_vectors(frame(VECTORS, before), frame(SEARCHED, []), ["en", "th", "ja"])
    searched = select_searched(first, "m", "r", 3)
    assert {row.change for row in first.collect()} == {NEW}
    now = [
        ("th:1", "th", "h", "", [1.0, 0.0]),
        ("d1", "en", "h", "u", [1.0, 0.0]),
        ("d2", "en", "other", "u", [1.0, 0.0]),
        ("d3", "en", "h", None, [1.0, 0.0]),
        ("d4", "th", "h", "u", [1.0, 0.0]),
        ("d5", "en", None, None, [0.0, 1.0]),
    ]
    assert planned(frame(VECTORS, now), searched) == {
        "th:1": (SAME, 3),
        "th:2": (GONE, None),
        "d1": (SAME, 3),
        **dict.fromkeys(("d2", "d3", "d4", "d5"), (NEW, None)),
    }


def test_a_plan_is_counted(frame: Frame) -> None:
    rows = [
        ("d1", "en", 1, 2, SAME),
        ("d2", "en", 1, None, NEW),
        ("d3", "en", None, None, GONE),
        ("th:1", "th", 1, 4, SAME),
    ]
    (row,) = count_plan(frame(PLAN, rows)).collect()
    assert row.asDict() == {
        **{"n_queries": 1, "n_documents": 2, "n_new": 1, "n_gone": 1, "newest": 4}
    }
    assert count_plan(frame(PLAN, [])).collect()[0].newest == 0


PLANNED = [
    ("old", "th", 1, 1, SAME),
    ("new", "th", 1, None, NEW),
    ("other", "ja", 1, 2, SAME),
    ("a", "en", 1, 1, SAME),
    ("b", "en", 1, 2, SAME),
    ("c", "en", 1, None, NEW),
    ("d", "en", None, None, GONE),
]


def test_an_entry_is_valid_where_both_ends_are_as_the_language_knows_them(frame: Frame) -> None:
    stored = [
        ("old", "th", "a", 1, 0.9),
        ("old", "th", "b", 2, 0.8),
        ("new", "th", "a", 1, 0.9),
        ("gone", "th", "a", 1, 0.9),
        ("other", "ja", "b", 1, 0.9),
        ("other", "ja", "d", 2, 0.8),
    ]
    entries = flag_entries(
        frame(NEIGHBOUR_COLUMNS, stored), frame(PLAN, PLANNED), {"th": 1, "ja": 2}, 3
    )
    rows = {(row.query_id, row.doc_id): row for row in entries.collect()}
    assert {key: row.is_valid for key, row in rows.items()} == {
        ("old", "a"): True, ("old", "b"): False, ("other", "b"): True, ("other", "d"): False,
    }  # fmt: skip
    assert not any(row.is_incomplete for row in rows.values())
    assert (
        flag_entries(frame(NEIGHBOUR_COLUMNS, stored), frame(PLAN, PLANNED), {}, 3).collect() == []
    )


def test_a_full_list_that_lost_an_entry_is_searched_for_again(frame: Frame) -> None:
    stored = [
        ("old", "th", "a", 1, 0.9),
        ("old", "th", "c", 2, 0.8),
        ("other", "ja", "a", 1, 0.9),
        ("other", "ja", "b", 2, 0.8),
    ]
    covered = {"th": 2, "ja": 2}
    entries = flag_entries(frame(NEIGHBOUR_COLUMNS, stored), frame(PLAN, PLANNED), covered, 2)
    assert {row.query_id for row in entries.collect() if row.is_incomplete} == {"old"}
    assert {(row.query_id, row.doc_id) for row in select_kept(entries).collect()} == {
        ("other", "a"), ("other", "b"),
    }  # fmt: skip
    wanted = frame(LISTS, [("old", "th"), ("new", "th"), ("other", "ja"), ("empty", "ja")])
    held = frame(LISTS, [("old", "th"), ("other", "ja"), ("empty", "ja"), ("unwanted", "ja")])
    chosen = choose_queries(wanted, held, entries).collect()
    assert {row.query_id: row.in_all for row in chosen} == {
        "old": True, "new": True, "other": False, "empty": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("covered", "documents", "queries"),
    [({"th": 1, "ja": 2}, {"b", "c"}, {"new", "other"}), ({"ja": 2}, {"c"}, {"new"})],
)
def test_fresh_is_what_the_language_that_knows_least_does_not_know(
    frame: Frame, covered: dict[str, int], documents: set[str], queries: set[str]
) -> None:
    plan = frame(PLAN, PLANNED)
    assert {row.id for row in select_fresh(plan, covered, english=True).collect()} == documents
    assert {row.id for row in select_fresh(plan, covered, english=False).collect()} == queries


def test_lists_are_packed_and_unpacked_and_an_empty_one_is_kept(frame: Frame) -> None:
    found = [("d", "th", "q", 2, 0.5), ("d", "th", "p", 1, 0.75), ("d", "ja", "r", 1, 0.25)]
    wanted = frame(LISTS, [("d", "th"), ("d", "ja"), ("e", "th")])
    packed = pack_lists(frame(NEIGHBOUR_COLUMNS, found), wanted, "m", "r")
    assert packed.columns == REVERSE_NEIGHBOURS.columns
    rows = {(row.doc_id, row.target_lang): row.queries for row in packed.collect()}
    assert rows == {
        ("d", "th"): [("p", 0.75), ("q", 0.5)], ("d", "ja"): [("r", 0.25)], ("e", "th"): [],
    }  # fmt: skip
    assert sorted(map(tuple, unpack_lists(packed).collect())) == sorted(found)


def test_what_differs_is_marked(frame: Frame) -> None:
    schema = (
        "doc_id string, target_lang string, model string, revision string, "
        "queries array<struct<query_id: string, cosine: float>>"
    )
    made = [(name, "th", "m", "r", [("q", 0.5)]) for name in ("same", "changed", "new")]
    held = [
        ("same", "th", "m", "r", [("q", 0.5)]),
        ("changed", "th", "m", "r", [("q", 0.25)]),
        ("gone", "th", "m", "r", []),
    ]
    marked = mark_changes(frame(schema, made), frame(schema, held), REVERSE_NEIGHBOURS)
    assert marked.columns == [*REVERSE_NEIGHBOURS.columns, "change"]
    rows = {row.doc_id: row for row in marked.collect()}
    assert {name: row.change for name, row in rows.items()} == {
        "same": SAME, "changed": NEW, "new": NEW, "gone": GONE,
    }  # fmt: skip
    assert rows["changed"].queries == [("q", 0.5)]
    assert rows["gone"].model == "m"
