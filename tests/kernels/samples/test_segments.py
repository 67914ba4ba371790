from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossic_etl.kernels.samples.segments import (
    NO_DOCUMENT,
    Document,
    SegmentPair,
    segment_pair,
    tokenize_documents,
)
from crossic_etl.kernels.text.sentences import PARAGRAPH, SENTENCE, find_borders, splits_a_cluster
from crossic_etl.kernels.tokens.tokenizers import load_tokenizer

TEXTS = st.text(
    st.sampled_from("ab Z.!?\n\n  。」はก เา مر؟ é\u0301👩\u200d👧🇯🇵0") | st.characters(),
    max_size=400,
)
SENTENCES = st.lists(
    st.sampled_from(
        [
            "A cat sat. ",
            "Where? ",
            "\n\n",
            "猫が座った。",
            "「はい。」",
            "แมว นั่ง ",
            "جلست القطة؟ ",
            "## H\n\n",
        ]
    ),
    max_size=80,
).map("".join)
LANGS = st.sampled_from(["en", "ja", "th", "ar", "xx"])


def document(text: str, lang: str = "en") -> Document:
    return tokenize_documents([text], [lang], load_tokenizer())[0]


def texts(pairs: list[SegmentPair]) -> list[tuple[str, str]]:
    return [(pair.english.text, pair.target.text) for pair in pairs]


def cut(text: str, lang: str) -> list[str]:
    starts = [0, *find_borders(text, lang).starts.tolist(), len(text)]
    return [text[start:stop] for start, stop in pairwise(starts)]


@pytest.mark.parametrize(
    ("lang", "text", "expected"),
    [
        ("en", "One. Two!", ["One.", " Two!"]),
        ("en", 'He said "Never." She left.', ['He said "Never."', " She left."]),
        ("en", "Pi is 3.14 today, e.g. here.", ["Pi is 3.14 today, e.g. here."]),
        ("en", "J. Smith met Dr. Low.", ["J. Smith met Dr. Low."]),
        ("en", "One\n\nTwo.\nThree", ["One\n\n", "Two.\n", "Three"]),
        ("es", "Claro… ¿Nunca? Claro.", ["Claro…", " ¿Nunca?", " Claro."]),
        ("ja", "猫が座った。犬も。", ["猫が座った。", "犬も。"]),
        ("ja", "「行く。」彼は言った！終", ["「行く。」", "彼は言った！", "終"]),
        ("ar", "أين القط؟ هنا. ثم نام", ["أين القط؟", " هنا.", " ثم نام"]),
        ("ur", "بلی بیٹھی۔ کتا", ["بلی بیٹھی۔", " کتا"]),
        ("th", "แมวนั่ง หมานอน 12 ตัว", ["แมวนั่ง", " หมานอน 12 ตัว"]),
        ("en", "แมวนั่ง หมานอน", ["แมวนั่ง หมานอน"]),
        ("ko", "고양이다. 개다.", ["고양이다.", " 개다."]),
        ("xx", "बिल्ली। कुत्ता", ["बिल्ली।", " कुत्ता"]),
        ("en", "", [""]),
    ],
)
def test_a_text_falls_into_its_sentences(lang: str, text: str, expected: list[str]) -> None:
    assert cut(text, lang) == expected


def test_a_heading_ends_like_a_sentence_and_a_paragraph_like_a_paragraph() -> None:
    kinds = find_borders("## Life\n\nHe was born.\n\nHe died.", "en").kinds.tolist()
    assert kinds == [SENTENCE, PARAGRAPH]


@pytest.mark.parametrize(
    ("text", "at", "expected"),
    [
        ("e\u0301", 1, True),
        ("ab", 1, False),
        ("กา", 1, True),
        ("เก", 1, True),
        ("👩\u200d👧", 2, True),
        ("🇯🇵", 1, True),
        ("日本", 1, False),
    ],
)
def test_clusters_are_known(text: str, at: int, expected: bool) -> None:
    assert splits_a_cluster(text, at) is expected


def test_documents_that_fit_are_one_pair() -> None:
    pairs = segment_pair(document("A cat. A dog."), document("猫。犬。", "ja"), 64, 1)
    assert [(pair.number, pair.n) for pair in pairs] == [(0, 1)]
    assert texts(pairs) == [("A cat. A dog.", "猫。犬。")]


def test_both_sides_are_cut_at_the_matching_paragraph() -> None:
    english = "The cat sat on the mat. It slept.\n\nThe dog ran off. It barked at us all."
    target = "El gato se sentó. Durmió.\n\nEl perro corrió lejos. Nos ladró."
    pairs = segment_pair(document(english), document(target, "es"), 32)
    assert texts(pairs) == [
        ("The cat sat on the mat. It slept.\n\n", "El gato se sentó. Durmió.\n\n"),
        ("The dog ran off. It barked at us all.", "El perro corrió lejos. Nos ladró."),
    ]


def test_one_document_alone_is_cut_at_sentences() -> None:
    pairs = segment_pair(NO_DOCUMENT, document("猫が座った。" * 6, "ja"), 16)
    assert {pair.target.text.replace("猫が座った。", "") for pair in pairs} == {""}
    assert [pair.english.text for pair in pairs] == [""] * len(pairs)
    assert len(pairs) > 1


def test_a_short_side_is_not_cut_to_crumbs() -> None:
    pairs = segment_pair(document("A cat sat here today. " * 40), document("Un gato.", "es"), 32)
    assert sorted(pair.target.text for pair in pairs)[-2:] == ["", "Un gato."]


def test_a_sentence_too_long_is_cut_between_words() -> None:
    pairs = segment_pair(document("many words and no stop " * 20), NO_DOCUMENT, 32)
    words = " ".join(pair.english.text.strip() for pair in pairs).split()
    assert words == ("many words and no stop " * 20).split()
    assert len(pairs) > 2


def test_a_character_is_never_cut() -> None:
    text = "𓂀𓆣𓋹" * 60
    pairs = segment_pair(document(text), NO_DOCUMENT, 16)
    decode = load_tokenizer().decode
    assert [decode(pair.english.ids) for pair in pairs] == [pair.english.text for pair in pairs]


def test_two_empty_texts_give_no_pair() -> None:
    assert segment_pair(document(""), document(""), 64) == []


def test_an_empty_side_stays_empty() -> None:
    pairs = segment_pair(document("A cat."), document(""), 64)
    assert texts(pairs) == [("A cat.", "")]


@pytest.mark.parametrize(("budget", "n_separator"), [(15, 0), (16, 8), (0, 0)])
def test_a_budget_without_room_is_refused(budget: int, n_separator: int) -> None:
    with pytest.raises(ValueError, match=r"segment\.max_tokens: \d+ leaves"):
        segment_pair(document("a"), document("b"), budget, n_separator)


def test_a_slice_cut_at_a_paragraph_has_the_ids_of_its_text() -> None:
    text = "".join(
        f"Paragraph {i} (of many) ends. Here!\n\n\n 'Tis so: {i}...\n" for i in range(80)
    )
    pairs = segment_pair(document(text), NO_DOCUMENT, 64)
    at_paragraphs = [pair for pair in pairs[:-1] if pair.english.text.endswith("\n")]
    encode = load_tokenizer().encode
    followed = [
        pair for pair in pairs if pair.number == 0 or pairs[pair.number - 1] in at_paragraphs
    ]
    whole = [pair.english for pair in followed if pair.english.text.endswith("\n")]
    assert len(whole) > 5
    assert all(encode(segment.text)[0].tolist() == segment.ids.tolist() for segment in whole)


@settings(max_examples=200, deadline=None)
@given(TEXTS | SENTENCES, TEXTS | SENTENCES, LANGS, st.integers(16, 90), st.integers(0, 4))
def test_nothing_is_lost_and_every_pair_fits(
    left: str, right: str, lang: str, budget: int, n_separator: int
) -> None:
    english, target = document(left), document(right, lang)
    pairs = segment_pair(english, target, budget, n_separator)
    assert "".join(pair.english.text for pair in pairs) == left
    assert "".join(pair.target.text for pair in pairs) == right
    no_ids = np.zeros(0, np.int32)
    ids = [np.concatenate([no_ids, *(pair[side].ids for pair in pairs)]) for side in (2, 3)]
    assert ids[0].tolist() == english.ids.tolist()
    assert ids[1].tolist() == target.ids.tolist()
    sizes = [len(pair.english.ids) + len(pair.target.ids) for pair in pairs]
    assert max(sizes, default=0) + n_separator + 1 <= budget
    assert [pair[:2] for pair in pairs] == [(i, len(pairs)) for i in range(len(pairs))]


@settings(max_examples=100, deadline=None)
@given(SENTENCES, SENTENCES, st.integers(40, 90))
def test_no_two_neighbours_would_fit_in_one(left: str, right: str, budget: int) -> None:
    pairs = segment_pair(document(left), document(right), budget)
    sizes = [len(pair.english.ids) + len(pair.target.ids) for pair in pairs]
    assert all(a + b + 1 > budget for a, b in pairwise(sizes))
