from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossic_etl.kernels.samples.headings import heading_spans, inside_spans, reading_borders
from crossic_etl.kernels.text.sentences import PARAGRAPH, SENTENCE, find_borders

LINES = st.lists(
    st.sampled_from(["## H\n\n", "# C# {}\n", "C# is ## not.\n", "#no\n", " ## no\n", "A. B.\n\n"]),
    max_size=12,
).map("".join)


def cut(text: str, lang: str = "en") -> list[str]:
    places = [0, *reading_borders(text, lang).starts.tolist(), len(text)]
    return [text[start:stop] for start, stop in pairwise(places)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("No heading.", []),
        ("## Life\n\nHe sat.", ["## Life\n\n"]),
        ("He sat.\n### ชีวิต\nHe ran.", ["### ชีวิต\n"]),
        ("# A\n## B\n\n###### C\nHe sat.", ["# A\n", "## B\n\n", "###### C\n"]),
        ("C# is no heading, ## nor this.\n ## nor this\n#nor this", []),
        ("####### seven", []),
        ("He sat.\n\n## Notes", ["## Notes"]),
        ("In C# it is.\n## Use\nHe sat.", ["## Use\n"]),
    ],
)
def test_headings_are_found_with_the_white_space_behind(text: str, expected: list[str]) -> None:
    assert [text[start:stop] for start, stop in heading_spans(text).tolist()] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("## Life. Death\n\nHe sat. He ran.", ["## Life. Death\n\nHe sat.", " He ran."]),
        ("He sat.\n\n# A\n\n## B\n\nHe ran.", ["He sat.\n\n", "# A\n\n## B\n\nHe ran."]),
        ("猫。\n\n## 章\n\n犬。鳥。", ["猫。\n\n", "## 章\n\n犬。", "鳥。"]),
        ("He sat.\n\n## Notes\n\n", ["He sat.\n\n", "## Notes\n\n"]),
    ],
)
def test_a_heading_stays_with_its_text(text: str, expected: list[str]) -> None:
    assert cut(text, "ja") == expected


def test_a_paragraph_ends_before_a_heading_whatever_stands_there() -> None:
    text = "a list item\n## Life\nHe sat."
    assert find_borders(text, "en").kinds.tolist() == [SENTENCE, SENTENCE]
    assert reading_borders(text, "en").kinds.tolist() == [PARAGRAPH]


@given(LINES)
def test_no_border_is_inside_a_heading_and_all_others_are_kept(text: str) -> None:
    spans = heading_spans(text)
    found, kept = find_borders(text, "en"), reading_borders(text, "en")
    if len(spans):
        assert not inside_spans(kept.starts, spans).any()
        outside = found.starts[~inside_spans(found.starts, spans)]
        assert kept.starts.tolist() == outside.tolist()
    else:
        assert kept.starts.tolist() == found.starts.tolist()
