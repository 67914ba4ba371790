from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossic_etl.kernels.text.sentences import PARAGRAPH, SENTENCE, find_borders, splits_a_cluster

TEXTS = st.text(alphabet="aB1 .!?。」\n\t\u3000กเำ猫؟ع'", max_size=60)


def borders(text: str, lang: str) -> list[tuple[int, int, int]]:
    found = find_borders(text, lang)
    columns = (found.starts.tolist(), found.stops.tolist(), found.kinds.tolist())
    return list(zip(*columns, strict=True))


@pytest.mark.parametrize(
    ("lang", "text", "expected"),
    [
        ("en", "", []),
        ("en", "One sentence.", []),
        ("en", "One. Two.", [(4, 5)]),
        ("en", "Dr. Smith", []),
        ("en", "It has 3.14 cats", []),
        ("en", "Yes! no", []),
        ("en", 'He said "Never." Then', [(16, 17)]),
        ("ja", "猫。犬。", [(2, 2)]),
        ("ja", "「猫。」犬", [(4, 4)]),
        ("ja", "猫 犬", []),
        ("ar", "هل؟ نعم۔ لا.", [(3, 4), (8, 9)]),
        ("th", "แมว หมา", [(3, 4)]),
        ("th", "แมว 3 ตัว", []),
        ("en", "แมว หมา", []),
    ],
)
def test_sentences_end_as_their_language_ends_them(
    lang: str, text: str, expected: list[tuple[int, int]]
) -> None:
    assert borders(text, lang) == [(start, stop, SENTENCE) for start, stop in expected]


def test_a_blank_line_after_a_full_stop_ends_a_paragraph() -> None:
    assert borders("One.\n\nTwo", "en") == [(6, 6, PARAGRAPH)]


def test_a_short_line_without_full_stop_ends_like_a_sentence() -> None:
    assert borders("Head\n\nTwo", "en") == [(6, 6, SENTENCE)]


def test_an_indent_after_a_newline_may_go_to_either_side() -> None:
    assert borders("One.\n  Two", "en") == [(5, 7, PARAGRAPH)]


@given(TEXTS, st.sampled_from(["en", "th", "ja", "ar"]))
def test_borders_are_in_order_and_inside_the_text(text: str, lang: str) -> None:
    found = borders(text, lang)
    starts = [start for start, _, _ in found]
    assert starts == sorted(starts)
    assert all(0 < start <= stop <= len(text) and start < len(text) for start, stop, _ in found)


@given(TEXTS, st.sampled_from(["en", "th", "ja", "ar"]))
def test_only_white_space_may_go_to_either_side_of_a_border(text: str, lang: str) -> None:
    assert "".join(text[start:stop] for start, stop, _ in borders(text, lang)).strip() == ""


@pytest.mark.parametrize(
    ("text", "at", "expected"),
    [
        ("ab", 1, False),
        ("ab", 0, False),
        ("ab", 2, False),
        ("e\u0301a", 1, True),
        ("e\u0301a", 2, False),
        ("กำ", 1, True),
        ("เก", 1, True),
        ("กา", 1, True),
        ("กข", 1, False),
        ("👩\u200d🚀", 1, True),
        ("👩\u200d🚀", 2, True),
        ("👍🏽", 1, True),
        ("🇹🇭", 1, True),
        ("猫犬", 1, False),
        ("\u1112\u1161", 1, True),
        ("بَ", 1, True),
    ],
)
def test_whether_a_cut_parts_a_cluster(text: str, at: int, expected: bool) -> None:
    assert splits_a_cluster(text, at) is expected
