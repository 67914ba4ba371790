"""The markers of list items in Markdown: ``- `` and ``1. ``, nested by indentation."""

from __future__ import annotations

import re

from crossic_etl.kernels.wikitext.page import BLANK, BLOCK, BREAK, HOLE, ITEM

# Nearly every list: items of one level, of one line each, with nothing left out.
_FLAT = re.compile(f"(?:\n\\*(?![*#:;])[^\n{HOLE}{BREAK}{BLOCK}]*)+")
_UNMARKED = frozenset({":", ";", "::", ":::"})


def flat_list(block: str) -> str | None:
    """The items of a list of one level, with their markers; None for any other list."""
    if not _FLAT.fullmatch(block):
        return None
    items = (line.strip(" \t") for line in block[2:].split("\n*"))
    return "\n".join([f"- {item}" for item in items if item])


class Markers:
    """The items of one list that are open, from which the next one has its number and indent."""

    def __init__(self) -> None:
        self._open = ""
        self._widths: list[int] = []
        self._numbers: list[int] = []
        self._marker = ""

    def mark(self, symbols: str, item: str) -> str:
        """``item`` with its marker; ``symbols`` are the ``*#:;`` that stand before it.

        An item whose parents have no text of their own is not indented for them.
        """
        if symbols != self._open or symbols[-1] == "#":
            if symbols in _UNMARKED:
                self._open = ""
                return item
            self._marker = self._next_marker(symbols.replace(";", ":"))
        marker = self._marker
        if BREAK in item and marker:
            first, *more = item.split(BREAK)
            indent = BLANK * len(marker)
            item = BREAK.join([first, *(indent + line.lstrip() if line else "" for line in more)])
        return marker + ITEM + item if HOLE in item else marker + item

    def _next_marker(self, symbols: str) -> str:
        same = 0
        for one, other in zip(symbols, self._open, strict=False):
            if one != other:
                break
            same += 1
        new = [0] * (len(symbols) - same)
        self._widths[same:] = new
        self._numbers[same:] = new
        self._open = symbols
        self._numbers[-1] += 1
        own = {"*": "- ", "#": f"{self._numbers[-1]}. "}.get(symbols[-1], "")
        indent = sum(self._widths[:-1])
        self._widths[-1] = len(own)
        return BLANK * indent + own
