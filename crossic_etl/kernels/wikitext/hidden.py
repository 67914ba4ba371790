"""What a style hides: it goes with all that is in it."""

from __future__ import annotations

import re
from collections.abc import Set

_HIDING = r"(?:display\s*:\s*none|visibility\s*:\s*hidden)"
_HIDDEN = re.compile(rf"<([a-z]+)\s[^<>]*\b{_HIDING}[^<>]*>", re.IGNORECASE)
_STYLE = re.compile(rf"\b{_HIDING}", re.IGNORECASE)
# Elements that have an end of their own in wikitext as people write it.
_CLOSED = frozenset(
    {"abbr", "b", "bdi", "big", "blockquote", "center", "cite", "code", "dd", "del", "div", "dl",
     "dt", "em", "font", "i", "ins", "kbd", "li", "ol", "p", "s", "samp", "section", "small",
     "span", "strike", "strong", "sub", "sup", "tt", "u", "ul", "var"}
)  # fmt: skip


def cut_hidden(text: str, closed: Set[str]) -> str:
    """``text`` without the elements whose style hides them, in one scan over their tags.

    ``closed`` are the names, in lower case, that have a closing tag. What is never closed hides
    nothing.
    """
    if closed.isdisjoint(_CLOSED) or not ("none" in text or "hidden" in text):
        return text
    names = {name.lower() for name in _HIDDEN.findall(text)} & _CLOSED
    if not names:
        return text
    tag = re.compile(rf"<(/?)({'|'.join(sorted(names))})(?=[\s/>])([^<>]*)>", re.IGNORECASE)
    opened: dict[str, list[tuple[int, bool]]] = {name: [] for name in names}
    spans: list[tuple[int, int]] = []
    for match in tag.finditer(text):
        waiting = opened[match[2].lower()]
        if match[1]:
            start, hides = waiting.pop() if waiting else (0, False)
            if hides:
                spans.append((start, match.end()))
        elif not match[3].endswith("/"):
            waiting.append((match.start(), bool(_STYLE.search(match[3]))))
    pieces, position = [], 0
    for start, end in sorted(spans):
        if start >= position:
            pieces.append(text[position:start])
        position = max(position, end)
    return "".join([*pieces, text[position:]])
