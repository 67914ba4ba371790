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

_RAW = re.compile("\x04([0-9]+)\x04")


@dataclass(frozen=True)
class Options:
    """What the configuration may choose.

    ``math`` and ``code`` are what replaces a formula or a piece of code, ``{}`` standing for its
    source: ``""`` drops it, ``"{}"`` keeps it, ``"[formula]"`` marks its place.
    ``list_marker`` opens each list item.
    ``end_sections`` True keeps References, See also and their like.
    ``empty_headings`` True keeps headings whose section has no text left.
    """

    math: str = ""
    code: str = ""
    list_marker: str = ""
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

    def protect(self, text: str) -> str:
        """A mark that no pass reads as markup; ``restore`` puts ``text`` in its place."""
        self.raw.append(text)
        return f"\x04{len(self.raw) - 1}\x04"

    def restore(self, text: str) -> str:
        """``text`` with what ``protect`` took out of it."""
        if "\x04" not in text:
            return text
        return _RAW.sub(lambda mark: self.raw[int(mark[1])], text)
