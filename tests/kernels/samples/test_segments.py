from __future__ import annotations

import re
from itertools import pairwise

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
from crossic_etl.kernels.text.clusters import splits_a_cluster
from crossic_etl.kernels.text.sentences import PARAGRAPH, SENTENCE, find_borders
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


def ids(text: str) -> list[int]:
    found: list[int] = load_tokenizer().encode(text)[0].tolist()
    return found


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
        ("The cat sat on the mat. It slept.", "El gato se sentó. Durmió."),
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


def test_the_whole_pair_is_trimmed_too() -> None:
    pairs = segment_pair(document("\n\n A cat. \n"), document("  猫。\u3000", "ja"), 64)
    assert texts(pairs) == [("A cat.", "猫。")]
    assert [side.ids.tolist() for side in pairs[0][2:]] == [ids("A cat."), ids("猫。")]


def test_a_pair_that_fits_only_with_its_white_space_is_cut_in_two() -> None:
    text = " Netherlands" + " cat" * 14
    assert (len(ids(text)), len(ids(text.strip()))) == (15, 16)
    assert len(segment_pair(document(text), NO_DOCUMENT, 17)) == 1
    assert len(segment_pair(document(text), NO_DOCUMENT, 16)) == 2


@pytest.mark.parametrize("budget", range(16, 60))
def test_words_of_more_tokens_without_the_space_before_them_fit(budget: int) -> None:
    assert (len(ids(" doubt")), len(ids("doubt"))) == (1, 3)
    english, target = document(" doubt it。" * 40), document(" doubt。" * 40)
    pairs = segment_pair(english, target, budget)
    assert max(len(pair.english.ids) + len(pair.target.ids) for pair in pairs) < budget
    assert {pair.english.text[:8] for pair in pairs} == {"doubt it"}


def test_white_space_alone_is_no_text() -> None:
    assert segment_pair(document(" \n\n" * 90), document("\u3000"), 16) == []
    pairs = segment_pair(document("A cat."), document("\n" * 90), 16)
    assert texts(pairs) == [("A cat.", "")]


@pytest.mark.parametrize(
    ("lang", "sentence"),
    [
        ("en", 'He said (twice): "Never."\n\n\n Antidisestablishmentarians left...\n'),
        ("es", "¿Cuándo llegó? Electroencefalografista. "),
        ("ar", "جلست القطة؟ ذهبت إلى البيت.\n\n"),
        ("ja", "「行く。」彼は言った。\n\n\u3000昭和の町。\n"),
        ("th", "แมวนั่ง หมานอน 12 ตัว\n\n"),
        ("xx", "👩\u200d👧🇯🇵 𓂀𓆣. 🫠\n\n"),
    ],
)
def test_the_ids_of_a_segment_are_those_of_its_text(lang: str, sentence: str) -> None:
    pairs = segment_pair(NO_DOCUMENT, document(sentence * 40, lang), 64)
    assert len(pairs) > 5
    for pair in pairs:
        assert pair.target.text == pair.target.text.strip()
        assert pair.target.ids.tolist() == ids(pair.target.text)


HEADING = re.compile(r"(?:^|\n)#{1,6} [^\n]*\Z")


@pytest.mark.parametrize(
    "heading", ["## Life\n\n", "## Life\n\n### Youth\n\n", "# A\n## B\n### C\n"]
)
@pytest.mark.parametrize("budget", [48, 64, 90, 128])
def test_no_segment_ends_with_a_heading(heading: str, budget: int) -> None:
    sections = [f"{heading}{'A cat sat on it. ' * n}\n\n" for n in (1, 4, 2, 7, 3, 5, 1, 6)]
    english = document("".join(sections))
    target = document("".join(sections).replace("A cat sat on it.", "El gato se sentó."), "es")
    for pairs in (
        segment_pair(english, target, budget),
        segment_pair(english, NO_DOCUMENT, budget),
    ):
        assert len(pairs) > 1
        assert not [side.text for pair in pairs for side in pair[2:] if HEADING.search(side.text)]


@pytest.mark.parametrize("budget", range(40, 60))
@pytest.mark.parametrize(("n_words", "n_rest"), [(2, 90), (14, 90), (16, 12), (16, 14)])
def test_a_sentence_too_long_is_not_cut_behind_its_heading(
    budget: int, n_words: int, n_rest: int
) -> None:
    text = "## Life" + " of cats" * n_words + "\n\n" + "many words " * n_rest
    pairs = segment_pair(document(text), NO_DOCUMENT, budget)
    assert not [pair for pair in pairs if HEADING.search(pair.english.text)]


def test_only_the_end_of_a_text_is_a_heading_without_text() -> None:
    pairs = segment_pair(document("A cat sat. " * 12 + "\n\n## Notes\n\n"), NO_DOCUMENT, 24)
    assert [bool(HEADING.search(pair.english.text)) for pair in pairs] == [False] * (
        len(pairs) - 1
    ) + [True]


def test_cuts_are_at_paragraphs_where_the_number_of_segments_allows() -> None:
    english = "The cat sat on it. It was red. It slept.\n\n" * 24
    target = "El gato se sentó. Era rojo. Durmió bien.\n\n" * 24
    pairs = segment_pair(document(english), document(target, "es"), 128)
    assert {pair.english.text.count("\n\n") + 1 for pair in pairs} <= {3, 4, 5}
    assert all(pair.english.text.startswith("The cat") for pair in pairs)
    assert all(pair.target.text.startswith("El gato") for pair in pairs)


def test_a_short_rest_is_evened_with_its_neighbour() -> None:
    sentence, frase = "The cat sat on it. ", "El gato se sentó. "
    english, target = document(sentence * 40), document(frase * 40, "es")
    room = 512
    assert room < len(english.ids) + len(target.ids) < room + 32
    pairs = segment_pair(english, target, room + 1)
    assert len(pairs) == 2
    assert min(len(side.ids) for pair in pairs for side in pair[2:]) >= 32


def spaceless(text: str) -> str:
    return "".join(text.split())


@settings(max_examples=200, deadline=None)
@given(TEXTS | SENTENCES, TEXTS | SENTENCES, LANGS, st.integers(16, 90), st.integers(0, 4))
def test_nothing_but_white_space_is_lost_and_every_pair_fits(
    left: str, right: str, lang: str, budget: int, n_separator: int
) -> None:
    english, target = document(left), document(right, lang)
    pairs = segment_pair(english, target, budget, n_separator)
    decode = load_tokenizer().decode
    for side, text in ((2, left), (3, right)):
        segments = [pair[side] for pair in pairs]
        assert spaceless("".join(segment.text for segment in segments)) == spaceless(text)
        assert all(segment.text == segment.text.strip() for segment in segments)
        at = 0
        for segment in segments:
            assert text[at : text.index(segment.text, at)].strip() == ""
            at = text.index(segment.text, at) + len(segment.text)
        if is_plain(text):
            assert [decode(segment.ids) for segment in segments] == [s.text for s in segments]
    sizes = [len(pair.english.ids) + len(pair.target.ids) for pair in pairs]
    assert min(sizes, default=1) > 0
    assert max(sizes, default=0) + n_separator + 1 <= budget
    assert [pair[:2] for pair in pairs] == [(i, len(pairs)) for i in range(len(pairs))]
    assert texts(segment_pair(english, target, budget, n_separator)) == texts(pairs)


def is_plain(text: str) -> bool:
    """Whether the tokenizer gives the text back: it composes letters and has no surrogates."""
    return load_tokenizer().decode(ids(text)) == text


@settings(max_examples=200, deadline=None)
@given(SENTENCES, SENTENCES, st.integers(40, 90))
def test_no_two_neighbours_would_fit_in_one(left: str, right: str, budget: int) -> None:
    pairs = segment_pair(document(left), document(right), budget)
    sizes = [len(pair.english.ids) + len(pair.target.ids) for pair in pairs]
    n_white_space = 8  # tokens of white space at the edges, and those kept for words without it
    assert all(a + b + 1 + n_white_space > budget for a, b in pairwise(sizes))
