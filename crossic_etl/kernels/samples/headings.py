"""Where a reader would cut a text: no border behind a heading, a paragraph border before it."""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt

from crossic_etl.kernels.text.sentences import PARAGRAPH, Borders, find_borders

# Begins with a plain character and no anchor, so that the search can skip to it.
_HEADING = re.compile(r"##{0,5} .*(?:\n\s*|\Z)")

Positions = npt.NDArray[np.int64]


def heading_spans(text: str) -> Positions:
    """Where each markdown heading starts and the text behind it, int64[n, 2], in characters."""
    found = (match.span() for match in _HEADING.finditer(text))
    spans = [span for span in found if span[0] == 0 or text[span[0] - 1] == "\n"]
    return np.array(spans, np.int64).reshape(-1, 2)


def reading_borders(text: str, lang: str) -> Borders:
    """The borders of `find_borders`, save those inside a heading and between it and its text.

    The border before a heading is a paragraph's, whatever stands before it. The end of a text that
    ends in headings is no border.
    """
    borders, spans = find_borders(text, lang), heading_spans(text)
    if not len(spans):
        return borders
    last = np.searchsorted(spans[:, 0], borders.starts, side="right") - 1
    begins = spans[last, 0] == borders.starts
    kinds = np.where(begins, PARAGRAPH, borders.kinds)
    kept = ~inside_spans(borders.starts, spans)
    return Borders(borders.starts[kept], borders.stops[kept], kinds[kept])


def inside_spans(places: Positions, spans: Positions) -> npt.NDArray[np.bool_]:
    """Which places lie behind a heading's start and not behind the start of its text."""
    last = np.searchsorted(spans[:, 0], places, side="left") - 1
    inside: npt.NDArray[np.bool_] = (last >= 0) & (places <= spans[last, 1])
    return inside
