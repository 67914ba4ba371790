"""Links: the text they show, without files, categories and links to other languages."""

from __future__ import annotations

import re

from crossic_etl.kernels.wikis import language_codes
from crossic_etl.kernels.wikitext.page import HOLE, Page

_SCHEME = r"(?:https?:|ftps?:|sftp:|ircs?:|news:|gopher:|git:|svn:|xmpp:|ssh:)?//"
_ADDRESS = rf"(?:{_SCHEME}|(?:mailto|tel|sip|urn|geo|magnet):)[^\s\[\]<>\"]+"
# The look-ahead lets the address end only where it must, so that it can be cut in one way only.
_EXTERNAL = re.compile(rf"\[{_ADDRESS}(?=[\s\]<\"])([^\[\]\n]*)\]", re.IGNORECASE)
# With a bracket in its text; the length is bounded, because many may wait for one closing bracket.
_EXTERNAL_ODD = re.compile(rf"\[{_ADDRESS}(?=[\s<\"])([^\]\n]{{0,300}})\]", re.IGNORECASE)
# Target without namespace or none at all, then what is shown: the only group, so that joining the
# split pieces gives the text with links replaced, without a call for each link.
_PLAIN = re.compile(r"\[\[(?:[^\[\]|:\n]*\||(?=[^\[\]|:\n]*\]))([^\[\]|]+)\]\]")
_BRACKETS = re.compile(r"\[\[|\]\]")
_HEAD = re.compile(r"(?:[^\[\]|\n]*\|)*")
_PIPE_TRICK = re.compile(r"\s*[(（][^()（）]*[)）]$")

MAX_DEPTH = 40
FILE, CATEGORY = 6, 14


def show_links(text: str, page: Page) -> str:
    """``text`` with each link replaced by what a reader sees of it."""
    if "[" not in text and "]]" not in text:
        return text
    text = "".join(_PLAIN.split(text))
    if "//" in text or "mailto:" in text:
        text = _EXTERNAL.sub(_label, text)
        if "[http" in text:
            text = _EXTERNAL_ODD.sub(_label, text)
    if "[[" in text or "]]" in text:
        text = _show_nested(text, page)
    return text


def _label(link: re.Match[str]) -> str:
    return link[1].strip() or HOLE


def _show_nested(text: str, page: Page) -> str:
    """Links with a namespace or with links in their text, innermost first, in one scan."""
    pieces: list[str] = []
    stack: list[list[str]] = []
    position = 0
    for match in _BRACKETS.finditer(text):
        start = match.start()
        pieces.append(text[position:start])
        position = start + 2
        if text[start] == "[":
            stack.append(pieces)
            pieces = []
        elif stack:
            shown = _show("".join(pieces), page) if len(stack) <= MAX_DEPTH else HOLE
            pieces = stack.pop()
            pieces.append(shown)
    pieces.append(text[position:])
    if stack:
        levels = [*stack, pieces]
        pieces = levels[0]
        for level in levels[1:]:
            inner = "".join(level)
            head = _HEAD.match(inner)
            pieces.append(inner[head.end() if head else 0 :])
    return "".join(pieces)


def _show(content: str, page: Page) -> str:
    """What ``[[content]]`` shows."""
    target, pipe, display = content.partition("|")
    if "\n" in target:
        return content
    target = target.strip()
    prefix, colon, _ = target.partition(":")
    if colon and prefix:
        name = prefix.strip().replace("_", " ").casefold()
        namespace = page.wiki.namespaces.get(name)
        if namespace == FILE:
            page.left_out["file"] += 1
            _, gap, after = display.partition("\n\n")
            return HOLE + gap + after
        if namespace == CATEGORY:
            page.left_out["category"] += 1
            return HOLE
        if namespace is None and name in language_codes():
            page.left_out["interlanguage link"] += 1
            return HOLE
    if display.strip():
        return display
    target = target.removeprefix(":")
    if pipe:
        return _PIPE_TRICK.sub("", target.partition(":")[2] or target)
    return target
