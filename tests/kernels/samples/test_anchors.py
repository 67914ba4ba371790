from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossic_etl.kernels.samples.anchors import anchor_vectors, find_anchors

TEXTS = st.lists(
    st.text(st.sampled_from("AbÉ 0123456789.,٠١٢๑๒零２'’ก猫") | st.characters(), max_size=60),
    max_size=6,
)
LANGS = st.sampled_from(["ar", "ja", "th", "es", "xx"])


@pytest.mark.parametrize(
    ("lang", "text", "expected"),
    [
        ("en", "In 1989 the wall fell.", {"1989"}),
        ("ar", "في ١٩٨٩ سقط الجدار", {"1989"}),
        ("ja", "１９８９年に壁が崩壊した。", {"1989"}),
        ("th", "พ.ศ. 2532 กำแพงล่มสลาย", {"1989"}),
        ("th", "พ.ศ. ๒๕๓๒", {"1989"}),
        ("en", "2532 people", {"2532"}),
        ("th", "2,532 คน", {"2532"}),
        ("th", "ค.ศ. 1989", {"1989"}),
        ("en", "3,769,495 people", {"3769495"}),
        ("es", "3.769.495 habitantes", {"3769495"}),
        ("ar", "٣٬٧٦٩٬٤٩٥", {"3769495"}),
        ("es", "3\u00a0769\u00a0495 habitantes", {"3769495"}),
        ("hi", "१२,३४,५६७", {"1234567"}),
        ("ja", "３，７６９，４９５人", {"3769495"}),
        ("ja", "建築家Ｈａｎｓ", {"hans"}),
        ("en", "3.75 and 12.5", {"3.75", "12.5"}),
        ("es", "3,75", {"3.75"}),
        ("xx", "9.11.1989", {"11", "1989"}),
        ("ko", "1989.11.09.", {"1989", "11", "09"}),
        ("th", "๙.๑๑.๒๕๓๒", {"11", "1989"}),
        ("en", "1,234.5", {"1.234.5"}),
        ("en", "7 hills", set()),
        ("ja", "建築家Hans Scharounの作品", {"hans", "schar"}),
        ("es", "El río Müggelsee", {"mugge"}),
        ("en", "the river", set()),
        ("en", "", set()),
    ],
)
def test_anchors_are_numbers_and_names(lang: str, text: str, expected: set[str]) -> None:
    assert find_anchors(text, lang) == expected


def test_a_number_of_very_many_digits_is_one_anchor() -> None:
    assert find_anchors("9" * 5000, "th") == {"9" * 5000}


def near(english: list[str], target: list[str], lang: str) -> list[list[float]]:
    left, right = anchor_vectors(english, target, lang)
    rows: list[list[float]] = (left @ right.T).round(3).tolist()
    return rows


def test_chunks_that_share_anchors_are_near() -> None:
    english = ["Founded in 1237.", "It grew to 3,769,495."]
    assert near(english, ["١٢٣٧", "٣٬٧٦٩٬٤٩٥"], "ar") == [[1, 0], [0, 1]]


def test_a_rare_anchor_counts_more_than_a_frequent_one() -> None:
    english = ["Berlin in 1237", "Berlin in 1871", "Berlin"]
    ((of_year, of_city),) = near(english[:1], ["1237", "Berlin"], "xx")
    assert of_year == of_city
    rows = near(english, ["1237", "Berlin"], "xx")
    assert rows[0][0] > rows[0][1] > 0


def test_an_anchor_of_one_side_alone_counts_nothing() -> None:
    left, right = anchor_vectors(["In 1237."], ["In 1871."], "es")
    assert left.shape == right.shape == (1, 0)


def test_texts_without_chunks_have_no_rows() -> None:
    left, right = anchor_vectors([], ["In 1871."], "es")
    assert (len(left), len(right)) == (0, 1)


@settings(max_examples=100, deadline=None)
@given(TEXTS, TEXTS, LANGS)
def test_rows_are_of_unit_length_or_zero(english: list[str], target: list[str], lang: str) -> None:
    vectors = anchor_vectors(english, target, lang)
    assert [len(side) for side in vectors] == [len(english), len(target)]
    lengths = np.concatenate([np.linalg.norm(side, axis=1) for side in vectors])
    assert all(length == 0 or abs(length - 1) < 1e-9 for length in lengths.tolist())
