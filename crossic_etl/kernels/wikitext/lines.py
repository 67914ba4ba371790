"""What a line's first characters mean: list items, headings, rules; and quotes for emphasis."""

from __future__ import annotations

import re

from crossic_etl.kernels.wikitext.formulas import displayed_if_alone, part_blocks
from crossic_etl.kernels.wikitext.lists import (
    MOST_NESTED,
    NOTHING_OPEN,
    flat_list,
    indented,
    next_marker,
)
from crossic_etl.kernels.wikitext.page import (
    BLOCK,
    BREAK,
    EDGE,
    HEADING_MARK,
    HOLE,
    ITEM,
    Page,
)
from crossic_etl.kernels.wikitext.sections import HEADING, split_heading

# A hole at the start of a line takes along a comma after it, and a full stop if that is all.
_HOLE_FIRST = re.compile("\n(?=[ \t]*\x01)[ \t\x01]*(?:[,،、，;؛] *)?(?:[.。,、] *(?=\n))?")
_LIST = re.compile("\n[*#:;][^\n]*(?:\n[*#:;][^\n]*)*")
_RULE = re.compile("\n-{4,}")
_ITEM_BORDER = " \t" + BREAK
_ICON_DASH = re.compile("\\A\x01[ \t\x01]*[-–—][ \t]+")
_TERM_LINE = re.compile("\n[*#:]*;[^\n]*")
_TERM_TOKEN = re.compile(
    r"\[\[|\]\]|\[(?:https?:)?//[^\n\]]*\]?|https?://[^\s<>\[\]]*[^\s<>\[\]:.,;!?]"
    r"|</?[a-zA-Z][^<>]*>|'{2,}|:"
)
_VOID = re.compile(r"<(?:br|hr|wbr|img|[^<>]*/>)", re.IGNORECASE)
_QUOTES = re.compile("'{2,}")
# Two, three or five: the run starts with the first and ends with the last.
_WHOLE_MARK = re.compile("''(?<!''')(?:'''(?!')|'(?!')|(?!'))")
_APOSTROPHE = "\x07"


def lay_out_lines(text: str, page: Page) -> str:
    """``text`` with list items and headings as lines of their own, blocks parted by blank lines.

    A heading of level 2 becomes ``## Title``, as many ``#`` as it had ``=``, with a mark before it.
    """
    text = _HOLE_FIRST.sub("\n", text)
    if "\n----" in text:
        text = _RULE.sub("\n\n", text)

    has_markers = page.options.lists == "markdown"

    def lay_out_list(block: re.Match[str]) -> str:
        lines = block[0]
        flat = flat_list(lines) if has_markers else None
        if flat is not None:
            return f"\n\n{flat}\n\n"
        items = []
        has_hole, has_formula = HOLE in lines, BLOCK in lines or bool(page.formulas)
        border, has_break = ITEM if has_hole else "", BREAK in lines or has_formula
        page.has_item_marks = page.has_item_marks or has_hole
        state, marker, before = NOTHING_OPEN, "", ""
        for line in lines[1:].split("\n"):
            item = line.lstrip("*#:;")
            symbols = line[: len(line) - len(item)]
            item = item.strip(_ITEM_BORDER)
            if has_hole and HOLE in item:
                item = _ICON_DASH.sub("", item, count=1)
                if not any(map(str.isalnum, item)):
                    continue
            elif not item:
                continue
            if has_formula:
                item = _with_blocks(symbols, item, page)
            if has_markers:
                if symbols != before or symbols[-1] == "#":
                    state, marker = next_marker(state, symbols[-MOST_NESTED:])
                    before = symbols
                    marker += border
                if has_break and marker and BREAK in item:
                    item = indented(item, marker.rstrip(ITEM))
            items.append(marker + item)
        return "\n\n" + "\n".join(items) + "\n\n"

    text = _LIST.sub(lay_out_list, text)
    if "\n=" in text:
        text = HEADING.sub(_lay_out_heading, text)
    return part_blocks(text, "\n\n") if BLOCK in text else text


def _with_blocks(symbols: str, item: str, page: Page) -> str:
    """An item in which a formula on an indented line is a block; it stays in a list's item."""
    if symbols[-1] == ":" and item[0] == "\x04":
        item = displayed_if_alone(item, page)
    if BLOCK in item and ("*" in symbols or "#" in symbols):
        item = part_blocks(item + "\n", BREAK).strip(_ITEM_BORDER + "\n")
    return item


def _lay_out_heading(match: re.Match[str]) -> str:
    if not match[1]:
        return match[0]
    level, title = split_heading(match[1].replace(BREAK, " ").replace(BLOCK, ""))
    if not title.strip(HOLE + " "):
        return "\n\n"
    return f"\n\n{HEADING_MARK}{'#' * level} {title}\n\n"


def part_terms(text: str) -> str:
    """``text`` where the meaning after a term's colon, ``;term:meaning``, is a line of its own."""
    return _TERM_LINE.sub(_part_term, text) if ";" in text else text


def _part_term(match: re.Match[str]) -> str:
    line = match[0]
    item = line.lstrip("\n*#:;")
    markers = line[1 : len(line) - len(item)]
    colon = _free_colon(item) if markers[-1] == ";" and ":" in item else -1
    if colon < 0:
        return line
    meaning = item[colon + 1 :]
    edge = EDGE if meaning[:1] in "*#:;" else ""
    return f"\n{markers}{item[:colon]}\n{markers[:-1]}:{edge}{meaning}"


def _free_colon(item: str) -> int:
    """Where the first colon of ``item`` is that stands in no link, tag or emphasis, or -1."""
    links = tags = 0
    italic = bold = False
    for token in _TERM_TOKEN.finditer(item):
        sign = token[0]
        if sign == ":":
            if not (links or tags or italic or bold):
                return token.start()
        elif sign == "[[":
            links += 1
        elif sign == "]]":
            links = max(links - 1, 0)
        elif sign[0] == "'":
            italic ^= len(sign) in (2, 5)
            bold ^= len(sign) > 2
        elif sign[0] == "<" and not _VOID.match(sign):
            tags = max(tags + (-1 if sign[1] == "/" else 1), 0)
    return -1


def strip_quotes(text: str) -> str:
    """``text`` without the apostrophes that mean italics and bold, by MediaWiki's rules.

    Four are one apostrophe and bold, more than five are apostrophes and both. Where a line has an
    odd number of both marks, one bold mark was an apostrophe and italics.
    """
    if "''" not in text:
        return text
    if "'''" in text:
        lines = [_mended(line) if "'''" in line else line for line in text.split("\n")]
        text = "\n".join(lines)
    text = _WHOLE_MARK.sub("", text)
    if "''" in text:
        text = _QUOTES.sub(_rest_of_quotes, text)
    return text.replace(_APOSTROPHE, "'")


def _rest_of_quotes(match: re.Match[str]) -> str:
    count = len(match[0])
    if count == 4:
        return "'"
    return "'" * (count - 5) if count > 5 else ""


def _mended(line: str) -> str:
    """``line`` with marks that pair: if both kinds are odd, a bold one begins with an apostrophe.

    That of a one-letter word, else the first after a longer word, else the first at all.
    """
    bold = italic = 0
    letter = word = space = -1
    for match in _QUOTES.finditer(line):
        count = len(match[0])
        bold += count > 2
        italic += count == 2 or count > 4
        if count not in (3, 4):
            continue
        at = match.end() - 3
        before, second = line[max(at - 1, 0) : at], line[max(at - 2, 0) : max(at - 1, 0)]
        if before == " ":
            space = at if space < 0 else space
        elif second == " ":
            letter = at if letter < 0 else letter
        elif word < 0:
            word = at
    at = next((place for place in (letter, word, space) if place >= 0), -1)
    if at < 0 or not bold & italic & 1:
        return line
    return line[:at] + _APOSTROPHE + line[at + 1 :]
