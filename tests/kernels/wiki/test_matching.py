from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crossic_etl.kernels.wiki.matching import match_greedily

EDGES = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 6), st.integers(1, 6)), max_size=30)


def taken(edges: list[tuple[int, int, int]]) -> list[tuple[int, int]]:
    return [ends for ends, is_taken in match_greedily(edges) if is_taken]


def test_the_lowest_edge_is_taken_and_those_of_its_ends_are_not() -> None:
    edges = [(2, 1, 1), (0, 2, 1), (1, 1, 2), (1, 1, 3)]
    assert taken(edges) == [(2, 1), (1, 2)]


def test_no_edges_settle_to_none() -> None:
    assert list(match_greedily([])) == []


@given(EDGES)
def test_what_is_taken_is_one_to_one_and_nothing_can_be_added(
    edges: list[tuple[int, int, int]],
) -> None:
    pairs = taken(edges)
    lefts, rights = [left for left, _ in pairs], [right for _, right in pairs]
    assert len(set(lefts)) == len(lefts) and len(set(rights)) == len(rights)
    assert all(left in lefts or right in rights for _, left, right in edges)
