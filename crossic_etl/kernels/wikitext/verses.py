"""Verses: lines that end where they end, indented as they are."""

from __future__ import annotations

import re

from crossic_etl.kernels.wikitext.page import BLANK, BREAK

_POEM = re.compile(
    r"<poem(?:\s[^<>]*)?>(?P<body>[^<]*(?:<(?!/?poem[\s/>])[^<]*)*)</poem\s*>", re.IGNORECASE
)


def lay_out_verses(text: str) -> str:
    """``text`` where the lines of each ``<poem>`` begin no list and keep the blanks before them.

    Colons before a line, which indent it, are no text.
    """
    return _POEM.sub(lambda poem: f"\n\n{verses(poem['body'])}\n\n", text)


def verses(body: str) -> str:
    """The lines of a poem as one block, stanzas parted by a blank line."""
    return BREAK.join(map(_verse, body.strip("\n").split("\n")))


def _verse(line: str) -> str:
    if line[:1] == ":":
        return line.lstrip(":").strip()
    text = line.lstrip(" ")
    return BLANK * (len(line) - len(text)) + text.rstrip() if text else ""
