from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossic_etl.kernels.samples.borders import (
    MatchedBorders,
    separate_unmatched,
    tokens_within,
)
from crossic_etl.kernels.samples.segments import (
    Document,
    SegmentPair,
    segment_pair,
    tokenize_documents,
)
from crossic_etl.kernels.tokens.tokenizers import load_tokenizer

SHARES = st.lists(st.floats(0, 1), max_size=12).map(sorted)
TEXTS = st.lists(
    st.sampled_from(["A cat sat. ", "\n\n", "猫が座った。", "แมว นั่ง ", "جلست القطة؟ "]), max_size=60
).map("".join)
# English text from a quarter to a half has no counterpart, nor has target text from 0.4 to 0.8.
BORDERS = MatchedBorders(np.array([0.25, 0.5, 0.75, 0.75]), np.array([0.2, 0.2, 0.4, 0.8]))


def document(text: str) -> Document:
    return tokenize_documents([text], ["en"], load_tokenizer())[0]


def test_places_between_borders_are_stretched_to_them() -> None:
    found = BORDERS.to_english(np.array([0.1, 0.3, 0.5, 0.7, 0.9]))
    assert found.tolist() == pytest.approx([0.125, 0.625, 0.75, 0.75, 0.875])


@pytest.mark.parametrize(
    ("english", "target", "expected"),
    [
        (0.125, 0.1, 0),
        (0.25, 0.2, 0),
        (0.4, 0.2, 0),
        (0.5, 0.2, 0),
        (0.6, 0.2, 0.1),
        (0.2, 0.2, 0.05),
        (0.75, 0.6, 0),
        (0.25, 0.6, 0.5),
        (1.0, 1.0, 0),
    ],
)
def test_text_without_counterpart_is_apart_from_nothing(
    english: float, target: float, expected: float
) -> None:
    found = BORDERS.distances(np.array([english]), np.array([target]), 1e-9)
    assert found.tolist() == pytest.approx([expected], abs=1e-6)


def numbers(pairs: list[SegmentPair]) -> list[tuple[str, ...]]:
    return [tuple("".join(filter(str.isdigit, side.text)) for side in pair[2:]) for pair in pairs]


def numbered(first: int, last: int, words: str) -> Document:
    return document("".join(f"{words} {i} is here.\n\n" for i in range(first, last)))


def test_a_cut_follows_the_borders_and_not_the_positions() -> None:
    english, target = numbered(0, 8, "Number"), numbered(5, 8, "Número")
    borders = MatchedBorders(np.array([5 / 8, 1.0]), np.array([0.0, 1.0]))
    by_position = segment_pair(english, target, 48)
    assert numbers(by_position) == [("01234", "56"), ("567", "7")]
    pairs = segment_pair(english, target, 48, borders=borders)
    assert numbers(pairs) == [("01234", ""), ("567", "567")]


def test_a_stretch_without_counterpart_takes_no_more_segments() -> None:
    english, target = numbered(0, 8, "Number"), numbered(5, 8, "Número")
    borders = MatchedBorders(np.array([5 / 8, 1.0]), np.array([0.0, 1.0]))
    for budget in range(24, 80):
        n_segments = len(segment_pair(english, target, budget, borders=borders))
        assert abs(n_segments - len(segment_pair(english, target, budget))) <= 1


@pytest.mark.parametrize(
    ("n_english", "n_target", "least", "english", "target"),
    [
        (100, 100, 20, [[0.25, 0.5]], [[0.4, 0.8]]),
        (100, 100, 30, [], [[0.4, 0.8]]),
        (10, 100, 30, [], [[0.4, 0.8]]),
        (100, 10, 20, [[0.25, 0.5]], []),
        (100, 100, 90, [], []),
    ],
)
def test_long_stretches_without_counterpart_are_found(
    n_english: int, n_target: int, least: float, english: list[Any], target: list[Any]
) -> None:
    borders = MatchedBorders(
        np.array([0.125, 0.25, 0.5, 0.75, 0.75, 1.0]), np.array([0.1, 0.2, 0.2, 0.4, 0.8, 1.0])
    )
    _, found = separate_unmatched(borders, n_english, n_target, least)
    assert [side.tolist() for side in found] == [english, target]


def test_the_few_words_beside_a_stretch_match_its_start() -> None:
    borders = MatchedBorders(np.array([0.0, 0.25, 0.75, 1.0]), np.array([0.2, 0.4, 0.5, 0.8]))
    parted, found = separate_unmatched(borders, 100, 100, 40)
    assert parted.english.tolist() == [0.0, 0.25, 0.25, 0.75, 1.0]
    assert parted.target.tolist() == [0.2, 0.4, 0.5, 0.5, 0.8]
    assert found.english.tolist() == [[0.25, 0.75]]


def test_text_at_either_end_may_be_a_stretch() -> None:
    borders = MatchedBorders(np.array([0.5, 0.6]), np.array([0.0, 1.0]))
    parted, found = separate_unmatched(borders, 100, 100, 40)
    assert found.english.tolist() == [[0.0, 0.5], [0.6, 1.0]]
    places = np.array([0.0, 0.5, 1.0])
    assert parted.to_english(places).tolist() == [0.5, 0.55, 1.0]
    assert parted.distances(np.array([0.2, 0.8]), np.array([0.0, 1.0]), 1e-9).max() < 1e-6


def test_how_much_of_the_stretches_lies_before_a_place() -> None:
    spans = np.array([[0.0, 0.25], [0.5, 0.75]])
    places = np.array([1.0, 0.0, 0.125, 0.25, 0.4, 0.625])
    assert tokens_within(spans, places).tolist() == pytest.approx(
        [0.5, 0, 0.125, 0.25, 0.25, 0.375]
    )
    assert tokens_within(spans[:0], places).tolist() == [0] * 6


def test_distances_do_not_depend_on_the_order_of_places() -> None:
    english, target = np.array([0.6, 0.2, 1.0]), np.array([0.2, 0.2, 0.6])
    there = BORDERS.distances(english, target, 1e-9)
    back = BORDERS.distances(english[::-1], target[::-1], 1e-9)
    assert there.tolist() == pytest.approx(back[::-1].tolist())
    assert there.tolist() == pytest.approx([0.1, 0.05, 0.25], abs=1e-6)


@settings(max_examples=200, deadline=None)
@given(TEXTS, TEXTS, SHARES, SHARES, st.integers(16, 90))
def test_whatever_the_borders_nothing_is_lost_and_every_pair_fits(
    left: str, right: str, here: list[float], there: list[float], budget: int
) -> None:
    n = min(len(here), len(there))
    borders = MatchedBorders(np.array(here[:n]), np.array(there[:n]))
    pairs = segment_pair(document(left), document(right), budget, borders=borders)
    for side, text in ((2, left), (3, right)):
        segments = "".join(pair[side].text for pair in pairs)
        assert "".join(segments.split()) == "".join(text.split())
        assert all(pair[side].text == pair[side].text.strip() for pair in pairs)
    sizes = [len(pair.english.ids) + len(pair.target.ids) for pair in pairs]
    assert max(sizes, default=0) + 1 <= budget
