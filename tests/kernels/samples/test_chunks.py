from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossic_etl.kernels.samples.chunks import (
    chunk_texts,
    make_chunks,
    tokens_before,
)
from crossic_etl.kernels.samples.segments import Document, tokenize_documents
from crossic_etl.kernels.tokens.tokenizers import load_tokenizer

PARTS = st.sampled_from(
    [
        "A cat sat on the mat. ",
        "Where? ",
        "\n\n",
        "\n",
        "## H\n\n",
        "* item\n",
        "猫が座った。",
        "แมว นั่ง ",
        "แมวนั่งอยู่บนเสื่อ",
        "جلست القطة؟ ",
        "word " * 30,
        "字" * 40,
        "👩\u200d👧",
        "𓂀𓆣",
    ]
)
TEXTS = st.lists(PARTS, max_size=40).map("".join) | st.text(max_size=300)
LANGS = st.sampled_from(["en", "ja", "th", "ar", "xx"])


def document(text: str, lang: str = "en") -> Document:
    return tokenize_documents([text], [lang], load_tokenizer())[0]


def cut(text: str, lang: str = "en", max_tokens: int = 80) -> list[str]:
    made = document(text, lang)
    return chunk_texts(made, make_chunks(made, max_tokens))


@pytest.mark.parametrize(
    ("lang", "text", "expected"),
    [
        ("en", "One cat sat.\n\nTwo dogs ran.", ["One cat sat.", "Two dogs ran."]),
        ("ar", "جلست القطة.\n\nركض الكلب.", ["جلست القطة.", "ركض الكلب."]),
        ("ja", "猫が座った。\n\n犬が走った。", ["猫が座った。", "犬が走った。"]),
        ("th", "แมวนั่ง หมานอน", ["แมวนั่ง หมานอน"]),
        ("en", "  One cat sat.  \n\n\n  ", ["One cat sat."]),
        ("en", " \n\n ", []),
        ("en", "", []),
    ],
)
def test_a_chunk_is_a_paragraph_without_the_white_space_around_it(
    lang: str, text: str, expected: list[str]
) -> None:
    assert cut(text, lang) == expected


def test_a_heading_begins_the_chunk_of_what_follows_it() -> None:
    text = "He was born.\n\n# Life\n\n## Youth\n\nHe went to school.\n\n## Death\n\nHe died."
    assert cut(text) == [
        "He was born.",
        "# Life\n\n## Youth\n\nHe went to school.",
        "## Death\n\nHe died.",
    ]


def test_items_before_a_heading_are_not_its_own() -> None:
    assert cut("* cat\n* dog\n\n## Life\n\nHe was born.") == [
        "* cat\n* dog",
        "## Life\n\nHe was born.",
    ]


def test_a_heading_at_the_end_is_a_chunk() -> None:
    assert cut("He was born.\n\n## Sources") == ["He was born.", "## Sources"]


def test_a_long_paragraph_is_cut_evenly_at_sentences() -> None:
    text = "The cat sat on the mat. " * 6
    assert cut(text, max_tokens=24) == [("The cat sat on the mat. " * 3).strip()] * 2


def test_a_heading_is_not_parted_from_a_long_paragraph() -> None:
    chunks = cut("## Life\n\n" + "The cat sat on the mat. " * 6, max_tokens=20)
    assert chunks[0].startswith("## Life\n\nThe cat")


@pytest.mark.parametrize(
    ("lang", "sentence"),
    [("ja", "猫が座った。"), ("ar", "جلست القطة هنا؟ "), ("th", "แมวนั่งอยู่ ")],
)
def test_each_script_is_cut_at_its_own_borders(lang: str, sentence: str) -> None:
    chunks = cut(sentence * 12, lang, max_tokens=32)
    assert len(chunks) > 1
    assert all(chunk.endswith(sentence.strip()) for chunk in chunks)
    assert all(chunk.startswith(sentence.strip()) for chunk in chunks)


def test_a_sentence_too_long_is_cut_between_words() -> None:
    chunks = cut("many words and no stop " * 20, max_tokens=16)
    assert " ".join(chunks).split() == ("many words and no stop " * 20).split()
    assert len(chunks) > 5


def test_a_text_of_too_many_chunks_gets_longer_ones() -> None:
    made = document("\n\n".join(f"Paragraph number {i} ends here." for i in range(10)))
    chunks = chunk_texts(made, make_chunks(made, most=4))
    assert [chunk.count("Paragraph") for chunk in chunks] == [3, 3, 3, 1]


def test_shares_are_the_tokens_before() -> None:
    made = document("One cat sat.\n\nTwo dogs ran.")
    shares = make_chunks(made).shares
    assert shares[0, 0] == 0
    assert shares[1, 1] == 1
    assert shares[1, 0] == pytest.approx(0.5, abs=0.15)


@settings(max_examples=200, deadline=None)
@given(TEXTS, LANGS, st.integers(8, 60))
def test_nothing_but_white_space_is_lost_and_each_chunk_fits(
    text: str, lang: str, max_tokens: int
) -> None:
    made = document(text, lang)
    chunks = make_chunks(made, max_tokens)
    edges = np.stack([chunks.starts, chunks.stops], axis=1).ravel()
    assert (np.diff(edges) >= 0).all()
    assert "".join("".join(chunk_texts(made, chunks)).split()) == "".join(text.split())
    sizes = tokens_before(made, chunks.stops) - tokens_before(made, chunks.starts)
    assert sizes.max(initial=0) <= max_tokens
    assert (np.diff(chunks.shares.ravel()) >= 0).all()
    assert all(chunk == chunk.strip() != "" for chunk in chunk_texts(made, chunks))
