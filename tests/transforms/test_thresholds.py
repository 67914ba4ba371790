from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from crossic_etl.transforms import embeddings
from crossic_etl.transforms.embeddings import choose_texts
from crossic_etl.transforms.thresholds import (
    PAIR,
    add_cosines,
    add_right,
    choose_nearest,
    choose_random,
    count_pairs,
    filter_pairs,
    find_copies,
    join_pairs,
    leave_out_copies,
    score_absent,
    score_pairs,
    select_ends,
)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Frame = Callable[[str, list[tuple[Any, ...]]], "DataFrame"]
PAIRS = "pair_id string, target_lang string, en_page_id long, target_page_id long"
VECTORS = "id string, kind string, lang string, text_hash string, vector array<float>"
KNOWN = "target_lang string, query_id string, doc_id string"
NEIGHBOUR_COLUMNS = "query_id string, target_lang string, doc_id string, rank int, cosine float"


def page(key: str, text_hash: str) -> tuple[str, str, str, str, list[float]]:
    return (key, "page", key.partition(":")[0], text_hash, [1.0, 0.0])


def pairs_of(rows: DataFrame) -> set[tuple[str, ...]]:
    return {tuple(row[name] for name in PAIR) for row in rows.collect()}


def test_a_pair_is_known_if_both_pages_have_vectors_of_their_own_text(frame: Frame) -> None:
    pairs = frame(
        PAIRS, [("a", "th", 1, 1), ("b", "th", 2, 2), ("c", "th", 3, 3), ("d", "ja", 1, 9)]
    )
    vectors = frame(
        VECTORS,
        [
            page("en:1", "h1"),
            page("th:1", "h2"),
            page("en:2", "h3"),
            page("en:3", "h4"),
            page("th:3", "h4"),
            page("ja:9", "h5"),
            ("th:2", "document", "th", "h6", [1.0, 0.0]),
        ],
    )
    filtered = filter_pairs(pairs, vectors, seed=0)
    assert {(row.query_id, row.doc_id, row.outcome) for row in filtered.collect()} == {
        ("th:1", "en:1", "known"),
        ("th:2", "en:2", "no_vector"),
        ("th:3", "en:3", "same_text"),
        ("ja:9", "en:1", "known"),
    }


def test_the_pairs_are_those_whose_pages_are_embedded(
    frame: Frame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embeddings, "CALIBRATION_PAIRS", 3)
    numbers = range(1, 9)
    pairs = frame(PAIRS, [(f"p{n}", "th", n, n) for n in numbers])
    keys = [("en", n) for n in numbers] + [("th", n) for n in numbers]
    pages = frame(
        "lang string, page_id long, text_hash string, is_disambiguation boolean",
        [(lang, n, f"{lang}{n}", False) for lang, n in keys],
    )
    documents = frame("doc_id string, lang string, text_hash string", [])
    texts = choose_texts(pages, pairs, documents, "documents", seed=5)
    embedded = {row.id for row in texts.where("outcome = 'embed'").collect()}
    vectors = frame(VECTORS, [page(f"{lang}:{n}", f"{lang}{n}") for lang, n in keys])
    filtered = filter_pairs(pairs, vectors, seed=5).collect()
    known = {
        key for row in filtered if row.outcome == "known" for key in (row.query_id, row.doc_id)
    }
    assert known == embedded and len(known) == 6
    assert [row.outcome for row in filtered].count("over_the_limit") == 5


def test_ends_come_once_each(frame: Frame) -> None:
    known = frame(KNOWN, [("th", "th:1", "en:1"), ("ja", "ja:1", "en:1")])
    vectors = frame(VECTORS, [page(key, key) for key in ("en:1", "en:2", "th:1", "ja:1", "ja:2")])
    queries, documents = select_ends(known, vectors)
    assert sorted(row.id for row in queries.collect()) == ["ja:1", "th:1"]
    assert [row.id for row in documents.collect()] == ["en:1"]


def test_the_nearest_wrong_page_is_the_best_that_is_not_the_right_one(frame: Frame) -> None:
    known = frame(KNOWN, [("th", "th:1", "en:1"), ("th", "th:2", "en:2"), ("ja", "ja:1", "en:1")])
    found = frame(
        NEIGHBOUR_COLUMNS,
        [
            ("th:1", "th", "en:1", 1, 0.9),
            ("th:1", "th", "en:2", 2, 0.5),
            ("th:2", "th", "en:1", 1, 0.8),
            ("th:2", "th", "en:3", 2, 0.7),
            ("ja:1", "ja", "en:1", 1, 0.9),
        ],
    )
    assert pairs_of(choose_nearest(known, found)) == {
        ("th", "th:1", "en:2"),
        ("th", "th:2", "en:1"),
    }


def test_copies_of_the_own_page_are_found_among_a_querys_neighbours(frame: Frame) -> None:
    known = frame(KNOWN, [("th", "th:1", "en:1"), ("th", "th:2", "en:2"), ("ja", "ja:1", "en:1")])
    vectors = frame(
        "id string, vector array<float>",
        [
            ("en:1", [1.0, 0.0]), ("en:2", [0.0, 1.0]),
            ("same", [1.0, 0.0]), ("near", [0.95, 0.31]), ("other", [0.8, 0.6]),
        ],
    )  # fmt: skip
    found = frame(
        NEIGHBOUR_COLUMNS,
        [
            *[("th:1", "th", name, 1, 0.5) for name in ("en:1", "same", "near", "other", "en:2")],
            *[("th:2", "th", name, 1, 0.5) for name in ("same", "en:2")],
            ("ja:1", "ja", "same", 1, 0.5),
        ],
    )
    assert pairs_of(find_copies(known, found, vectors, 2)) == {
        ("th", "th:1", "same"), ("th", "th:1", "near"), ("ja", "ja:1", "same"),
    }  # fmt: skip


def test_what_is_left_without_copies_is_ranked_anew(frame: Frame) -> None:
    copies = frame(KNOWN, [("th", "th:1", "copy")])
    names = ("a", "copy", "b", "c")
    found = frame(
        NEIGHBOUR_COLUMNS,
        [
            (f"{lang}:{n}", lang, name, rank, 1 - rank / 10)
            for lang, n in (("th", 1), ("th", 2), ("ja", 1))
            for rank, name in enumerate(names, start=1)
        ],
    )
    rows = leave_out_copies(copies, found, 2).collect()
    left = {(row.query_id, row.rank): (row.doc_id, row.cosine) for row in rows}
    assert left == {
        ("th:1", 1): ("a", pytest.approx(0.9)),
        ("th:1", 2): ("b", pytest.approx(0.7)),
        ("th:2", 1): ("a", pytest.approx(0.9)),
        ("th:2", 2): ("copy", pytest.approx(0.8)),  # of another query's page
        ("ja:1", 1): ("a", pytest.approx(0.9)),
        ("ja:1", 2): ("copy", pytest.approx(0.8)),  # of another language's pair
    }


def test_the_own_page_takes_its_place_among_the_documents(frame: Frame) -> None:
    right = frame(
        f"{KNOWN}, is_right boolean, cosine float",
        [("th", "th:1", "en:1", True, 0.8), ("th", "th:2", "en:2", True, 0.1),
         ("th", "th:3", "en:3", True, 0.4)],
    )  # fmt: skip
    without = frame(
        NEIGHBOUR_COLUMNS,
        [(f"th:{n}", "th", name, rank, 1 - rank / 4) for n in (1, 2)
         for rank, name in ((1, "a"), (2, "b"))],
    )  # fmt: skip
    rows = add_right(right, without, 2).collect()
    assert {(row.query_id, row.rank): row.doc_id for row in rows} == {
        ("th:1", 1): "en:1", ("th:1", 2): "a",
        ("th:2", 1): "a", ("th:2", 2): "b",  # others are nearer
        ("th:3", 1): "en:3",  # no document was found
    }  # fmt: skip


def test_the_best_wrong_document_is_that_with_the_highest_margin(frame: Frame) -> None:
    without = frame(
        NEIGHBOUR_COLUMNS,
        [
            ("th:1", "th", "hub", 1, 0.6), ("th:1", "th", "d", 2, 0.5),
            ("ja:1", "ja", "d", 1, 0.4),
            ("ja:2", "ja", "d", 1, -0.4),
        ],
    )  # fmt: skip
    backward = frame(
        NEIGHBOUR_COLUMNS,
        [
            ("hub", "th", "th:1", 1, 0.7), ("hub", "th", "th:2", 2, 0.7),
            ("d", "th", "th:1", 1, 0.5), ("d", "th", "th:2", 2, 0.1),
            ("d", "ja", "ja:1", 1, 0.4),
        ],
    )  # fmt: skip
    rows = score_absent(without, backward).collect()
    assert {row.is_right for row in rows} == {False}
    assert {row.query_id: row.margin for row in rows} == {
        "th:1": pytest.approx(0.5 / ((0.55 + 0.3) / 2)),  # above that of the hub, 0.96
        "ja:1": pytest.approx(1.0),
        "ja:2": None,  # both means add up to nothing
    }


def test_random_wrong_pages_are_of_other_pairs_of_the_language(frame: Frame) -> None:
    thai = [("th", f"th:{n}", f"en:{n}") for n in range(9)]
    known = frame(KNOWN, [*thai, ("ja", "ja:1", "en:1")])
    picked = pairs_of(choose_random(known, seed=1))
    assert {query for _, query, _ in picked} == {query for _, query, _ in thai}
    assert not picked & set(thai) and {doc for *_, doc in picked} <= {doc for *_, doc in thai}
    assert pairs_of(choose_random(known.repartition(5), seed=1)) == picked
    assert pairs_of(choose_random(known, seed=2)) != picked


@pytest.mark.parametrize("half", [False, True])
def test_the_cosine_is_that_of_the_pairs_own_vectors(frame: Frame, half: bool) -> None:
    def stored(x: float, y: float) -> Any:
        return np.array([x, y], "<f2").tobytes() if half else [float(x), float(y)]

    schema = f"id string, vector {'binary' if half else 'array<float>'}"
    queries = frame(schema, [("th:1", stored(1, 0)), ("th:2", stored(0, 1)), ("x", stored(1, 1))])
    pages = frame(schema, [("en:1", stored(0.6, 0.8)), ("en:2", stored(-1, 0))])
    right = frame(KNOWN, [("th", "th:1", "en:1"), ("th", "th:2", "en:2")])
    wrong = frame(KNOWN, [("th", "th:1", "en:2")])
    rows = add_cosines(join_pairs(right, wrong), queries, pages, 2).collect()
    assert {(row.query_id, row.doc_id, row.is_right): row.cosine for row in rows} == {
        ("th:1", "en:1", True): pytest.approx(0.6, abs=1e-3),
        ("th:2", "en:2", True): 0.0,
        ("th:1", "en:2", False): -1.0,
    }


def test_margins_are_set_against_both_neighbourhoods(frame: Frame) -> None:
    pairs = frame(
        f"{KNOWN}, is_right boolean, cosine float",
        [
            ("th", "th:1", "en:1", True, 0.8),
            ("th", "th:1", "en:2", False, 0.2),
            ("ja", "ja:1", "en:1", True, 0.9),
            ("ja", "ja:2", "en:3", True, -0.2),
        ],
    )
    forward = frame(
        NEIGHBOUR_COLUMNS,
        [
            ("th:1", "th", "d1", 1, 0.7),
            ("th:1", "th", "d2", 2, 0.5),
            ("ja:1", "ja", "d1", 1, 0.5),
            ("ja:2", "ja", "d1", 1, -0.5),
        ],
    )
    backward = frame(
        NEIGHBOUR_COLUMNS,
        [
            ("en:1", "th", "th:9", 1, 0.4),
            ("en:1", "th", "th:1", 2, 0.2),
            ("en:2", "th", "th:9", 1, 0.0),
            ("en:1", "ja", "ja:1", 1, 0.7),
            ("en:3", "ja", "ja:1", 1, 0.1),
        ],
    )
    rows = score_pairs(pairs, forward, backward).collect()
    assert {(row.target_lang, row.query_id, row.is_right): row.margin for row in rows} == {
        ("th", "th:1", True): pytest.approx(0.8 / ((0.6 + 0.3) / 2)),
        ("th", "th:1", False): pytest.approx(0.2 / ((0.6 + 0.0) / 2)),
        ("ja", "ja:1", True): pytest.approx(0.9 / ((0.5 + 0.7) / 2)),
        ("ja", "ja:2", True): None,
    }


def test_every_pair_is_counted_once(frame: Frame) -> None:
    filtered = frame(
        f"{KNOWN}, outcome string",
        [
            ("th", "th:1", "en:1", "known"),
            ("th", "th:2", "en:2", "known"),
            ("th", "th:3", "en:3", "no_vector"),
            ("ja", "ja:1", "en:1", "same_text"),
        ],
    )
    scores = frame(
        "target_lang string, query_id string, is_right boolean, margin float",
        [("th", "th:1", True, 1.2), ("th", "th:1", False, 0.2), ("th", "th:2", True, None)],
    )
    counted = count_pairs(filtered, scores).collect()
    assert {row.n for row in counted} == {1}
    assert sorted(row.outcome for row in counted) == [
        "calibrated", "no_margin", "no_vector", "same_text",
    ]  # fmt: skip
