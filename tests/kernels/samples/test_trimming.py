from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossic_etl.kernels.samples.documents import NO_DOCUMENT, Document, tokenize_documents
from crossic_etl.kernels.samples.trimming import Segment, cut_segments
from crossic_etl.kernels.tokens.tokenizers import load_tokenizer

TEXTS = st.text(st.sampled_from("ab Zé.!?)\n\n \u3000。はกา مر؟👩\u200d👧🇯🇵𓂀09"), max_size=80)


def document(text: str) -> Document:
    return tokenize_documents([text], ["en"], load_tokenizer())[0]


def ids(text: str) -> list[int]:
    found: list[int] = load_tokenizer().encode(text)[0].tolist()
    return found


def segments(text: str, *tokens: int) -> list[Segment]:
    whole = document(text)
    places = [0, *tokens, len(whole.ids)]
    ends = [0, *whole.ends.tolist()]
    return cut_segments(whole, places, [ends[place] for place in places])


@pytest.mark.parametrize(
    ("text", "n_tokens", "expected"),
    [
        ("A cat. A dog.", 3, ["A cat.", "A dog."]),
        ("A cat.\n\nA dog.", 3, ["A cat.", "A dog."]),
        ("A cat.\n\n \n A dog.", 3, ["A cat.", "A dog."]),
        ("In the\u3000Netherlands Netherlands", 3, ["In the", "Netherlands Netherlands"]),
        ("猫が座った。 👩\u200d👧", 5, ["猫が座った。", "👩\u200d👧"]),
        ("قطة؟ بيت", 3, ["قطة؟", "بيت"]),
        ("แมว หมา", 3, ["แมว", "หมา"]),
    ],
)
def test_segments_have_no_white_space_and_their_own_ids(
    text: str, n_tokens: int, expected: list[str]
) -> None:
    found = segments(text, n_tokens)
    assert [segment.text for segment in found] == expected
    assert [segment.ids.tolist() for segment in found] == [ids(part) for part in expected]


def test_a_cut_inside_a_word_leaves_its_tokens() -> None:
    text = " electroencephalographically"
    whole = ids(text)
    first, second = segments(text, len(whole) - 1)
    assert first.text + second.text == text.strip()
    assert second.ids.tolist() == whole[-1:]


def test_white_space_alone_is_an_empty_segment() -> None:
    assert [(s.text, len(s.ids)) for s in segments(" \n\n \u3000")] == [("", 0)]
    assert [(s.text, len(s.ids)) for s in cut_segments(NO_DOCUMENT, [0, 0], [0, 0])] == [("", 0)]


def test_a_document_without_its_tokenizer_is_refused_where_words_change() -> None:
    with pytest.raises(ValueError, match="no tokenizer"):
        cut_segments(document(" cat")._replace(tokenizer=None), [0, 1], [0, 4])


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.lists(st.integers(1, 100), max_size=4))
def test_the_ids_of_a_segment_are_its_text(text: str, wanted: list[int]) -> None:
    whole = document(text)
    ends = whole.ends.tolist()
    clean = {i + 1 for i, end in enumerate(ends) if end and (i == 0 or end > ends[i - 1])}
    found = segments(text, *sorted(clean & set(wanted) - {len(ends)}))
    decode = load_tokenizer().decode
    assert [decode(segment.ids) for segment in found] == [segment.text for segment in found]
    assert all(segment.text == segment.text.strip() for segment in found)
    assert "".join("".join(s.text for s in found).split()) == "".join(text.split())
