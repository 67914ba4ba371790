from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossic_etl.kernels.encoding.spec import Kind, Vectors
from crossic_etl.kernels.samples import aligned_cuts
from crossic_etl.kernels.samples.aligned_cuts import (
    ALIGNED,
    BY_POSITION,
    ChunkedDocument,
    Cut,
    chunk_by_anchors,
    chunk_by_encoder,
    cut_aligned,
    row_cosines,
    segment_vectors,
)
from crossic_etl.kernels.samples.chunks import make_chunks
from crossic_etl.kernels.samples.segments import NO_DOCUMENT, Document, tokenize_documents
from crossic_etl.kernels.tokens.tokenizers import load_tokenizer

SENTENCES = st.lists(
    st.sampled_from(
        [
            "A cat sat in 1237. ",
            "Berlin grew to 3,769,495. ",
            "\n\n",
            "猫が1237年に座った。",
            "แมว นั่ง 1780 ",
            "جلست القطة ١٢٣٧؟ ",
            "## H\n\n",
            "👩\u200d👧🇯🇵 𓂀 1237 ",
            "  ",
        ]
    ),
    max_size=60,
).map("".join)
LANGS = st.sampled_from(["ja", "th", "ar", "xx"])


class DigitEncoder:
    """A text's vector counts its digits: texts on one number are near."""

    name, revision, dimension = "digits", "1", 10

    def encode(self, texts: list[str], kind: Kind) -> Vectors:
        counts = np.array([[text.count(str(d)) for d in range(10)] for text in texts], np.float32)
        counts = counts.reshape(-1, 10) + np.float32(1e-6)
        return np.asarray(counts / np.linalg.norm(counts, axis=1, keepdims=True))

    def visible(self, texts: list[str], kind: Kind) -> list[int]:
        return [len(text) for text in texts]


def document(text: str, lang: str = "en") -> Document:
    return tokenize_documents([text], [lang], load_tokenizer())[0]


def paragraphs(subjects: str, words: str) -> str:
    return "\n\n".join(f"{words} {subject * 4}." for subject in subjects)


def cut(english: str, target: str, budget: int, lang: str = "es") -> Cut:
    encoder = DigitEncoder()
    left = chunk_by_encoder(document(english), encoder, "passage")
    right = chunk_by_encoder(document(target, lang), encoder, "query")
    return cut_aligned(left, right, budget)


def subjects_of(made: Cut) -> list[tuple[str, str]]:
    return [
        ("".join(filter(str.isdigit, pair.english.text))[::4],
         "".join(filter(str.isdigit, pair.target.text))[::4])
        for pair in made.pairs
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("lang", "words"), [("es", "El año"), ("ar", "في سنة"), ("ja", "年は"), ("th", "ปี")]
)
def test_a_target_without_the_first_half_stands_beside_the_second(lang: str, words: str) -> None:
    made = cut(paragraphs("0123456789", "The year"), paragraphs("56789", words), 72, lang)
    assert made.kind == ALIGNED
    assert subjects_of(made) == [("012345", "5"), ("6789", "6789")]


def test_an_english_text_without_the_second_half_stands_beside_the_first() -> None:
    made = cut(paragraphs("01234", "The year"), paragraphs("0123456789", "El año"), 72)
    assert made.kind == ALIGNED
    assert subjects_of(made) == [("0123", "0123"), ("4", "456789")]


def test_where_both_cuts_are_the_same_it_is_the_one_by_position() -> None:
    made = cut(paragraphs("0123456789", "The year"), paragraphs("0123456789", "El año"), 72)
    assert made.kind == BY_POSITION
    assert subjects_of(made) == [("0123", "0123"), ("4567", "4567"), ("89", "89")]


def test_a_pair_that_fits_is_not_cut() -> None:
    made = cut("In 1237.", "En 1237.", 60)
    assert (made.kind, len(made.pairs), made.cosines) == (BY_POSITION, 1, [1.0])


def test_one_document_alone_has_no_cosine() -> None:
    alone = ChunkedDocument(NO_DOCUMENT, make_chunks(NO_DOCUMENT), np.zeros((0, 10)))
    other = chunk_by_encoder(document(paragraphs("01234", "The year")), DigitEncoder(), "query")
    made = cut_aligned(alone, other, 32)
    assert made.kind == BY_POSITION
    assert set(made.cosines) == {None}


def test_two_empty_texts_give_no_pair() -> None:
    assert cut("", "", 32) == Cut(BY_POSITION, [], [])


def test_a_budget_too_small_is_refused() -> None:
    with pytest.raises(ValueError, match=r"segment\.max_tokens"):
        cut("a", "b", 8)


def test_a_segment_has_the_vectors_of_its_chunks_by_their_characters() -> None:
    text = "One cat.\n\nTwo dogs ran on."
    side = document(text)
    chunks = make_chunks(side)
    chunked = ChunkedDocument(side, chunks, np.eye(2, dtype=np.float32))
    whole, apart = segment_vectors(chunked, [text]), segment_vectors(chunked, ["One", "dogs ran"])
    assert (whole / 2**16).tolist() == [[8, 16]]
    assert (apart / 2**16).tolist() == [[3, 0], [0, 8]]


def test_cosines_of_rows() -> None:
    left, right = np.array([[3.0, 4], [1, 0], [0, 0]]), np.array([[6.0, 8], [0, 1], [1, 1]])
    assert row_cosines(left, right) == [1.0, 0.0, None]


def test_a_long_stretch_without_counterpart_is_a_sample_of_its_own() -> None:
    made = cut(paragraphs("0" * 6 + "1" * 6, "The year"), paragraphs("1" * 6, "El año"), 100)
    assert made.kind == ALIGNED
    assert [(bool(p.english.text), bool(p.target.text)) for p in made.pairs] == [
        (True, False),
        (True, True),
    ]
    assert made.cosines[0] is None


def test_a_cut_that_is_hardly_nearer_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    english, target = paragraphs("0123456789", "The year"), paragraphs("56789", "El año")
    assert cut(english, target, 72).kind == ALIGNED
    monkeypatch.setattr(aligned_cuts, "_MARGIN", 2.0)
    assert cut(english, target, 72).kind == BY_POSITION


@settings(max_examples=100, deadline=None)
@given(SENTENCES, SENTENCES, LANGS, st.integers(16, 90), st.booleans())
def test_nothing_is_lost_every_pair_fits_and_again_gives_the_same(
    left: str, right: str, lang: str, budget: int, by_anchors: bool
) -> None:
    documents = document(left), document(right, lang)

    def make() -> Cut:
        if by_anchors:
            return cut_aligned(*chunk_by_anchors(*documents), budget)
        encoder = DigitEncoder()
        english = chunk_by_encoder(documents[0], encoder, "passage")
        return cut_aligned(english, chunk_by_encoder(documents[1], encoder, "query"), budget)

    made = make()
    for side, text in ((2, left), (3, right)):
        segments = [pair[side].text for pair in made.pairs]
        assert "".join("".join(segments).split()) == "".join(text.split())
        assert segments == [segment.strip() for segment in segments]
        ids = [pair[side].ids for pair in made.pairs]
        assert [load_tokenizer().decode(part) for part in ids] == segments
    sizes = [len(pair.english.ids) + len(pair.target.ids) for pair in made.pairs]
    assert max(sizes, default=0) + 1 <= budget
    again = make()
    assert (again.kind, again.cosines) == (made.kind, made.cosines)
    assert [pair.english.text for pair in again.pairs] == [p.english.text for p in made.pairs]
    assert len(made.cosines) == len(made.pairs)
    assert all(b.number == a.number + 1 for a, b in pairwise(made.pairs))
