"""The pieces of two texts in one row, and the places at which both may be cut.

The pieces of both sides are ordered by their relative position (the middle of the piece, in tokens,
as a share of its text), so that any cut of the row cuts both texts at matching positions, half a
sentence off at most. Where places are known to match, positions in between are stretched to them;
else paragraph borders of the two texts match that are each other's nearest and stand close by.
Beside the row's cuts there are those that take both texts to a paragraph border near one of them.
"""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from crossic_etl.kernels.samples.borders import (
    Floats,
    MatchedBorders,
    Unmatched,
    separate_unmatched,
    tokens_within,
)
from crossic_etl.kernels.samples.pieces import Pieces, n_tokens
from crossic_etl.kernels.text.sentences import PARAGRAPH

# Ours, by measuring (python -m bench.segments). What a cut costs on each side, as a share of the
# budget: at the end of a paragraph, of a sentence, of a phrase in scripts that part these, inside
# one. Of both sides at most half of it.
_COSTS = np.array([0.0, 1 / 16, 1 / 8, 1.0])
_MOST_COST = 0.5
# What each token costs that stands apart from its counterpart, up to as many tokens as the budget.
# Positions are a weaker sign than matches.
_COST_APART, _COST_APART_BY_POSITION = 4.0, 3.0
# A stretch without counterpart is parted from its neighbours if it is no shorter than this share of
# the budget.
_UNMATCHED = 0.25
# Chunks and pieces differ by a token where one token holds a full stop and the newline after it.
_TOKENS_OFF = 1.5
# Paragraph borders of the two sides match if they are no further apart than this share of a budget.
_MATCHING = 0.2

Number = TypeVar("Number", bound=np.generic)
Positions = npt.NDArray[np.int64]


class Places(NamedTuple):
    """Places to cut both texts at, by the tokens before them; the first and last are the ends.

    For each: how many pieces and tokens of either side precede it, the tokens of both (``filled``,
    ascending), how many of those belong to long stretches without counterpart, what a cut there
    costs, and ``growth``, the tokens that a pair of segments may gain without the white space
    before it. ``in_row`` is 1 at the places of the row, of which each can be followed by all later.
    """

    english: Positions
    target: Positions
    n_english: Positions
    n_target: Positions
    filled: Positions
    n_unmatched: Positions
    costs: Positions
    growth: Positions
    in_row: Positions


def find_places(
    english: Pieces, target: Pieces, room: int, borders: MatchedBorders | None
) -> Places:
    """The places to cut both texts at, ``room`` tokens to a pair of segments."""
    totals = n_tokens(english), n_tokens(target)
    if borders is None:
        found = _matched_paragraphs(english, target, _MATCHING * room / sum(totals))
        weight, unmatched = _COST_APART_BY_POSITION, Unmatched(*np.zeros((2, 0, 2)))
    else:
        weight = _COST_APART
        found, unmatched = separate_unmatched(borders, *totals, _UNMATCHED * room)
    of_english, of_target = _row(english, target, found)
    left, right, in_row = _with_paragraphs(english, target, of_english, of_target)
    taken = _taken(english.tokens, left), _taken(target.tokens, right)
    shares = taken[0] / max(1, totals[0]), taken[1] / max(1, totals[1])
    apart = found.distances(*shares, _TOKENS_OFF / max(1, totals[1])) * totals[0]
    unmatched_shares = (tokens_within(*side) for side in zip(unmatched, shares, strict=True))
    n_unmatched = [_whole(n * part) for n, part in zip(totals, unmatched_shares, strict=True)]
    cut = _taken(_COSTS[english.kinds], left) + _taken(_COSTS[target.kinds], right)
    costs = np.minimum(cut, _MOST_COST) * room + np.minimum(weight * apart, room)
    growth = np.append(english.growth, 0)[left] + np.append(target.growth, 0)[right]
    filled = taken[0] + taken[1]
    order = np.lexsort((1 - in_row, filled))
    columns = (left, right, *taken, filled, n_unmatched[0] + n_unmatched[1], _whole(costs), growth)
    return Places(*(column[order] for column in (*columns, in_row)))


def _row(english: Pieces, target: Pieces, found: MatchedBorders) -> tuple[Positions, Positions]:
    """How many of the row's first k pieces are English, and how many target, for each k."""
    middles = [_middles(side) for side in (english, target)]
    if len(found.english):
        middles[1] = found.to_english(middles[1])
    order = np.argsort(np.concatenate(middles), kind="stable")
    of_english = np.concatenate([[0], np.cumsum(order < len(english.tokens))])
    return of_english, np.arange(len(of_english)) - of_english


def _middles(side: Pieces) -> Floats:
    ends = _ends(side)
    middles: Floats = (ends + np.concatenate([[0.0], ends])[:-1]) / 2
    return middles


def _ends(side: Pieces) -> Floats:
    """The relative position of each piece's end."""
    ends: Floats = side.tokens / max(1, n_tokens(side))
    return ends


def _with_paragraphs(
    english: Pieces, target: Pieces, of_english: Positions, of_target: Positions
) -> tuple[Positions, Positions, Positions]:
    """The row's places, then those between paragraphs of both sides near one of them."""
    left, right = _paragraphs_near(english), _paragraphs_near(target)
    width = len(target.tokens) + 1
    keys = [
        (near_left[of_english] * width + near_right[of_target])
        for near_left in left
        for near_right in right
    ]
    row = of_english * width + of_target
    near = np.sort(np.concatenate(keys))
    near = near[np.diff(near, prepend=-1) > 0]
    extra = near[row[np.searchsorted(row, near)] != near]
    in_row = np.repeat([1, 0], [len(row), len(extra)])
    every = np.concatenate([row, extra])
    return every // width, every % width, in_row


def _paragraphs_near(side: Pieces) -> tuple[Positions, Positions]:
    """For each number of pieces the next smaller and greater one, or it, that ends a paragraph."""
    at_end = np.concatenate([[True], side.kinds == PARAGRAPH])
    numbers = np.arange(len(at_end))
    before = np.maximum.accumulate(np.where(at_end, numbers, 0))
    after = np.minimum.accumulate(np.where(at_end, numbers, len(numbers) - 1)[::-1])[::-1]
    return before, after


def _matched_paragraphs(english: Pieces, target: Pieces, tolerance: float) -> MatchedBorders:
    """The paragraph borders of both sides that are each other's nearest, within ``tolerance``."""
    left, right = (_ends(side)[:-1][side.kinds[:-1] == PARAGRAPH] for side in (english, target))
    if not len(left) or not len(right):
        return MatchedBorders(left[:0], right[:0])
    to_right, to_left = _nearest(left, right), _nearest(right, left)
    mutual = to_left[to_right] == np.arange(len(left))
    near = np.abs(left - right[to_right]) <= tolerance
    return MatchedBorders(left[mutual & near], right[to_right[mutual & near]])


def _nearest(points: Floats, others: Floats) -> Positions:
    after = np.searchsorted(others, points).clip(0, len(others) - 1)
    before = (after - 1).clip(0)
    closer = np.abs(points - others[before]) <= np.abs(others[after] - points)
    nearest: Positions = np.where(closer, before, after)
    return nearest


def _taken(values: npt.NDArray[Number], n_taken: Positions) -> npt.NDArray[Number]:
    """The value of the last of those numbers of pieces; zero before the first."""
    taken: npt.NDArray[Number] = np.concatenate([[0], values])[n_taken]
    return taken


def _whole(numbers: Floats) -> Positions:
    return np.rint(numbers).astype(np.int64)
