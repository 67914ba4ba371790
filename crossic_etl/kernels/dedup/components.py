"""Connected components of a graph that fits in memory."""

from __future__ import annotations

from collections.abc import Iterable


def find_components(edges: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Maps each node to the lowest node that it is connected with; near linear time.

    Union-find with path halving (Tarjan and van Leeuwen 1984); the lower root becomes the root.
    """
    above: dict[str, str] = {}

    def root_of(node: str) -> str:
        above.setdefault(node, node)
        while above[node] != node:
            above[node] = above[above[node]]
            node = above[node]
        return node

    for a, b in edges:
        low, high = sorted((root_of(a), root_of(b)))
        above[high] = low
    return {node: root_of(node) for node in above}
