"""Shares of an arrangement's samples whose two sides don't fit each other, from counts.

Imports the standard library only: manifests of exports have these shares, and training reads them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from crossic_etl.kernels.samples.names import ARRANGEMENTS

# Arrangements whose samples have two sides each.
TWO_SIDED = tuple(name for name, kinds in ARRANGEMENTS.items() if min(map(len, kinds)) == 2)
# Ours: a side with more than so many times the tokens of the other makes a sample lopsided.
LOPSIDED = 5

# Of samples: all, those of two-sided arrangements, of them those with two sides that aren't empty,
# and of these the lopsided ones; those with a similarity, and the sum of it in whole millionths.
COUNTS = ("n_samples", "n_paired", "n_two_sided", "n_lopsided", "n_compared", "millionths")
MILLION = 1_000_000

UNKNOWN = "–"


class Counts(Protocol):
    """A row or mapping with all `COUNTS`."""

    def __getitem__(self, name: str, /) -> Any: ...


@dataclass(frozen=True)
class SampleShares:
    """What is known of the two sides of samples; None is unknown.

    Attributes:
        samples: their number.
        similarity: mean cosine of the two sides, -1 to 1, of the samples that have one.
        one_sided: share of the samples with an empty side, 0 to 1; None for an arrangement
            whose samples have one text each.
        lopsided: share of the samples with two sides of those with a side of more than `LOPSIDED`
            times the other's tokens, 0 to 1.
    """

    samples: int
    similarity: float | None = None
    one_sided: float | None = None
    lopsided: float | None = None

    def cells(self) -> tuple[str, str, str]:
        """Similarity, one-sided and lopsided share as they are shown."""
        similarity = UNKNOWN if self.similarity is None else f"{self.similarity:.3f}"
        shares = (self.one_sided, self.lopsided)
        one_sided, lopsided = (UNKNOWN if one is None else f"{one:.1%}" for one in shares)
        return similarity, one_sided, lopsided

    def line(self) -> str:
        """``similarity 0.812, one-sided 1.5%, lopsided 4.7%``."""
        names = ("similarity", "one-sided", "lopsided")
        return ", ".join(f"{name} {cell}" for name, cell in zip(names, self.cells(), strict=True))


def add_up(groups: Iterable[Counts]) -> SampleShares:
    """The shares of all samples of some groups, of whose samples these are the counts."""
    samples, paired, two_sided, lopsided, compared, millionths = (
        sum(values)
        for values in zip(*([row[name] for name in COUNTS] for row in groups), strict=True)
    )
    return SampleShares(
        samples,
        _share(millionths, compared * MILLION),
        _share(paired - two_sided, paired),
        _share(lopsided, two_sided),
    )


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None
