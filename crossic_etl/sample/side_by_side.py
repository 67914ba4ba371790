"""Prints two texts beside each other in a terminal; wide characters count as two columns."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import zip_longest


def side_by_side(left: str, right: str, width: int = 100) -> str:
    """The texts in two columns, ``width`` terminal columns wide together."""
    column = (width - 3) // 2
    rows = zip_longest(_wrap(left, column), _wrap(right, column), fillvalue="")
    return "\n".join(f"{_pad(a, column)} | {b}".rstrip() for a, b in rows)


def columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(
        0 if unicodedata.combining(c) or unicodedata.category(c) in ("Mn", "Cf")
        else 1 + (unicodedata.east_asian_width(c) in "WF")
        for c in text
    )  # fmt: skip


def _pad(text: str, width: int) -> str:
    return text + " " * (width - columns(text))


def _wrap(text: str, width: int) -> Iterator[str]:
    for paragraph in text.splitlines():
        line = ""
        # A word and the space before it; in scripts without spaces, one character.
        for word in re.findall(r"\s*[\x21-\u0e00\uac00-\ud7af]+|\s*\S", paragraph):
            if line and columns(line) + columns(word) > width:
                yield line
                line = word.lstrip()
            else:
                line += word
        yield line
