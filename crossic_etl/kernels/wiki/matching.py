"""Edges between two sides settled one to one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


def match_greedily(
    edges: Iterable[tuple[int, int, int]],
) -> Iterator[tuple[tuple[int, int], bool]]:
    """((left, right), whether it is taken) of (strength, left, right) edges, the lowest first.

    An edge is taken unless one of its ends is in an edge taken before, so no edge can be added to
    what is taken: a maximal matching. In the size of the sorted edges.
    """
    lefts: set[int] = set()
    rights: set[int] = set()
    for _, left, right in sorted(edges):
        is_taken = left not in lefts and right not in rights
        if is_taken:
            lefts.add(left)
            rights.add(right)
        yield (left, right), is_taken
