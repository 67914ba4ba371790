from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from crossic_etl.kernels.dedup.components import find_components
from tests.support.cpu_limit import no_hang

NODES = st.text("abcdefgh", min_size=1, max_size=1)


def by_search(edges: list[tuple[str, str]]) -> dict[str, str]:
    """The same by looking around from each node, lowest first."""
    near: dict[str, set[str]] = {}
    for a, b in edges:
        near.setdefault(a, set()).add(b)
        near.setdefault(b, set()).add(a)
    found: dict[str, str] = {}
    for start in sorted(near):
        waiting = [start]
        while waiting:
            node = waiting.pop()
            if node not in found:
                found[node] = start
                waiting.extend(near[node])
    return found


def test_each_node_is_named_after_the_lowest_of_its_component() -> None:
    edges = [("c", "b"), ("d", "c"), ("x", "y"), ("b", "a")]
    assert find_components(edges) == {
        "a": "a", "b": "a", "c": "a", "d": "a", "x": "x", "y": "x",
    }  # fmt: skip


def test_without_edges_there_are_no_nodes() -> None:
    assert find_components([]) == {}


@given(st.lists(st.tuples(NODES, NODES), max_size=12))
def test_the_components_are_those_of_a_search(edges: list[tuple[str, str]]) -> None:
    assert find_components(edges) == by_search(edges)


def test_the_order_of_edges_changes_nothing_and_a_long_chain_ends() -> None:
    chain = [(f"{i:06}", f"{i + 1:06}") for i in range(100_000)]
    with no_hang():
        for edges in (chain, chain[::-1], random.Random(0).sample(chain, len(chain))):
            assert set(find_components(edges).values()) == {"000000"}
