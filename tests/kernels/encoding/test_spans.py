from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossic_etl.kernels.encoding.spans import SpanRule, find_spans, unfit_reason
from crossic_etl.kernels.text.clusters import splits_a_cluster
from tests.support.cpu_limit import no_hang


def pieces(text: str, rule: SpanRule, lang: str = "en") -> list[str]:
    return [text[start:end] for start, end in find_spans(text, lang, rule)]


def test_a_text_within_the_limit_is_one_span_without_the_white_space_around_it() -> None:
    assert pieces(" \n A short text. \n", SpanRule("lead", 16)) == ["A short text."]
    assert find_spans(" \n A short text. \n", "en", SpanRule("lead", 16)) == [(3, 16)]


def test_a_lead_ends_at_a_sentence_in_its_last_quarter() -> None:
    text = "The first one is here. And so is another one."
    assert pieces(text, SpanRule("lead", 26)) == ["The first one is here."]


def test_a_lead_ends_at_a_word_where_no_sentence_ends_near_its_limit() -> None:
    text = "A sentence. And then a long one without any stop"
    assert pieces(text, SpanRule("lead", 30)) == ["A sentence. And then a long"]


@pytest.mark.parametrize(
    ("lang", "text", "expected"),
    [
        (
            "ja",
            "これは最初の長めの文である。そしてこれが次の文である。",
            "これは最初の長めの文である。",
        ),
        ("ja", "これは句点のないとても長い一つの文なのである", "これは句点のないとても長い一つの"),
        ("th", "แมวนั่งบนเสื่อ และหมานอนหลับอยู่ข้างนอกบ้าน", "แมวนั่งบนเสื่อ"),
        ("th", "แมวหมานั่งบนเก้าอี้แล้วก็หลับไป", "แมวหมานั่งบนเก้า"),
        ("th", "แมวหมานั่งนอนบนเสื่อ", "แมวหมานั่งนอนบน"),
        ("ko", "고양이가 자리에 앉아 있다. 개는 밖에 있다.", "고양이가 자리에 앉아 있다."),
    ],
)
def test_a_lead_in_scripts_without_spaces_and_with(lang: str, text: str, expected: str) -> None:
    assert pieces(text, SpanRule("lead", 16), lang) == [expected]


def test_a_cluster_is_not_cut() -> None:
    assert pieces("a" * 15 + "e\u0301" * 9, SpanRule("lead", 16)) == ["a" * 15]
    assert pieces("a" * 13 + "👩\u200d👩\u200d👧", SpanRule("lead", 16)) == ["a" * 13]


def test_a_cluster_longer_than_the_span_is_cut_all_the_same() -> None:
    assert pieces("a" + "\u0301" * 100, SpanRule("lead", 16)) == ["a" + "\u0301" * 15]


def test_the_spans_of_a_mean_are_spread_from_the_start_to_the_end() -> None:
    sentences = [f"This is sentence number {n}." for n in range(100, 200)]
    found = pieces(" ".join(sentences), SpanRule("mean", 90, 3))
    assert found == [" ".join(sentences[at : at + 3]) for at in (0, 49)] + [
        " ".join(sentences[97:])
    ]


def test_a_mean_of_a_text_that_the_spans_hold_covers_it_all() -> None:
    text = "One sentence here. Two sentences here. Three of them. Four now. Five at last."
    found = pieces(text, SpanRule("mean", 40, 4))
    assert " ".join(found) == text
    assert len(found) == 2


def test_a_short_text_has_one_span_under_either_rule() -> None:
    assert pieces("A short text.", SpanRule("mean", 40, 4)) == ["A short text."]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "empty"),
        ("", "empty"),
        (" \n\u3000\t", "empty"),
        ("--- *** ___ …", "no_letters"),
        ("42", None),
        ("ก", None),
        ("\ud800 a", None),
    ],
)
def test_texts_that_say_nothing_have_a_reason(text: str | None, reason: str | None) -> None:
    assert unfit_reason(text) == reason


def test_names_say_what_makes_a_vector() -> None:
    assert SpanRule().name == "lead-1000"
    assert SpanRule("mean").name == "mean-4x1000"


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"kind": "tail"}, "span.kind: 'tail' given, expected one of lead, mean"),
        ({"max_characters": 0}, "span.max_characters: 0 given, expected 16 to 20000 characters"),
        ({"n_spans": 1}, "span.n_spans: 1 given, expected 2 to 64 spans"),
    ],
)
def test_a_wrong_rule_is_refused(rule: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SpanRule(**rule)  # type: ignore[arg-type]


def test_millions_of_characters_come_to_an_end() -> None:
    texts = ["a" * 5_000_000, "word " * 1_000_000, "\u0301" * 5_000_000, "ก" * 5_000_000]
    with no_hang():
        for text in texts:
            assert 1 <= len(find_spans(text, "th", SpanRule("mean", 2000, 8))) <= 8
            assert len(find_spans(text, "en", SpanRule("lead", 2000))) == 1


@settings(max_examples=300, deadline=None)
@given(
    st.text(
        st.sampled_from("ab. \n。กเ\u0e34é\u0301\u200d👩🇯🇵한\ud800") | st.characters(), max_size=200
    ),
    st.sampled_from([SpanRule("lead", 16), SpanRule("mean", 16, 3), SpanRule("mean", 40, 2)]),
    st.sampled_from(["en", "th", "ja"]),
)
def test_spans_stand_in_order_within_limits_and_cut_nothing(
    text: str, rule: SpanRule, lang: str
) -> None:
    spans = find_spans(text, lang, rule)
    assert bool(spans) == bool(text.strip())
    assert len(spans) <= (rule.n_spans if rule.kind == "mean" else 1)
    before = 0
    for start, end in spans:
        assert before <= start < end <= len(text)
        assert end - start <= rule.max_characters
        assert text[start:end] == text[start:end].strip()
        inside = splits_a_cluster(text, end) and not text[end].isspace()
        assert not inside or splits_whole_span(text, start, end)
        before = end


def splits_whole_span(text: str, start: int, end: int) -> bool:
    return all(splits_a_cluster(text, at) or text[at].isspace() for at in range(start + 1, end))
