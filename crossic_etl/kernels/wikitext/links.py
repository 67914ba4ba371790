"""Links: the text they show, without files, categories and links to other languages."""

from __future__ import annotations

import re
from heapq import merge
from urllib.parse import unquote

from crossic_etl.kernels.wikis import language_codes
from crossic_etl.kernels.wikitext.page import EDGE, HOLE, Page

_SCHEME = r"(?:https?:|ftps?:|sftp:|ircs?:|news:|gopher:|git:|svn:|xmpp:|ssh:)?//"
_HOST = r"(?:\[[0-9a-f:.]{2,40}\])?"
_ADDRESS = (
    rf"(?:{_SCHEME}{_HOST}|(?:mailto|tel|sip|urn|geo|magnet):)"
    "(?:[^\\s\\[\\]<>\"\x04']|'(?!'))*"
)
# The look-ahead lets the address end only where it must, so that it can be cut in one way only.
_EXTERNAL = re.compile(rf"\[{_ADDRESS}(?=[\s\]<\"'\x04\x08])([^\[\]\n]*)\]", re.IGNORECASE)
# With a bracket in its text; the length is bounded, because many may wait for one closing bracket.
_EXTERNAL_ODD = re.compile(
    rf"\[{_ADDRESS}(?=[\s\[<\"'\x04\x08])([^\]\n]{{0,300}})\]", re.IGNORECASE
)
_ONLY_ADDRESS = re.compile(_SCHEME, re.IGNORECASE)
# Target without namespace or none at all, then what is shown: the only group, so that joining the
# split pieces gives the text with links replaced, without a call for each link.
_PLAIN = re.compile(r"\[\[(?!//)(?:[^\[\]|:\n]*\||(?=[^\[\]|:\n]*\]))([^\[\]|]+)\]\](?!\])")
# A link that begins a line or item, whose text would read as list markup there.
_MARKER = re.compile(r"\[\[(?<=[\n*#:;]\[\[)(?:[^\[\]|\n]*\|(?=[*#:;=])|(?=[*#;=]))")
_ENCODED = re.compile("%[0-9A-Fa-f]{2}")
_ENCODED_LINK = re.compile(r"\[\[([^\[\]|\n]{0,200}%[0-9A-Fa-f]{2}[^\[\]|\n]{0,200})\]\]")
_LONE_BRACKET = re.compile(r"([^\[\]\n]*)\]")
_OPENING, _CLOSING = re.compile(r"\[\["), re.compile(r"\]\]")
_HEAD = re.compile(r"(?:[^\[\]|\n]*\|)*")
_PIPE_TRICK = re.compile(r"\s*[(（][^()（）]*[)）]$")

MAX_DEPTH = 40
MAX_CAPTION = 3000
FILE, CATEGORY = 6, 14


def show_links(text: str, page: Page) -> str:
    """``text`` with each link replaced by what a reader sees of it."""
    if "[" not in text and "]]" not in text:
        return text
    text = _MARKER.sub(rf"\g<0>{EDGE}", text)
    if "%" in text and _ENCODED.search(text):
        text = _ENCODED_LINK.sub(_decode, text)
    text = "".join(_PLAIN.split(text))
    if "[[" in text or "]]" in text:
        text = _show_nested(text, page)
    if "//" in text or "mailto:" in text:
        text = _EXTERNAL.sub(_label, text)
        if "[http" in text:
            text = _EXTERNAL_ODD.sub(_label, text)
    return text


def _decode(link: re.Match[str]) -> str:
    decoded = unquote(link[1])
    return link[0] if "\ufffd" in decoded else f"[[{decoded}]]"


def _label(link: re.Match[str]) -> str:
    return link[1].strip() or HOLE


def _show_nested(text: str, page: Page) -> str:
    """Links with a namespace or with links in their text, innermost first, in one scan."""
    pieces: list[str] = []
    stack: list[list[str]] = []
    position = 0
    for match in merge(_OPENING.finditer(text), _CLOSING.finditer(text), key=re.Match.start):
        start = match.start()
        if start < position:
            continue
        pieces.append(text[position:start])
        position = start + 2
        if text[start] == "[":
            stack.append(pieces)
            pieces = []
        elif stack:
            content = "".join(pieces)
            if text[position] == "]" and content.count("[") > content.count("]"):
                content += "]"
                position += 1
            shown = _show(content, page) if len(stack) <= MAX_DEPTH else HOLE
            pieces = stack.pop()
            pieces.append(shown)
    pieces.append(text[position:])
    if stack:
        levels = [*stack, pieces]
        pieces = levels[0]
        for level in levels[1:]:
            inner = "".join(level)
            head = _HEAD.match(inner)
            inner = inner[head.end() if head else 0 :]
            lone = _LONE_BRACKET.match(inner)
            pieces.append(lone[1] + inner[lone.end() :] if lone else inner)
    return "".join(pieces)


def _show(content: str, page: Page) -> str:
    """What ``[[content]]`` shows."""
    target, pipe, display = content.partition("|")
    if "\n" in target:
        return content
    if _ONLY_ADDRESS.match(target):
        return f"[[{content}]]"
    target = target.strip()
    prefix, colon, _ = target.partition(":")
    if colon and prefix:
        name = prefix.strip().replace("_", " ").casefold()
        namespace = page.wiki.namespaces.get(name)
        if namespace == FILE:
            page.left_out["file"] += 1
            return HOLE + _beyond_caption(display)
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


def _beyond_caption(caption: str) -> str:
    """What of a file's caption is the text of the page, swallowed by a link that has no own end."""
    _, gap, after = caption.partition("\n\n")
    return gap + after if len(after) > MAX_CAPTION or "\n=" in after else ""
