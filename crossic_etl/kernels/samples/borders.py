"""Places of two texts that are known to match, and how far any other two are from matching."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

# A stretch is without counterpart where the other text has at most this share of its tokens.
_FEW = 0.25

Floats = npt.NDArray[np.float64]


class MatchedBorders(NamedTuple):
    """Places of two texts that match, as shares of their tokens; neither descends.

    Where two places of one text match the same one of the other, what is between them has no
    counterpart.
    """

    english: Floats
    target: Floats

    def to_english(self, places: Floats) -> Floats:
        """The English places that match those of the target, which ascend."""
        return np.maximum.accumulate(self._matching(places))  # rounding must not swap two places

    def distances(self, english: Floats, target: Floats, tolerance: float) -> Floats:
        """How far each English place is from the match of its target place, as a share of the text.

        A target place may be off by ``tolerance``, so that one at the edge of English text without
        counterpart matches all of that text.
        """
        below = np.maximum(self._matching(target - tolerance) - english, 0)
        above = np.maximum(english - self._matching(target + tolerance), 0)
        return np.maximum(below, above)

    def _matching(self, places: Floats) -> Floats:
        found: Floats = np.interp(places, [0.0, *self.target, 1.0], [0.0, *self.english, 1.0])
        return found


class Unmatched(NamedTuple):
    """Long stretches of one text without counterpart, as shares of its tokens, float64[n, 2]."""

    english: Floats
    target: Floats


def separate_unmatched(
    borders: MatchedBorders, n_english: int, n_target: int, least: float
) -> tuple[MatchedBorders, Unmatched]:
    """The stretches of ``least`` tokens or more between two matches, and borders that part them.

    The places are the start and the stop of each match in turn. Between the same two matches the
    other text may have a few tokens: they match the stretch's start.
    """
    english = np.concatenate([[0.0], borders.english, [1.0]])
    target = np.concatenate([[0.0], borders.target, [1.0]])
    here, there = np.diff(english) * n_english, np.diff(target) * n_target
    between = np.arange(len(here)) % 2 == 0
    of_english = np.flatnonzero(between & (here >= least) & (there <= _FEW * here))
    of_target = np.flatnonzero(between & (there >= least) & (here <= _FEW * there))
    at = np.concatenate([of_english, of_target])
    new_english = np.concatenate([english[of_english], english[of_target + 1]])
    new_target = np.concatenate([target[of_english + 1], target[of_target]])
    parted = MatchedBorders(
        np.insert(borders.english, at, new_english), np.insert(borders.target, at, new_target)
    )
    spans = (
        np.stack([side[found], side[found + 1]], axis=1)
        for side, found in ((english, of_english), (target, of_target))
    )
    return parted, Unmatched(*spans)


def tokens_within(spans: Floats, places: Floats) -> Floats:
    """How much of the spans, which ascend and don't overlap, lies before each of the places."""
    if not len(spans):
        return np.zeros(len(places))
    edges = np.concatenate([[0.0], spans.ravel(), [1.0]])
    within = np.cumsum(np.diff(spans, axis=1).ravel())
    filled = np.concatenate([[0.0], np.repeat(within, 2)])
    filled[1::2] -= np.diff(spans, axis=1).ravel()
    found: Floats = np.interp(places, edges, np.append(filled, filled[-1]))
    return found
