"""Cut one document in pieces, between which it may be cut in segments."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from crossic_etl.kernels.samples.documents import Document
from crossic_etl.kernels.samples.headings import heading_spans, inside_spans, reading_borders
from crossic_etl.kernels.text.clusters import splits_a_cluster
from crossic_etl.kernels.text.sentences import PARAGRAPH

INSIDE_A_SENTENCE = 3  # after the kinds of `find_borders`
_LOOK_BACK = 16

Positions = npt.NDArray[np.int64]


class Pieces(NamedTuple):
    """The pieces of one side: where each ends, in tokens and characters, and how.

    ``kinds`` are those of `find_borders`, or `INSIDE_A_SENTENCE`. ``growth`` is 1 where a piece
    begins with white space: its first word may be of a token more without.
    """

    tokens: Positions
    characters: Positions
    kinds: Positions
    growth: Positions


def n_tokens(pieces: Pieces) -> int:
    """The tokens of all pieces."""
    return int(pieces.tokens[-1]) if len(pieces.tokens) else 0


def make_pieces(document: Document, longest: int) -> Pieces:
    """The sentences of a document; those of more than ``longest`` tokens are cut evenly.

    A piece begins with the headings before it. Where there is a choice, no cut is inside a heading
    or at its end. Only a single character of more tokens than ``longest`` is cut inside; then its
    text goes to the later piece.
    """
    ends, n_tokens = document.ends, len(document.ids)
    if not n_tokens:
        return Pieces(*(np.zeros(0, np.int64) for _ in range(4)))
    tokens, kinds = _sentences(document)
    sizes = np.diff(tokens, prepend=0)
    if sizes.max() > longest:
        spans = heading_spans(document.text)
        extra = [
            cut
            for i in np.flatnonzero(sizes > longest)
            for cut in _cuts_inside(
                document, int(tokens[i] - sizes[i]), int(tokens[i]), longest, spans
            )
        ]
        tokens = np.append(tokens, np.array(extra, np.int64))
        kinds = np.append(kinds, np.full(len(extra), INSIDE_A_SENTENCE))
        order = np.argsort(tokens)
        tokens, kinds = tokens[order], kinds[order]
    characters = ends[tokens - 1]
    starts = [0, *characters[:-1].tolist()]
    firsts = map(document.text.__getitem__, starts)
    growth = np.fromiter(map(str.isspace, firsts), np.int64, len(starts))
    return Pieces(tokens, characters, kinds, growth)


def _sentences(document: Document) -> tuple[Positions, Positions]:
    """How many tokens precede each border that a token's end can draw, and the border's kind."""
    ends, n_tokens = document.ends, len(document.ids)
    borders = reading_borders(document.text, document.lang)
    at = np.searchsorted(ends, borders.starts)
    drawn = (ends[at] <= borders.stops) & (at + 1 < n_tokens)
    tokens = np.append(at[drawn] + 1, n_tokens)
    kinds = np.append(borders.kinds[drawn], PARAGRAPH)
    order = np.lexsort((kinds, tokens))
    order = order[np.diff(tokens[order], prepend=0) > 0]
    return tokens[order], kinds[order]


def _cuts_inside(
    document: Document, start: int, stop: int, longest: int, headings: Positions
) -> list[int]:
    """The cuts that part the tokens from ``start`` to ``stop`` about evenly."""
    before = int(document.ends[start - 1]) if start else 0
    moves = np.diff(document.ends[start : stop - 1], prepend=before) > 0
    allowed = start + 1 + np.flatnonzero(moves)
    outside = allowed
    if len(headings):
        outside = allowed[~inside_spans(document.ends[allowed - 1], headings)]
    cuts: list[int] = []
    while stop - start > longest:
        n_pieces = -(-(stop - start) // longest)
        aim = start + -(-(stop - start) // n_pieces)
        near = _before(outside, start, aim) or _before(outside, start, start + longest)
        near = near or _before(allowed, start, aim)
        start = _best_cut(document, near) if near else aim
        cuts.append(start)
    return cuts


def _before(allowed: Positions, start: int, aim: int) -> list[int]:
    """The last few of the cuts behind ``start`` and not behind ``aim``, the last one first."""
    low, high = np.searchsorted(allowed, [start, aim], side="right")
    near: list[int] = allowed[max(low, high - _LOOK_BACK) : high][::-1].tolist()
    return near


def _best_cut(document: Document, near: list[int]) -> int:
    """The first of the cuts that parts words, else the first that parts no cluster."""
    text = document.text
    places = [(cut, int(document.ends[cut - 1])) for cut in near]
    for cut, at in places:
        if text[at - 1 : at + 1].strip() != text[at - 1 : at + 1]:
            return cut
    return next((cut for cut, at in places if not splits_a_cluster(text, at)), near[0])
