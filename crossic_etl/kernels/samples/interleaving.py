"""The pieces of two texts in one row, and the places at which both may be cut.

The pieces of both sides are ordered by their relative position (the middle of the piece, in tokens,
as a share of its text), so that any cut of the row cuts both texts at matching positions, half a
sentence off at most. Where places are known to match, positions in between are stretched to them;
else paragraph borders of the two texts match that are each other's nearest and stand close by.
Beside the row's cuts there are those that take both texts to a paragraph border near one of them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from crossic_etl.kernels.samples.borders import Floats, MatchedBorders
from crossic_etl.kernels.samples.pieces import Pieces
from crossic_etl.kernels.text.sentences import PARAGRAPH

# What a cut costs, on each side, in tokens: at the end of a paragraph, of a sentence, inside one.
COSTS = np.array([0.0, 1 / 16, 1.0])
# The same for each token that stands apart from its counterpart, up to a share of the budget:
# padding is cheaper than text beside another subject. Positions are a weaker sign than matches.
MOST_CUT = 0.5
COST_APART, COST_APART_BY_POSITION, MOST_APART = 4.0, 3.0, 1.0
# Chunks and pieces differ by a token where one token holds a full stop and the newline after it.
_TOKENS_OFF = 1.5
# Paragraph borders of the two sides match if they are no further apart than this share of a budget.
_MATCHING = 0.2

Positions = npt.NDArray[np.int64]


class Places(NamedTuple):
    """Places to cut both texts at, by the tokens before them; the first and last are the ends.

    For each: how many pieces and tokens of either side precede it, and what a cut there costs.
    ``growth`` are the tokens that a pair of segments may gain without the white space before it.
    ``in_row`` are those of the row, of which each can be followed by all later ones.
    """

    english: Positions
    target: Positions
    n_english: Positions
    n_target: Positions
    costs: Positions
    growth: Positions
    in_row: npt.NDArray[np.bool_]

    @property
    def filled(self) -> Positions:
        """The tokens of both sides before each place."""
        filled: Positions = self.n_english + self.n_target
        return filled


def find_places(
    english: Pieces, target: Pieces, room: int, borders: MatchedBorders | None
) -> Places:
    """The places to cut both texts at, ``room`` tokens to a pair of segments."""
    total = sum(int(side.tokens[-1:].sum()) for side in (english, target))
    found = borders or _matched_paragraphs(english, target, _MATCHING * room / total)
    of_english, of_target = _row(english, target, found)
    left, right, in_row = _with_paragraphs(english, target, of_english, of_target)
    n_english, n_target = _tokens(english, left), _tokens(target, right)
    cut = _costs_at(english, left) + _costs_at(target, right)
    costs = np.rint(np.minimum(cut, MOST_CUT) * room).astype(np.int64)
    apart = _tokens_apart(n_english, n_target, found)
    weight = COST_APART_BY_POSITION if borders is None else COST_APART
    costs += np.rint(np.minimum(weight * apart, MOST_APART * room)).astype(np.int64)
    growth = _growth(english, left) + _growth(target, right)
    order = np.lexsort((~in_row, n_english + n_target))
    return Places(*(part[order] for part in (left, right, n_english, n_target, costs, growth, in_row)))


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
    ends: Floats = side.tokens / max(1, int(side.tokens[-1:].sum()))
    return ends


def _with_paragraphs(
    english: Pieces, target: Pieces, of_english: Positions, of_target: Positions
) -> tuple[Positions, Positions, npt.NDArray[np.bool_]]:
    """The row's places, then those between paragraphs of both sides near one of them."""
    left, right = _paragraphs_near(english), _paragraphs_near(target)
    width = len(target.tokens) + 1
    keys = [
        (near_left[of_english] * width + near_right[of_target])
        for near_left in left
        for near_right in right
    ]
    row = of_english * width + of_target
    extra = np.setdiff1d(np.concatenate(keys), row)
    in_row = np.arange(len(row) + len(extra)) < len(row)
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
    left, right = (
        _ends(side)[:-1][side.kinds[:-1] == PARAGRAPH] for side in (english, target)
    )
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


def _tokens(side: Pieces, n_taken: Positions) -> Positions:
    tokens: Positions = np.concatenate([[0], side.tokens])[n_taken]
    return tokens


def _costs_at(side: Pieces, n_taken: Positions) -> Floats:
    """What a cut after that many pieces of the side costs; before its first one, nothing."""
    costs: Floats = np.concatenate([[0.0], COSTS[side.kinds]])[n_taken]
    return costs


def _growth(side: Pieces, n_taken: Positions) -> Positions:
    growth: Positions = np.concatenate([side.growth, [0]])[n_taken]
    return growth


def _tokens_apart(n_english: Positions, n_target: Positions, found: MatchedBorders) -> Floats:
    """At each place, the English tokens between its two sides' matching places."""
    totals = [max(1, int(taken.max())) for taken in (n_english, n_target)]
    shares = n_english / totals[0], n_target / totals[1]
    return found.distances(*shares, _TOKENS_OFF / totals[1]) * totals[0]
