"""A greedy matching of weighted edges: each node is in one chosen edge at most."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def match_greedily(
    edges: Iterable[tuple[int, int, int]],
) -> Iterator[tuple[tuple[int, int], bool]]:
    """((left, right), whether it is taken) of (strength, left, right) edges, the lowest first.

    An edge is taken unless one of its ends is in an edge that was taken before. The taken edges are
    a maximal matching: no other edge can be added. Time: that of sorting the edges.
    """
    lefts: set[int] = set()
    rights: set[int] = set()
    for _, left, right in sorted(edges):
        is_taken = left not in lefts and right not in rights
        if is_taken:
            lefts.add(left)
            rights.add(right)
        yield (left, right), is_taken
