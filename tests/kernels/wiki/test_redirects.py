from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossic_etl.kernels.wiki.redirects import follow_redirects

REDIRECTS = st.dictionaries(st.integers(0, 9), st.integers(0, 12), max_size=10)


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        ({}, {}),
        ({"ชา": "น้ำชา"}, {"ชา": "น้ำชา"}),
        ({"a": "b", "b": "c"}, {"a": "c", "b": "c"}),
        ({"b": "c", "a": "b"}, {"a": "c", "b": "c"}),
        ({"a": "c", "b": "c"}, {"a": "c", "b": "c"}),
        ({"a": "a"}, {"a": None}),
        ({"a": "b", "b": "a"}, {"a": None, "b": None}),
        ({"c": "a", "a": "b", "b": "a"}, {"a": None, "b": None, "c": None}),
        ({"a": "b", "b": "a", "c": "d"}, {"a": None, "b": None, "c": "d"}),
        ({("en", "Tea"): ("en", "Chai")}, {("en", "Tea"): ("en", "Chai")}),
    ],
    ids=[
        "none",
        "one",
        "a chain",
        "a chain from its end",
        "two to one page",
        "to itself",
        "a circle",
        "into a circle",
        "a circle beside a redirect",
        "tuples",
    ],
)
def test_where_redirects_end(targets: dict[object, object], expected: dict[object, object]) -> None:
    assert follow_redirects(targets) == expected


def test_a_chain_of_a_hundred_thousand_is_walked_once() -> None:
    length = 100_000
    ends = follow_redirects({i: i + 1 for i in range(length)})
    assert set(ends.values()) == {length}


@given(REDIRECTS)
def test_every_redirect_gets_an_end_that_is_no_redirect(targets: dict[int, int]) -> None:
    ends = follow_redirects(targets)
    assert ends.keys() == targets.keys()
    assert [end for end in ends.values() if end in targets] == []


@given(REDIRECTS)
def test_the_end_is_where_walking_one_by_one_stops(targets: dict[int, int]) -> None:
    expected: dict[int, int | None] = {}
    for start in targets:
        name = start
        for _ in targets:
            name = targets.get(name, name)
        expected[start] = None if name in targets else name
    assert follow_redirects(targets) == expected
