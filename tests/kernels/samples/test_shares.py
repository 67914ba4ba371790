from __future__ import annotations

import pytest

from crossic_etl.kernels.samples.shares import COUNTS, TWO_SIDED, SampleShares, add_up


def counts(*values: int) -> dict[str, int]:
    return dict(zip(COUNTS, values, strict=True))


def test_arrangements_with_two_sides() -> None:
    assert set(TWO_SIDED) == {"en-first", "target-first", "random", "retrieved"}


def test_the_counts_of_groups_add_up() -> None:
    groups = [
        counts(10, 10, 8, 2, 8, 6_400_000),
        counts(6, 6, 4, 1, 0, 0),
        counts(4, 0, 0, 0, 0, 0),
    ]
    assert add_up(groups) == SampleShares(20, similarity=0.8, one_sided=0.25, lopsided=0.25)
    assert add_up(groups[2:]) == SampleShares(4)
    assert add_up([counts(2, 2, 0, 0, 0, 0)]) == SampleShares(2, one_sided=1.0)


def test_opposite_sides_have_a_similarity_below_zero() -> None:
    assert add_up([counts(2, 2, 2, 0, 2, -500_000)]).similarity == -0.25


@pytest.mark.parametrize(
    ("shares", "line"),
    [
        (SampleShares(9, 0.8125, 0.015, 0.047), "similarity 0.812, one-sided 1.5%, lopsided 4.7%"),
        (SampleShares(9, 0.0, 0.0, 0.0), "similarity 0.000, one-sided 0.0%, lopsided 0.0%"),
        (SampleShares(9), "similarity –, one-sided –, lopsided –"),
    ],
)
def test_the_line_shows_what_is_unknown(shares: SampleShares, line: str) -> None:
    assert shares.line() == line
