"""What holds for any wikitext whatever: it ends in linear time and leaves no balanced markup."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossic_etl.kernels.wikitext import Options, to_text
from tests.support.cpu_limit import no_hang

WORDS = st.text(alphabet="abcXYZ éñ東京한글กาอ 0123,.!?", min_size=1, max_size=12)
PLAIN = st.lists(
    st.text(alphabet="abc XYZ éñ東京한글กาอาعرب 0123,.!?()", min_size=1), min_size=1, max_size=4
)
PIECES = st.sampled_from(
    ["{{", "}}", "{{{", "}}}", "[[", "]]", "{|", "|}", "\n", "|", "=", "==", "'", "''", "'''", "*",
     "#", ":", ";", "<ref>", "</ref>", "<!--", "-->", "<nowiki/>", "<b>", "</div>", "&amp;",
     "&#91;", "[", "]", "http://x ", "File:", "Category:", "convert", "nowrap", "__NOTOC__", "\x01",
     "\x04", "a b"]
)  # fmt: skip
BALANCED = st.recursive(
    WORDS,
    lambda inner: st.one_of(
        inner.map(lambda text: "{{" + text + "}}"),
        inner.map(lambda text: "{{nowrap|" + text + "}}"),
        inner.map(lambda text: "[[" + text + "]]"),
        inner.map(lambda text: "[[File:x.jpg|" + text + "]]"),
        inner.map(lambda text: "\n{|\n|" + text + "\n|}\n"),
        inner.map(lambda text: "<ref>" + text + "</ref>"),
        st.tuples(inner, inner).map(" ".join),
    ),
    max_leaves=12,
)


@given(PLAIN)
def test_text_without_markup_comes_back(lines: list[str]) -> None:
    paragraphs = [" ".join(line.split()) for line in lines]
    text = "\n\n".join(line for line in paragraphs if line)

    actual = to_text(text, "en")

    assert (actual.text, actual.left_out) == (text, {})


@settings(max_examples=300)
@given(st.lists(st.one_of(PIECES, WORDS), max_size=40).map("".join))
def test_any_wikitext_gives_valid_unicode_without_brackets(source: str) -> None:
    actual = to_text(source, "en").text

    assert actual.encode("utf-8").decode("utf-8") == actual
    assert not re.search("[\x00-\x08\x0e-\x1f]", actual)


SECTIONS = st.lists(
    st.one_of(
        st.tuples(st.integers(1, 6), st.sampled_from(["a", "#b", "猫", "แมว", "قط"])),
        st.sampled_from(["c.", "* d", "{{x}}", "<ref>e</ref>", "<nowiki># f</nowiki>", ""]),
    ),
    max_size=12,
)


def has_text_below(blocks: list[str], at: int) -> bool:
    """Whether a block that is no heading follows before a heading of the same level or above."""
    level = blocks[at].partition(" ")[0]
    for block in blocks[at + 1 :]:
        if not re.match("#{1,6} [^f]", block):
            return True
        if len(block.partition(" ")[0]) <= len(level):
            return False
    return False


@given(SECTIONS)
def test_nothing_goes_but_headings_without_text_below(
    lines: list[tuple[int, str] | str],
) -> None:
    source = "\n\n".join(
        line if isinstance(line, str) else f"{'=' * line[0]} {line[1]} {'=' * line[0]}"
        for line in lines
    )
    every, actual = (
        to_text(source, "en", options=Options(empty_headings=True)),
        to_text(source, "en"),
    )
    blocks = every.text.split("\n\n")

    expected = [
        block
        for at, block in enumerate(blocks)
        if not re.match("#{1,6} [^f]", block) or has_text_below(blocks, at)
    ]

    assert actual.text == "\n\n".join(expected)
    dropped = len(blocks) - len(expected)
    assert actual.left_out == every.left_out | ({"heading": dropped} if dropped else {})


@settings(max_examples=300)
@given(st.lists(st.one_of(PIECES, WORDS), max_size=40).map("".join))
def test_lines_of_any_wikitext_stay_in_order_but_for_headings(source: str) -> None:
    every = to_text(source, "en", options=Options(empty_headings=True)).text.split("\n")
    actual = to_text(source, "en").text.split("\n")

    rest = iter(every)
    assert all(line in rest for line in actual if line)
    lost = [line for line in every if line and not line.startswith("#")]
    assert [line for line in actual if line and not line.startswith("#")] == lost


@given(BALANCED)
def test_balanced_constructs_leave_no_delimiters(source: str) -> None:
    actual = to_text(source, "en").text

    assert not re.search(r"\{\{|\}\}|\[\[|\]\]|\{\||\|\}", actual)


@given(st.text())
def test_any_text_at_all_ends(source: str) -> None:
    to_text(source, "ar").text.encode("utf-8")


@pytest.mark.parametrize(
    "unit",
    ["{{", "[[", "<ref>", "{|\n", "{{[[<ref>{|\n", "'''x''", "=", "\n= ", "|", "&amp;", "<",
     "<!-- -->",
     "<!--", "<nowiki>", "[http://x ", "}}", "]]", "({{x}};", "{{{a|", "\n;:", "<sup>1", "  \n"],
)  # fmt: skip
def test_hostile_input_ends(unit: str) -> None:
    source = "Before.\n\n" + unit * (200_000 // len(unit)) + "\n\nAfter."

    with no_hang():
        actual = to_text(source, "en").text

    assert actual.startswith("Before.")
    assert actual.endswith("After.")


@pytest.mark.parametrize(
    ("opening", "closing"),
    [
        ("{{a|", "}}"),
        ("{{nowrap|", "}}"),
        ("[[File:a|", "]]"),
        ("\n{|\n|", "\n|}"),
        ("<ref>", "</ref>"),
    ],
)
def test_nesting_two_thousand_deep_gives_the_text_outside(opening: str, closing: str) -> None:
    source = "Before.\n\n" + opening * 2000 + closing * 2000 + "\n\nAfter."

    assert to_text(source, "en").text.split() == ["Before.", "After."]
