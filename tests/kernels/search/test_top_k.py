from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from crossic_etl.kernels.search.top_k import best_k
from crossic_etl.kernels.search.vectors import Longs


class Candidate(NamedTuple):
    """A document found for a query, and the inner product of their vectors."""

    query_id: str
    doc_id: str
    score: float


def merge(parts: Iterable[Iterable[Candidate]], k: int) -> list[Candidate]:
    """The best k of each query over all parts, ordered by query_id, then best first."""
    rows = [row for part in parts for row in part]
    query_codes = _codes([row.query_id for row in rows])
    doc_codes = _codes([row.doc_id for row in rows])
    scores = np.array([row.score for row in rows], np.float32)
    return [rows[i] for i in best_k(query_codes, scores, doc_codes, k)]


def _codes(names: list[str]) -> Longs:
    """A number for each name, in the order of the names' code points."""
    code = {name: i for i, name in enumerate(sorted(set(names)))}
    return np.array([code[name] for name in names], np.int64)


# Few values, so that ties and repeated documents are common.
CANDIDATES = st.lists(
    st.builds(
        Candidate,
        st.sampled_from("pqr"),
        st.sampled_from("abcdefg"),
        st.sampled_from([-1.0, 0.0, 0.25, 0.5, 1.0]),
    ),
    max_size=25,
)


def test_best_score_comes_first_and_a_tie_goes_to_the_lower_id() -> None:
    rows = [Candidate("q", "c", 0.5), Candidate("q", "a", 0.25), Candidate("q", "b", 0.5)]
    assert [row.doc_id for row in merge([rows], 2)] == ["b", "c"]


def test_each_query_has_its_own_k() -> None:
    rows = [Candidate(q, d, s) for q in "pq" for d, s in [("a", 0.1), ("b", 0.2), ("c", 0.3)]]
    assert [row[:2] for row in merge([rows], 2)] == [
        ("p", "c"), ("p", "b"), ("q", "c"), ("q", "b"),
    ]  # fmt: skip


def test_a_document_that_comes_twice_counts_once_with_its_higher_score() -> None:
    parts = [[Candidate("q", "a", 0.2)], [Candidate("q", "a", 0.7), Candidate("q", "b", 0.5)]]
    assert merge(parts, 2) == [Candidate("q", "a", 0.7), Candidate("q", "b", 0.5)]


def test_not_a_number_is_no_candidate() -> None:
    scores = np.array([np.nan, 0.5], np.float32)
    zeros = np.zeros(2, np.int64)
    assert best_k(zeros, scores, np.array([0, 1]), 5).tolist() == [1]


def test_nothing_merges_to_nothing() -> None:
    assert merge([], 3) == merge([[], []], 3) == []


@given(CANDIDATES, CANDIDATES, CANDIDATES, st.integers(1, 4))
def test_merging_is_associative(
    a: list[Candidate], b: list[Candidate], c: list[Candidate], k: int
) -> None:
    left = merge([merge([a, b], k), c], k)
    right = merge([a, merge([b, c], k)], k)
    assert left == right == merge([a, b, c], k)


@given(CANDIDATES, CANDIDATES, st.integers(1, 4))
def test_order_and_repetition_of_parts_change_nothing(
    a: list[Candidate], b: list[Candidate], k: int
) -> None:
    assert merge([a, b], k) == merge([b, a], k) == merge([a, b, b, a], k)


@given(CANDIDATES, st.integers(1, 4))
def test_the_best_k_are_those_of_a_sort(rows: list[Candidate], k: int) -> None:
    expected = []
    for query in sorted({row.query_id for row in rows}):
        highest: dict[str, float] = {}
        for row in rows:
            if row.query_id == query:
                highest[row.doc_id] = max(highest.get(row.doc_id, -2.0), row.score)
        ranked = sorted(highest.items(), key=lambda item: (-item[1], item[0]))[:k]
        expected += [Candidate(query, doc, score) for doc, score in ranked]
    assert merge([rows], k) == expected
