"""What the passes over one page share: its wiki, the options, the counts, the protected text."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from crossic_etl.kernels.wikis import Wiki

HOLE = "\x01"
"""Stands where something was left out, until ``tidy`` mends what is around it."""

PIPE, EQUALS = "\x02", "\x03"
"""Stand for ``|`` and ``=`` that do not separate template arguments."""

EDGE = "\x08"
"""Stands at the border of a construct whose text must not join with its neighbours to markup."""

BREAK = "\x0f"
"""Stands for a line break within a block, which begins no line in the sense of list markup."""

HEADING_MARK = "\x10"
"""Stands at the start of each heading's line, until ``drop_empty_headings`` has read it."""

BLANK, TAB, LINE_END = "\x11", "\x12", "\x13"
"""Stand for a blank, a tab and a line's end that are kept, wherever they are."""

BLOCK = "\x14"
"""Stands on both sides of a block that the source has within a line: a displayed formula."""

ITEM = "\x17"
"""Stands between the marker of a list item and its text, while that may begin with a hole."""

CODE, CODE_END = "\x15", "\x16"
"""Stand around a piece of code within a line, until ``show_code`` puts backticks there."""

MATH_CHOICES = ("latex", "drop")
CODE_CHOICES = ("keep", "drop")
LIST_CHOICES = ("markdown", "none")

_RAW = re.compile("\x04([0-9]+)\x04")
_KEPT = ((" ", BLANK), ("\t", TAB), ("\n", LINE_END))


@dataclass(frozen=True)
class Options:
    """What the configuration may choose.

    ``math`` ``latex`` shows a formula as ``$…$``, or ``$$…$$`` in a block of its own; ``drop``
    leaves it out. ``code`` ``keep`` shows code in backticks, or in a fenced block; ``drop`` leaves
    it out. ``lists`` ``markdown`` opens items with ``- `` and ``1. ``; ``none`` gives no marker.
    ``end_sections`` True keeps References, See also and their like.
    ``empty_headings`` True keeps headings whose section has no text left.
    """

    math: str = "latex"
    code: str = "keep"
    lists: str = "markdown"
    end_sections: bool = False
    empty_headings: bool = False


@dataclass(frozen=True)
class Extraction:
    """The text of a page, and how many of which constructs it was left without."""

    text: str
    left_out: dict[str, int]


@dataclass
class Page:
    """State of one extraction."""

    lang: str
    wiki: Wiki
    title: str
    options: Options
    left_out: Counter[str] = field(default_factory=Counter)
    raw: list[str] = field(default_factory=list)
    has_code: bool = False
    has_item_marks: bool = False
    formulas: dict[str, list[str]] = field(default_factory=dict)

    def protect(self, text: str) -> str:
        """A mark that no pass reads as markup; ``restore`` puts ``text`` in its place."""
        self.raw.append(text)
        return f"\x04{len(self.raw) - 1}\x04"

    def restore(self, text: str) -> str:
        """``text`` with what ``protect`` took out of it."""
        if "\x04" not in text:
            return text
        return _RAW.sub(lambda mark: self.raw[int(mark[1])], text)


def as_it_is(text: str) -> str:
    """``text`` whose blanks and line ends no pass changes; ``show_kept`` brings them back."""
    for shown, mark in _KEPT:
        text = text.replace(shown, mark)
    return text


def show_kept(text: str) -> str:
    """Finished ``text`` with the blanks, tabs and line ends that were kept as they are."""
    for shown, mark in _KEPT:
        if mark in text:
            text = text.replace(mark, shown)
    return text
