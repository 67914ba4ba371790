from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossic_etl.kernels.samples.alignment import (
    Integers,
    Vectors,
    best_chain,
    cosines,
    gains,
    match_chunks,
)

MATRICES = st.tuples(st.integers(0, 5), st.integers(0, 5)).flatmap(
    lambda shape: st.lists(
        st.integers(0, 4), min_size=shape[0] * shape[1], max_size=shape[0] * shape[1]
    ).map(lambda cells: np.array(cells, np.int32).reshape(shape))
)


def chain(gain: list[list[int]]) -> list[tuple[int, int]]:
    matches = best_chain(np.array(gain, np.int32))
    return list(zip(matches.english.tolist(), matches.target.tolist(), strict=True))


def subjects(numbers: list[int]) -> Vectors:
    return np.eye(8, dtype=np.float32)[numbers]


def matched(english: list[int], target: list[int]) -> list[tuple[int, int]]:
    matches = match_chunks(subjects(english), subjects(target))
    return list(zip(matches.english.tolist(), matches.target.tolist(), strict=True))


@pytest.mark.parametrize(
    ("gain", "expected"),
    [
        ([[1, 0], [0, 1]], [(0, 0), (1, 1)]),
        ([[0, 3], [2, 0]], [(0, 1)]),
        ([[0, 2], [3, 0]], [(1, 0)]),
        ([[1, 1, 1]], [(0, 0)]),
        ([[1], [1]], [(0, 0)]),
        ([[0, 0], [0, 0]], []),
        ([[2, 0, 0], [0, 0, 3], [0, 2, 0]], [(0, 0), (1, 2)]),
    ],
)
def test_the_chain_ascends_and_gains_the_most(
    gain: list[list[int]], expected: list[tuple[int, int]]
) -> None:
    assert chain(gain) == expected


@pytest.mark.parametrize(
    ("english", "target", "expected"),
    [
        ([0, 1, 2], [0, 1, 2], [(0, 0), (1, 1), (2, 2)]),
        ([0, 1, 2, 3], [1, 3], [(1, 0), (3, 1)]),
        ([1, 3], [0, 1, 2, 3], [(0, 1), (1, 3)]),
        ([0, 1, 2, 3], [0, 3, 1, 2], [(0, 0), (1, 2), (2, 3)]),
        ([0, 1], [2, 3], []),
        ([0], [0], [(0, 0)]),
        ([], [0], []),
        ([0], [], []),
        ([], [], []),
    ],
)
def test_chunks_on_one_subject_match(
    english: list[int], target: list[int], expected: list[tuple[int, int]]
) -> None:
    assert matched(english, target) == expected


def test_a_chunk_of_which_nothing_is_known_matches_none() -> None:
    english = np.array([[1, 0], [0, 0], [0, 1]], np.float32)
    matches = match_chunks(english, np.eye(2, dtype=np.float32))
    assert matches.english.tolist() == [0, 2]


def test_vectors_that_are_not_finite_match_none() -> None:
    broken = np.array([[np.nan, 1.0], [np.inf, 0.0]], np.float32)
    assert match_chunks(broken[:, :1], np.ones((1, 1))).english.tolist() == []


def test_cosines_are_whole_thousandths() -> None:
    right = np.array([[0.6, 0.8], [1.0, 0.0]], np.float32)
    assert cosines(right, right).tolist() == [[1000, 600], [600, 1000]]


def test_a_gain_is_what_a_cosine_is_above_the_best_of_its_row_and_column() -> None:
    # 0.9 - (0.5 + 0.9) / 2 + 0.1 and 0.1 - (0.5 + 0.1) / 2 + 0.1 -> 0; in 24,000ths
    assert gains(np.array([[900, 100]], np.int32)).tolist() == [[7200, 0]]


def test_a_cosine_that_is_not_positive_gains_nothing() -> None:
    assert gains(np.array([[0, -50]], np.int32)).tolist() == [[0, 0]]


def test_a_chunk_near_everything_gains_less_than_one_near_its_own() -> None:
    similar = np.array([[800, 800, 800, 800], [100, 700, 100, 100]], np.int32)
    gain = gains(similar)
    assert gain[1, 1] > gain[0].max()


def total(gain: Integers, pairs: list[tuple[int, int]]) -> int:
    return int(sum(gain[i, j] for i, j in pairs))


def best_by_trial(gain: Integers) -> int:
    rows, columns = gain.shape
    chains = (
        list(zip(left, right, strict=True))
        for size in range(min(rows, columns) + 1)
        for left in itertools.combinations(range(rows), size)
        for right in itertools.combinations(range(columns), size)
    )
    return max(total(gain, pairs) for pairs in chains)


@settings(max_examples=100, deadline=None)
@given(MATRICES)
def test_no_other_chain_gains_more(gain: Integers) -> None:
    pairs = chain(gain.tolist()) if gain.size else []
    assert all(a < c and b < d for (a, b), (c, d) in itertools.pairwise(pairs))
    assert all(gain[i, j] > 0 for i, j in pairs)
    assert total(gain, pairs) == best_by_trial(gain)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.integers(1, 30))
def test_matches_depend_neither_on_noise_nor_on_the_order_of_dimensions(
    seed: int, n: int, m: int
) -> None:
    draw = np.random.default_rng(seed)
    english, target = draw.normal(size=(n, 64)), draw.normal(size=(m, 64))
    english /= np.linalg.norm(english, axis=1, keepdims=True)
    target /= np.linalg.norm(target, axis=1, keepdims=True)
    order = draw.permutation(64)
    assert (cosines(english, target) == cosines(english[:, order], target[:, order])).all()
    assert (cosines(english, target)[:1] == cosines(english[:1], target)).all()
