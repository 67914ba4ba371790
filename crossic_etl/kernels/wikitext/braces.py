"""Template calls: one scan over the braces finds them, innermost first, and renders each."""

from __future__ import annotations

import re
from heapq import merge

from crossic_etl.kernels.wikitext.call import split_arguments
from crossic_etl.kernels.wikitext.page import EDGE, EQUALS, HOLE, PIPE, Page
from crossic_etl.kernels.wikitext.templates import own_names, render

_OPENING, _CLOSING = re.compile(r"\{\{+"), re.compile(r"\}\}+")
# A call without braces in it, of exactly two braces: most are, and need no scan.
_INNERMOST = re.compile(r"\{\{(?<!\{\{\{)([^{}]*)\}\}(?!\})")
_CALL_HEAD = re.compile(r"(?:[^{}|\n]*\|)*")

_LINE_STARTS = ("", "*", "#", ":", ";", "|", "!", "=")

MAX_DEPTH = 40
"""MediaWiki's own limit on templates inside templates; what lies deeper is left out."""


class _Open:
    """An opening run of braces that waits for its end, and the text before it."""

    __slots__ = ("before", "braces")

    def __init__(self, before: list[str], braces: int) -> None:
        self.before = before
        self.braces = braces


def render_templates(text: str, page: Page) -> str:
    """``text`` with each template call rendered or left out and counted.

    Runs of braces pair up as in MediaWiki: three make a parameter, whose default is what an article
    shows, two a template. A call that is never closed loses its braces and its name and arguments
    up to the last pipe of that line; the text after it stays.
    """
    if "{{" not in text and "}}" not in text:
        return text
    text = text.replace("'{{", f"'{EDGE}{{{{").replace("}}'", f"}}}}{EDGE}'")
    if own_names(page.lang):
        text = _INNERMOST.sub(lambda call: render(call[1], page), text)
    else:
        text = _INNERMOST.sub(lambda call: render(call[1], page, _stands_in_line(call)), text)
    pieces: list[str] = []
    stack: list[_Open] = []
    position = 0
    for match in merge(_OPENING.finditer(text), _CLOSING.finditer(text), key=re.Match.start):
        start, end = match.span()
        pieces.append(text[position:start])
        position = end
        if text[start] == "{":
            stack.append(_Open(pieces, end - start))
            pieces = []
        elif stack:
            pieces = _close(pieces, end - start, stack, page)
    pieces.append(text[position:])
    if stack:
        pieces = _unclosed([opened.before for opened in stack], pieces)
    return "".join(pieces).replace(PIPE, "|").replace(EQUALS, "=")


def _stands_in_line(call: re.Match[str]) -> bool:
    """Whether other text, no list marker or cell alone, stands on both sides of a call."""
    start, end = call.span()
    before = call.string[max(start - 2, 0) : start].strip()
    return before[-1:] not in _LINE_STARTS and call.string[end : end + 1] not in ("", "\n")


def _close(pieces: list[str], braces: int, stack: list[_Open], page: Page) -> list[str]:
    """The pieces of the level at which a closing run leaves the scan."""
    while braces >= 2 and stack:
        opened = stack[-1]
        taken = 3 if braces >= 3 and opened.braces >= 3 else 2
        inner = "".join(pieces)
        if len(stack) > MAX_DEPTH:
            page.left_out["template too deep"] += 1
            shown = HOLE
        elif taken == 3:
            shown = _default(inner) or HOLE
        else:
            shown = render(inner, page)
        braces -= taken
        opened.braces -= taken
        if opened.braces >= 2:
            pieces = [shown]
            continue
        stack.pop()
        pieces = opened.before
        if opened.braces:
            pieces.append("{")
        pieces.append(shown)
    if braces == 1:
        pieces.append("}")
    return pieces


def _default(parameter: str) -> str:
    """What ``{{{parameter}}}`` shows on a page that is not called; a second pipe ends it."""
    return [*split_arguments(parameter), ""][1]


def _unclosed(levels: list[list[str]], last: list[str]) -> list[str]:
    """The text of calls that are never closed, without their heads."""
    pieces = levels[0]
    for level in [*levels[1:], last]:
        inner = "".join(level)
        head = _CALL_HEAD.match(inner)
        pieces.append(HOLE)
        pieces.append(inner[head.end() if head else 0 :])
    return pieces
