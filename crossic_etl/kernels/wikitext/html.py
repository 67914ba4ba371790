"""HTML tags that wikitext allows: the tags go, their text stays."""

from __future__ import annotations

import re

from crossic_etl.kernels.wikitext.code import CODE_TAGS, mark_code
from crossic_etl.kernels.wikitext.hidden import cut_hidden
from crossic_etl.kernels.wikitext.page import BREAK, ITEM, Page
from crossic_etl.kernels.wikitext.sections import HEADING
from crossic_etl.kernels.wikitext.verses import lay_out_verses

_INLINE = re.compile(
    r"<(?=[a-z/])/?(?:b|i|u|s|em|strong|span|small|big|sub|sup|font|tt|code|kbd|samp|var|cite|abbr"
    r"|acronym|bdi|bdo|dfn|ins|del|mark|q|strike|nobr|wbr|ruby|rb|rbc|rtc|rt|rp|data|time|noinclude"
    r"|onlyinclude|includeonly|nowiki|references|section|translate|tvar|languages|link|meta|a"
    r"|img|figure|figcaption|math|chem|ce|gallery|timeline|score|imagemap|source"
    r"|syntaxhighlight|hiero|graph|indicator|categorytree|mapframe|maplink|templatestyles|inputbox"
    r")(?:[\s/][^<>]*)?>",
    re.IGNORECASE,
)
_REF = re.compile(r"</?ref(?:[\s/][^<>]*)?>", re.IGNORECASE)
_BLOCK = re.compile(
    r"<(?=[a-z/])/?(?:p|div|center|blockquote|poem|pre|section|h[1-6]|table|caption|thead"
    r"|tbody|tfoot|tr|td|th|col|colgroup|hr)(?:[\s/][^<>]*)?>",
    re.IGNORECASE,
)
# With the line's end after it, which makes no second break, unless the next line is no text.
_BREAK = re.compile(
    r"<(?=[b/])(?:/[ ]*)?br(?:[\s/\\.][^<>]*)?>(?:[ \t]*\n(?![\n*#:;=]))?", re.IGNORECASE
)
# With the white space behind it, save that of an item's text.
_ITEM = re.compile(
    r"<(?:(li|dt|dd)(?:[\s/][^<>]*)?>|/(?:li|dt|dd)(?:[\s/][^<>]*)?>\s*"
    r"|(/?)(ul|ol|dl)(?:[\s/][^<>]*)?>\s*)",
    re.IGNORECASE,
)
_HEADING = re.compile(r"<h([1-6])(?:\s[^<>]*)?>([^<>]*)</h\1\s*>", re.IGNORECASE)
_READING = re.compile(r"<(r[tp])(?:\s[^<>]*)?>[^<>]*(?:</\1\s*>|(?=<))", re.IGNORECASE)
_CLOSED_NAME = re.compile(r"</([A-Za-z]+)")
_READINGS = frozenset({"rt", "rp", "ruby"})
_EXPONENT = re.compile(r"<sup>\s*([−–+-]?)([0-9]+)\s*</sup>", re.IGNORECASE)
# A number, a bracket, a unit or a letter that stands alone, and marks of emphasis.
_BASE = re.compile(
    r"(?:[0-9)\]}㎝㎞㎡]|(?:\b|(?<=[0-9_]))(?:[kcdhmnμµ]?[ms]|ft|mi|in|yd|[^\W\d_]))['\x08]*$"
)
_BASE_LENGTH = 8
_SUPERSCRIPT = str.maketrans("0123456789+-−–", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁻")
_LISTS = {"ul": "*", "ol": "#", "dl": ":"}
_TERMS = {"li": "*", "dt": ";", "dd": ":"}
_MOST_NESTED = 20


def strip_tags(text: str, page: Page) -> str:
    """``text`` without HTML tags; those of blocks, items and line breaks end the line.

    An exponent of a number, a unit or a letter is kept apart from it (10⁶, km²), ruby keeps its
    base text, and what a style hides stays hidden. Code has marks where its tags were. ``<`` before
    anything that is no tag stays, as MediaWiki shows it.
    """
    if "<" not in text:
        return text
    if "\n=" in text:
        text = HEADING.sub(_without_blocks, text)
    if "</" in text:
        names = {name.lower() for name in _CLOSED_NAME.findall(text)}
        if "sup" in names:
            text = _EXPONENT.sub(_raise, text)
        if not names.isdisjoint(_READINGS):
            text = _READING.sub("", text)
        text = cut_hidden(text, names)
        if "poem" in names:
            text = lay_out_verses(text)
        if page.options.code == "keep" and not names.isdisjoint(CODE_TAGS):
            text = mark_code(text, page)
    text = _INLINE.sub("", text)
    if "<" not in text:
        return text
    text = _HEADING.sub(_wiki_heading, text)
    text = _REF.sub(" ", text)
    text = _lay_out_items(text)
    text = _BREAK.sub(BREAK, text)
    return _BLOCK.sub("\n\n", text)


def _lay_out_items(text: str) -> str:
    """``text`` with the items of HTML lists as lines that begin as those of wikitext do."""
    nested: list[str] = []

    def show(tag: re.Match[str]) -> str:
        if tag[3]:
            inside = bool(nested)
            if not tag[2]:
                nested.append(_LISTS[tag[3].lower()])
            elif nested:
                nested.pop()
            return "" if inside and nested else "\n\n"
        if not tag[1]:
            return ""
        own = _TERMS[tag[1].lower()]
        before = "".join(nested[:_MOST_NESTED])
        return f"{ITEM}{before[:-1]}{own if own != '*' else before[-1:] or '*'} "

    text = _ITEM.sub(show, text)
    return text.replace("\n" + ITEM, ITEM).replace(ITEM, "\n") if ITEM in text else text


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
