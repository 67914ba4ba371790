"""Headings, the sections at an article's end that hold no prose, and those left without text."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from crossic_etl.kernels.wikitext.page import HEADING_MARK, HOLE, Page
from crossic_etl.kernels.wikitext.tables import load_yaml

# On a line of "=" the greedy run steps back once for each "=": linear.
HEADING = re.compile("\n=([^\n]*)=[ \t\x01]*(?=\n)")
_MARKUP = re.compile(
    "<[^<>]*>|\\[\\[(?:[^\\[\\]|]*\\|)?|\\]\\]|\\{\\{[^{}]*\\}\\}|''+|\x01|\x04[0-9]+\x04"
)
_CALL = re.compile(r"\{\{([^{}|]+)(?:\|[^{}]*)?\}\}")
_VOWELS = re.compile("[\u064b-\u0652\u0640]")
_EDGES = " \t:：.。·-–—"


def split_heading(content: str) -> tuple[int, str]:
    """Level and title of a heading line, given what lies between its outermost ``=`` signs."""
    opening = len(content) - len(content.lstrip("="))
    closing = len(content) - len(content.rstrip("="))
    if opening == len(content):
        opening = closing = max((len(content) - 1) // 2, 0)
    more = min(opening, closing, 5)
    return more + 1, content[more : len(content) - more].strip()


def cut_end_sections(text: str, page: Page) -> str:
    """``text`` without its References, See also and their like, subsections included.

    A section that holds one end only of a template or table is kept: what looks like a heading
    stands inside that construct.
    """
    names = end_sections_of(page.lang)
    if not names or "\n=" not in text:
        return text
    kept = []
    position = 0
    cut_from = -1
    cut_level = 0
    cut_name = ""
    for match in HEADING.finditer(text):
        level, title = split_heading(match[1])
        if cut_from >= 0:
            if level > cut_level:
                continue
            if _balanced(text, cut_from, match.start()):
                kept.append(text[position:cut_from])
                position = match.start()
                page.left_out["section:" + cut_name] += 1
            cut_from = -1
        name = _plain(title)
        if name in names:
            cut_from, cut_level, cut_name = match.start(), level, name
    if cut_from >= 0 and _balanced(text, cut_from, len(text)):
        kept.append(text[position:cut_from])
        kept.append("\n")
        position = len(text)
        page.left_out["section:" + cut_name] += 1
    kept.append(text[position:])
    return "".join(kept)


def drop_empty_headings(text: str, page: Page) -> str:
    """Finished ``text`` without its marks, and without headings that have no text below them.

    The text of a section is also that of its subsections. With ``empty_headings`` all stay.
    """
    first, *sections = text.split(HEADING_MARK)
    if page.options.empty_headings or not sections:
        return first + "".join(sections)
    kept: list[str] = []
    level_below = 0  # of the heading kept last, which is the next one in the text
    for section in reversed(sections):
        level = len(section) - len(section.lstrip("#"))
        if level_below > level or section.partition("\n")[2].strip():
            kept.append(section)
            level_below = level
    if dropped := len(sections) - len(kept):
        page.left_out["heading"] += dropped
    return "".join([first, *reversed(kept)]).rstrip()


def _balanced(text: str, start: int, end: int) -> bool:
    return text.count("{{", start, end) == text.count("}}", start, end) and text.count(
        "\n{|", start, end
    ) == text.count("\n|}", start, end)


def _plain(title: str) -> str:
    """A heading's words alone, or the name of the template that makes the heading."""
    call = _CALL.fullmatch(title)
    title = call[1] if call else title
    title = _MARKUP.sub("", title) if not title.isalnum() else title
    title = unicodedata.normalize("NFC", title.replace(HOLE, "").replace("_", " ")).casefold()
    title = _VOWELS.sub("", title)
    return " ".join(title.replace("&nbsp;", " ").replace("&amp;", "&").strip(_EDGES).split())


@cache
def end_sections_of(lang: str) -> frozenset[str]:
    """The headings, casefolded, of sections to cut on the wiki of ``lang``."""
    return frozenset(_plain(str(name)) for name in load_yaml("sections.yaml").get(lang, ()))
