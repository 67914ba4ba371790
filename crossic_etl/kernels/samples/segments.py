"""Cut two texts on one subject in pairs of segments that fit a budget of tokens.

Each text is tokenized once and whole, and falls into pieces, the sentences (`make_pieces`). The
pieces of both sides are put in one row (`find_places`), which is cut in the fewest runs that fit
(`cut_row`). Within the freedom that this leaves, cuts are at paragraph borders, no side of a run is
a crumb, and each run is as full as it gets: full segments and short last ones pack into windows
with far less waste than even ones. A segment is what stands between two cuts without the white
space at its edges (`cut_segments`), so that the segments of a side, joined with white space, are
its text.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from crossic_etl.kernels.samples.borders import MatchedBorders
from crossic_etl.kernels.samples.documents import NO_DOCUMENT as NO_DOCUMENT
from crossic_etl.kernels.samples.documents import Document as Document
from crossic_etl.kernels.samples.documents import tokenize_documents as tokenize_documents
from crossic_etl.kernels.samples.interleaving import find_places
from crossic_etl.kernels.samples.pieces import Pieces, make_pieces
from crossic_etl.kernels.samples.runs import cut_row
from crossic_etl.kernels.samples.trimming import Segment as Segment
from crossic_etl.kernels.samples.trimming import cut_segments

MIN_BUDGET = 16
_LEAST_ROOM = 4

Positions = npt.NDArray[np.int64]
Sides = tuple[Document, Document]
SegmentsOfSides = list[tuple[Segment, Segment]]


class SegmentPair(NamedTuple):
    """Pair ``number`` (from 0) of the ``n`` pairs that two documents were cut in."""

    number: int
    n: int
    english: Segment
    target: Segment


def segment_pair(
    english: Document,
    target: Document,
    budget: int,
    n_separator: int = 0,
    n_split: int = 1,
    borders: MatchedBorders | None = None,
) -> list[SegmentPair]:
    """Cut two documents in n pairs of segments, each of at most ``budget`` tokens.

    A pair's tokens are those of both segments, ``n_separator`` and ``n_split``. n is the smallest
    for which the row of pieces (module docstring) can be cut so that every pair fits. Sentences are
    cut only where one is longer than its side's share of a pair (and than a quarter of it), then
    at a token that ends a word, else a character. No segment ends with a heading, unless its text
    does or the budget can't hold more. Only a single character, with all its marks, of more tokens
    than that is cut inside: then its text goes to the later segment.
    Where one side is much shorter, some pairs have an empty segment on that side. One document
    alone: give `NO_DOCUMENT` for the other. Two texts without anything but white space give no
    pair. ``borders`` are places known to match; without them the paragraph borders that stand near
    each other are.
    Raises ValueError for a budget below 16 or without 8 tokens left for text.
    """
    room = budget - n_separator - n_split
    if budget < MIN_BUDGET or room < MIN_BUDGET // 2:
        raise ValueError(
            f"segment.max_tokens: {budget} leaves {room} tokens for text; "
            f"expected {MIN_BUDGET} or more, and {MIN_BUDGET // 2} beside separator and split token"
        )
    segments = _whole((english, target))
    if any(_n_tokens(pair) > room for pair in segments):
        segments = _fitting((english, target), room, borders)
    return [SegmentPair(i, len(segments), *pair) for i, pair in enumerate(segments)]


def _n_tokens(pair: tuple[Segment, Segment]) -> int:
    return len(pair[0].ids) + len(pair[1].ids)


def _whole(sides: Sides) -> SegmentsOfSides:
    """Both texts whole, trimmed; nothing where both are empty."""
    (english,), (target,) = (
        cut_segments(side, [0, len(side.ids)], [0, len(side.text)]) for side in sides
    )
    return [(english, target)] if english.text or target.text else []


def _fitting(sides: Sides, room: int, borders: MatchedBorders | None) -> SegmentsOfSides:
    """The segments that fit in ``room`` tokens, trimmed.

    A word may be of more tokens without the space before it. Where the segments are over the budget
    by that, the texts are cut again with so much less room.
    """
    smaller = room
    while smaller >= _LEAST_ROOM:
        segments = _cut(sides, smaller, borders)
        over = max((_n_tokens(pair) for pair in segments), default=0) - room
        if over <= 0:
            return segments
        smaller -= over
    raise ValueError(f"a word has more than {room} tokens without the space before it")


def _cut(sides: Sides, room: int, borders: MatchedBorders | None) -> SegmentsOfSides:
    total = sum(len(side.ids) for side in sides)
    english, target = (
        make_pieces(side, _longest_piece(len(side.ids), total, room)) for side in sides
    )
    places = find_places(english, target, room, borders)
    cuts = cut_row(places, room)
    left = _slices(sides[0], english, places.english[cuts])
    right = _slices(sides[1], target, places.target[cuts])
    return [pair for pair in zip(left, right, strict=True) if _n_tokens(pair)]


def _longest_piece(n_side: int, total: int, room: int) -> int:
    """How long a sentence may be before it is cut, in tokens: what its side has of each pair, but
    no crumbs of a side that is much the shorter. A token on each side is left for `Places.growth`.
    """
    return min(room - 2, max(room * n_side // total, room // 4, MIN_BUDGET // 2))


def _slices(document: Document, pieces: Pieces, n_taken: Positions) -> list[Segment]:
    """The segments of one side, cut after each of those numbers of pieces."""
    tokens = np.concatenate([[0], pieces.tokens])[n_taken].tolist()
    characters = np.concatenate([[0], pieces.characters])[n_taken].tolist()
    characters[-1] = len(document.text)
    return cut_segments(document, tokens, characters)
