"""The markers of list items in Markdown: ``- `` and ``1. ``, nested by indentation."""

from __future__ import annotations

import re
from functools import lru_cache

from crossic_etl.kernels.wikitext.page import BLANK, BLOCK, BREAK, HOLE

# Nearly every list: items of one level, of one line each, with nothing left out.
_FLAT = re.compile(f"(?:\n\\*(?![*#:;])[^\n{HOLE}{BREAK}{BLOCK}]*)+")
_OWN = {"*": "- "}
MOST_NESTED = 20

# Of the items that are open: their symbols, how wide their markers are, the numbers they have.
State = tuple[str, tuple[int, ...], tuple[int, ...]]
NOTHING_OPEN: State = ("", (), ())


def flat_list(block: str) -> str | None:
    """The items of a list of one level, with their markers; None for any other list."""
    if not _FLAT.fullmatch(block):
        return None
    items = (line.strip(" \t") for line in block[2:].split("\n*"))
    return "\n".join([f"- {item}" for item in items if item])


def indented(item: str, marker: str) -> str:
    """``item``, whose further lines are indented as its text is behind ``marker``."""
    indent = BLANK * len(marker)
    first, *more = item.split(BREAK)
    return BREAK.join([first, *(indent + line.lstrip() if line else "" for line in more)])


@lru_cache(maxsize=4096)
def next_marker(state: State, symbols: str) -> tuple[State, str]:
    """The items that are open from an item on that has these symbols (``*#``), and its marker.

    The marker has its indent before it. An item whose parents have no text of their own is not
    indented for them.
    """
    opened, widths, numbers = state
    symbols = symbols.replace(";", ":")
    same = 0
    for one, other in zip(symbols, opened, strict=False):
        if one != other:
            break
        same += 1
    new = (0,) * (len(symbols) - same)
    parents = (widths[:same] + new)[:-1]
    *before, number = numbers[:same] + new
    number += symbols[-1] == "#"
    own = f"{number}. " if symbols[-1] == "#" else _OWN.get(symbols[-1], "")
    state = (symbols, (*parents, len(own)), (*before, number))
    return state, BLANK * sum(parents) + own
