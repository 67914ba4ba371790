"""The markers of list items in Markdown: ``- `` and ``1. ``, nested by indentation."""

from __future__ import annotations

from os.path import commonprefix

from crossic_etl.kernels.wikitext.page import BLANK, BREAK, HOLE, ITEM


class Markers:
    """The items of one list that are open, from which the next one has its number and indent."""

    def __init__(self) -> None:
        self._open = ""
        self._widths: list[int] = []
        self._numbers: list[int] = []

    def mark(self, symbols: str, item: str) -> str:
        """``item`` with its marker; ``symbols`` are the ``*#:;`` that stand before it.

        An item whose parents have no text of their own is not indented for them.
        """
        if symbols == "*" == self._open:
            return _joined("- ", 2, item)
        symbols = symbols.replace(";", ":")
        same = len(commonprefix((symbols, self._open)))
        new = len(symbols) - same
        self._widths[same:] = [0] * new
        self._numbers[same:] = [0] * new
        self._open = symbols
        indent = sum(self._widths[:-1])
        marker = ""
        if symbols[-1] == "*":
            marker = "- "
        elif symbols[-1] == "#":
            self._numbers[-1] += 1
            marker = f"{self._numbers[-1]}. "
        self._widths[-1] = len(marker)
        return _joined(BLANK * indent + marker, indent + len(marker), item)


def _joined(marker: str, width: int, item: str) -> str:
    """An item with its marker; further lines of it are indented as its text is."""
    if BREAK in item and width:
        first, *more = item.split(BREAK)
        lines = (BLANK * width + line.lstrip() if line else "" for line in more)
        item = BREAK.join([first, *lines])
    return marker + ITEM + item if HOLE in item else marker + item
