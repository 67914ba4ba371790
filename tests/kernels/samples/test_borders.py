from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossic_etl.kernels.samples.borders import MatchedBorders
from crossic_etl.kernels.samples.segments import Document, segment_pair, tokenize_documents
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


def test_a_cut_follows_the_borders_and_not_the_positions() -> None:
    english = document("".join(f"Number {i} is here.\n\n" for i in range(8)))
    target = document("".join(f"Número {i} aquí.\n\n" for i in range(4, 8)))
    borders = MatchedBorders(np.array([0.5, 1.0]), np.array([0.0, 1.0]))
    pairs = segment_pair(english, target, 48, borders=borders)
    digits = [tuple("".join(filter(str.isdigit, side.text)) for side in pair[2:]) for pair in pairs]
    assert digits == [("012345", "45"), ("67", "67")]


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
    sizes = [len(pair.english.ids) + len(pair.target.ids) for pair in pairs]
    assert max(sizes, default=0) + 1 <= budget
