from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossic_etl.kernels.samples.interleaving import Places
from crossic_etl.kernels.samples.runs import cut_row

SIZES = st.lists(st.tuples(st.booleans(), st.integers(1, 20), st.integers(0, 40)), min_size=1)


def places(*pieces: tuple[bool, int, int], growth: int = 0, unmatched: int = 0) -> Places:
    """A row of pieces, each (is English, tokens, what a cut behind it costs)."""
    english = [0, *np.cumsum([n for is_english, n, _ in pieces if is_english]).tolist()]
    of_english = [0, *np.cumsum([is_english for is_english, _, _ in pieces]).tolist()]
    filled = np.array([0, *np.cumsum([n for _, n, _ in pieces]).tolist()])
    n_english = np.array([english[i] for i in of_english])
    zeros = np.zeros(len(filled), np.int64)
    return Places(
        english=np.array(of_english),
        target=np.arange(len(filled)) - np.array(of_english),
        n_english=n_english,
        n_target=filled - n_english,
        filled=filled,
        n_unmatched=np.minimum(n_english, unmatched),
        costs=np.array([0, *(cost for _, _, cost in pieces)]),
        growth=zeros + growth,
        in_row=zeros + 1,
    )


@pytest.mark.parametrize(
    ("costs", "expected"),
    [
        ([9, 9, 9, 9, 9], [0, 4, 5]),
        ([9, 0, 9, 9, 9], [0, 4, 5]),
        ([99, 0, 99, 99, 99], [0, 2, 5]),
    ],
)
def test_a_run_is_full_unless_a_cheaper_cut_is_worth_the_padding(
    costs: list[int], expected: list[int]
) -> None:
    row = places(*((True, 10, cost) for cost in costs))
    assert cut_row(row, 40).tolist() == expected


def test_an_early_cut_leaves_room_for_a_later_one_to_be_cheap() -> None:
    costs = [50, 0, 50, 50, 0, 50, 50, 0, 50, 50]
    assert cut_row(places(*((True, 10, cost) for cost in costs)), 30).tolist() == [0, 2, 5, 8, 10]


def test_a_short_rest_is_evened() -> None:
    row = places(*((True, 20, 10) for _ in range(26)))
    assert cut_row(row, 512).tolist() == [0, 24, 26]
    assert cut_row(row, 500).tolist() == [0, 24, 26]


def test_tokens_that_words_may_gain_are_left_room() -> None:
    pieces = [(True, 10, 0)] * 4
    assert cut_row(places(*pieces), 20).tolist() == [0, 2, 4]
    assert cut_row(places(*pieces, growth=1), 21).tolist() == [0, 2, 4]
    assert cut_row(places(*pieces, growth=1), 20).tolist() == [0, 1, 2, 3, 4]


def test_a_stretch_without_counterpart_is_parted_from_other_text() -> None:
    pieces = [(True, 10, 0)] * 4 + [(False, 10, 0), (True, 10, 0)] * 2
    assert cut_row(places(*pieces), 60).tolist() == [0, 6, 8]
    assert cut_row(places(*pieces, unmatched=40), 60).tolist() == [0, 4, 8]


def test_a_few_words_are_not_left_beside_a_long_stretch() -> None:
    pieces = [(True, 10, 0)] * 6 + [(False, 10, 0), (True, 10, 0)] * 2
    assert cut_row(places(*pieces), 80).tolist() == [0, 6, 10]  # at 8 it would be 70 to 10


def test_two_runs_that_fit_in_one_are_joined() -> None:
    row = places((True, 12, 50), (True, 6, 0), (True, 6, 0), (True, 12, 0))
    beside = row._replace(in_row=np.array([1, 1, 0, 1, 1]))
    assert cut_row(beside, 20).tolist() == [0, 2, 4]


@settings(max_examples=300, deadline=None)
@given(SIZES, st.integers(20, 60))
def test_runs_fit_and_are_as_few_as_can_be(pieces: list[tuple[bool, int, int]], room: int) -> None:
    row = places(*pieces)
    cuts = cut_row(row, room).tolist()
    assert (cuts[0], cuts[-1]) == (0, len(pieces))
    assert all(a < b and row.filled[b] - row.filled[a] <= room for a, b in pairwise(cuts))
    latest = [0]
    while latest[-1] < len(pieces):
        latest.append(int(np.searchsorted(row.filled, row.filled[latest[-1]] + room, "right")) - 1)
    assert len(cuts) == len(latest)
    assert cuts == cut_row(row, room).tolist()
