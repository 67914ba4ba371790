"""Places of two texts that are known to match, and how far any other two are from matching."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

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
