"""HTML tags that wikitext allows: the tags go, their text stays."""

from __future__ import annotations

import re

from crossic_etl.kernels.wikitext.page import BREAK
from crossic_etl.kernels.wikitext.sections import HEADING

_INLINE = re.compile(
    r"<(?=[a-z/])/?(?:b|i|u|s|em|strong|span|small|big|sub|sup|font|tt|code|kbd|samp|var|cite|abbr"
    r"|acronym|bdi|bdo|dfn|ins|del|mark|q|strike|nobr|wbr|ruby|rb|rbc|rtc|rt|rp|data|time|noinclude"
    r"|onlyinclude|includeonly|nowiki|references|section|translate|tvar|languages|link|meta|a"
    r"|img|figure|figcaption|/li|/dt|/dd|math|chem|ce|gallery|timeline|score|imagemap|source"
    r"|syntaxhighlight|hiero|graph|indicator|categorytree|mapframe|maplink|templatestyles|inputbox"
    r")(?:[\s/][^<>]*)?>",
    re.IGNORECASE,
)
_REF = re.compile(r"</?ref(?:[\s/][^<>]*)?>", re.IGNORECASE)
_BLOCK = re.compile(
    r"<(?=[a-z/])/?(?:p|div|center|blockquote|poem|pre|section|ul|ol|dl|h[1-6]|table|caption|thead"
    r"|tbody|tfoot|tr|td|th|col|colgroup|hr)(?:[\s/][^<>]*)?>",
    re.IGNORECASE,
)
# With the line's end after it, which makes no second break, unless the next line is no text.
_BREAK = re.compile(
    r"<(?=[b/])(?:/[ ]*)?br(?:[\s/\\.][^<>]*)?>(?:[ \t]*\n(?![\n*#:;=]))?", re.IGNORECASE
)
_ITEM = re.compile(r"<(li|dt|dd)(?:[\s/][^<>]*)?>", re.IGNORECASE)
_HEADING = re.compile(r"<h([1-6])(?:\s[^<>]*)?>([^<>]*)</h\1\s*>", re.IGNORECASE)
_READING = re.compile(r"<(r[tp])(?:\s[^<>]*)?>[^<>]*(?:</\1\s*>|(?=<))", re.IGNORECASE)
_HIDDEN = re.compile(r"<(span|div)\s[^<>]*display\s*:\s*none[^<>]*>[^<>]*</\1\s*>", re.IGNORECASE)
_EXPONENT = re.compile(r"<sup>\s*([−–+-]?)([0-9]+)\s*</sup>", re.IGNORECASE)
# A number, a bracket, a unit or a letter that stands alone, and marks of emphasis.
_BASE = re.compile(
    r"(?:[0-9)\]}㎝㎞㎡]|(?:\b|(?<=[0-9_]))(?:[kcdhmnμµ]?[ms]|ft|mi|in|yd|[^\W\d_]))['\x08]*$"
)
_BASE_LENGTH = 8
_SUPERSCRIPT = str.maketrans("0123456789+-−–", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁻")
_MARKERS = {"li": "\n* ", "dt": "\n; ", "dd": "\n: "}


def strip_tags(text: str) -> str:
    """``text`` without HTML tags; those of blocks, items and line breaks end the line.

    An exponent of a number, a unit or a letter is kept apart from it (10⁶, km²), ruby keeps its
    base text, and what a style hides stays hidden. ``<`` before anything that is no tag stays, as
    MediaWiki shows it.
    """
    if "<" not in text:
        return text
    if "\n=" in text:
        text = HEADING.sub(_without_blocks, text)
    if "</" in text:
        text = _EXPONENT.sub(_raise, text)
        text = _READING.sub("", text)
        text = _HIDDEN.sub("", text)
    text = _INLINE.sub("", text)
    if "<" not in text:
        return text
    text = _HEADING.sub(_wiki_heading, text)
    text = _REF.sub(" ", text)
    text = _ITEM.sub(lambda tag: _MARKERS[tag[1].lower()], text)
    text = _BREAK.sub(BREAK, text)
    return _BLOCK.sub("\n\n", text)


def raised(number: str) -> str:
    """``number`` in superscript characters."""
    return number.translate(_SUPERSCRIPT)


def _raise(match: re.Match[str]) -> str:
    start = match.start()
    base = _BASE.search(match.string[max(start - _BASE_LENGTH, 0) : start])
    return raised(match[1] + match[2]) if base else match[1] + match[2]


def _without_blocks(heading: re.Match[str]) -> str:
    return _BLOCK.sub(" ", heading[0]) if "<" in heading[0] else heading[0]


def _wiki_heading(match: re.Match[str]) -> str:
    bar = "=" * int(match[1])
    return f"\n{bar}{' '.join(match[2].split())}{bar}\n"
