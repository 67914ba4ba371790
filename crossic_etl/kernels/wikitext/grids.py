"""Tables, in wiki and HTML form: cut whole."""

from __future__ import annotations

import re

from crossic_etl.kernels.wikitext.page import HOLE, Page

_WIKI = re.compile("\n[ \t:*#;\x01]*(?:\\{\\||\\|\\}(?!\\}))")
_HTML = re.compile(r"<(/?)table(?=[\s/>])[^<>]*>", re.IGNORECASE)
_LOOSE = re.compile("\n[ \t:\x01]*(?:\\{\\||[|!])[^\n]*")
_LOOSE_ROW = re.compile("\n[ \t\x01]*\\|[^\n]*")


def cut_tables(text: str, page: Page) -> str:
    """``text`` without its tables; of one that is never closed, the lines that open cells go."""
    if "{|" in text or "|}" in text:
        text = _cut(text, _WIKI, page)
    if "\n|" in text:
        text = _LOOSE_ROW.sub("", text)
    if "<table" in text or "<TABLE" in text or "<Table" in text:
        text = _cut(text, _HTML, page)
    return text


def _cut(text: str, border: re.Pattern[str], page: Page) -> str:
    """Cut from each outermost opening border to its own closing one."""
    depth = 0
    opened: list[int] = []
    spans: list[tuple[int, int]] = []
    for match in border.finditer(text):
        closes = match[0].endswith("|}") if border is _WIKI else bool(match[1])
        if not closes:
            opened.append(match.start())
            depth += 1
        elif depth:
            depth -= 1
            start = opened.pop()
            while spans and spans[-1][0] > start:
                spans.pop()
            spans.append((start, match.end()))
    loose_from = opened[0] if border is _WIKI and opened else len(text)
    kept: list[str] = []
    position = 0
    for start, end in [*spans, (len(text), len(text))]:
        middle = min(max(loose_from, position), start)
        kept += (text[position:middle], _LOOSE.sub("", text[middle:start]))
        if start < len(text):
            kept.append("\n" + HOLE)
        position = end
    page.left_out["table"] += len(spans) + (loose_from < len(text))
    return "".join(kept)
