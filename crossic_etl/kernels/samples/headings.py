"""Where a reader would cut a text: no border behind a heading, a paragraph border before it.

Nor is there one inside a fenced block of code or a displayed formula, whose lines are one thing.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from crossic_etl.kernels.text.sentences import PARAGRAPH, Borders, find_borders

# Begins with a plain character and no anchor, so that the search can skip to it.
_HEADING = re.compile(r"##{0,5} .*(?:\n\s*|\Z)")
_FENCE = re.compile("^(`{3,})([^`\n]*)$", re.MULTILINE)
_FORMULA = re.compile(r"^\$\$[^$\n]+(?:\n[^$\n]+)*\$\$", re.MULTILINE)

Positions = npt.NDArray[np.int64]


def heading_spans(text: str) -> Positions:
    """Where each markdown heading starts and the text behind it, int64[n, 2], in characters."""
    found = (match.span() for match in _HEADING.finditer(text))
    spans = _as_spans([span for span in found if span[0] == 0 or text[span[0] - 1] == "\n"])
    return spans[~inside_spans(spans[:, 0], block_spans(text))] if len(spans) else spans


def block_spans(text: str) -> Positions:
    """Where each fenced block and displayed formula starts and ends, int64[n, 2], in characters."""
    spans = _fences(text) if "```" in text else []
    if "$$" in text:
        formulas = _as_spans([match.span() for match in _FORMULA.finditer(text)])
        outside = ~inside_spans(formulas[:, 0], _as_spans(spans))
        spans = sorted([*spans, *map(tuple, formulas[outside].tolist())])
    return _as_spans(spans)


def _fences(text: str) -> list[tuple[int, int]]:
    """The fenced blocks: a fence is closed by one that is as long, and has nothing behind it."""
    spans = []
    start, length = -1, 0
    for fence in _FENCE.finditer(text):
        if start < 0:
            start, length = fence.start(), len(fence[1])
        elif len(fence[1]) >= length and not fence[2].strip():
            spans.append((start, fence.end()))
            start = -1
    return spans


def _as_spans(spans: list[tuple[int, int]]) -> Positions:
    return np.array(spans, np.int64).reshape(-1, 2)


def reading_borders(text: str, lang: str) -> Borders:
    """The borders of `find_borders`, save those inside a heading, a fenced block or a formula.

    There is none between a heading and its text. The border before a heading is a paragraph's,
    whatever stands before it. The end of a text that ends in headings is no border.
    """
    borders, spans = find_borders(text, lang), heading_spans(text)
    kept = ~inside_spans(borders.starts, block_spans(text))
    kinds = borders.kinds
    if len(spans):
        last = np.searchsorted(spans[:, 0], borders.starts, side="right") - 1
        kinds = np.where(spans[last, 0] == borders.starts, PARAGRAPH, kinds)
        kept &= ~inside_spans(borders.starts, spans)
    return Borders(borders.starts[kept], borders.stops[kept], kinds[kept])


def inside_spans(places: Positions, spans: Positions) -> npt.NDArray[np.bool_]:
    """Which places lie behind a heading's start and not behind the start of its text."""
    if not len(spans):
        return np.zeros(len(places), np.bool_)
    last = np.searchsorted(spans[:, 0], places, side="left") - 1
    inside: npt.NDArray[np.bool_] = (last >= 0) & (places <= spans[last, 1])
    return inside
