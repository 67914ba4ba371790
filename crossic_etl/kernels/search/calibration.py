"""Finds thresholds of a score from the scores of right and wrong pairs.

No published threshold fits whole documents and this encoder, so each language gets its own, from
Wikipedia's pairs. Shares hold where wrong candidates score as the given wrong pairs do: the wrong
pair of a query is best the one that it would be given if its right one weren't there. The share of
wrong pairs taken is then the share of queries without counterpart that accept something.
`wrong_per_right` is the number of wrong candidates for each right one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, exp, lgamma, log, log1p

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float64]

ALL_LANGUAGES = "*"
# Ours: with fewer right pairs one or two of them would decide the threshold.
LEAST_PAIRS = 20
# Bisections of a share, to within 2**-40.
_HALVINGS = 40


@dataclass(frozen=True)
class Point:
    """The effect of a threshold: pairs with ``score >= threshold`` are taken. Shares are 0 to 1.

    Attributes:
        threshold: least score.
        precision, recall, f1: of right pairs, with ``wrong_per_right`` wrong ones for each.
        false_accept: share of wrong pairs that are taken.
    """

    threshold: float
    precision: float
    recall: float
    f1: float
    false_accept: float


@dataclass(frozen=True)
class Calibration:
    """The threshold of one language, and its effect on the pairs that it was found from.

    Attributes:
        point: the threshold; None where no threshold has what is wanted.
        n_right, n_wrong: numbers of this language's pairs.
        pooled: the threshold was found from all languages' pairs, as this one has too few.
        table: precision and recall over the range of scores, for a plot.
        highest_false_accept: bound of the share of wrong pairs taken, of which a few dozen pairs
            say little: `highest_share` of the pairs that the threshold was found from.
    """

    lang: str
    point: Point | None
    n_right: int
    n_wrong: int
    pooled: bool
    table: list[Point]
    highest_false_accept: float | None = None


def wrong_partners(
    query_ids: Sequence[str], doc_ids: Sequence[str], seed: int, n_wrong: int = 1
) -> npt.NDArray[np.int64]:
    """Positions in ``doc_ids`` of wrong documents for each right pair (query, document).

    int64[n, m]; m is ``n_wrong``, or the number of other documents if that is lower. A hash of
    seed, query and document chooses them, so the order of the pairs changes nothing. A document
    that is right for the same query in another pair isn't chosen. -1 fills a row with too few.
    """
    right: dict[str, set[str]] = {}
    for query, document in zip(query_ids, doc_ids, strict=True):
        right.setdefault(query, set()).add(document)
    position = {document: at for at, document in reversed(list(enumerate(doc_ids)))}
    documents = sorted(position)
    width = min(n_wrong, max(0, len(documents) - 1))
    chosen = np.full((len(query_ids), width), -1, np.int64)
    for row, (query, document) in enumerate(zip(query_ids, doc_ids, strict=True)):
        start = _hash(seed, query, document) % len(documents)
        # Steps by a number coprime to the count visit each document once.
        step = _coprime(_hash(seed, document, query), len(documents))
        candidates = (documents[(start + i * step) % len(documents)] for i in range(len(documents)))
        wrong = (candidate for candidate in candidates if candidate not in right[query])
        for column, candidate in zip(range(width), wrong, strict=False):
            chosen[row, column] = position[candidate]
    return chosen


def precision_table(
    right: npt.ArrayLike, wrong: npt.ArrayLike, wrong_per_right: float = 1.0, n_points: int = 41
) -> list[Point]:
    """Precision, recall and F1 at evenly spaced thresholds from the lowest to the highest score."""
    curve = _Curve(right, wrong, wrong_per_right)
    if not len(curve.right):
        return []
    scores = np.concatenate([curve.right, curve.wrong])
    return curve.points(np.linspace(scores.min(), scores.max(), n_points))


def find_threshold(
    right: npt.ArrayLike,
    wrong: npt.ArrayLike,
    precision: float | None = None,
    wrong_per_right: float = 1.0,
    max_false_accept: float | None = None,
) -> Point | None:
    """The lowest threshold with what is wanted, which has the most recall; None if none has it.

    With neither precision nor ``max_false_accept``, the threshold with the best F1; of equal ones,
    the highest. A threshold is halfway between two scores, since the last bits of a score differ
    between runs.

    Args:
        right: scores of right pairs.
        wrong: scores of wrong pairs.
        precision: wanted share of right pairs among those taken.
        wrong_per_right: wrong candidates for each right one where the threshold is used,
            independent of how many are given here.
        max_false_accept: highest share of wrong pairs taken. Without wrong pairs no threshold is
            known to have it.
    """
    curve = _Curve(right, wrong, wrong_per_right)
    if not len(curve.right):
        return None
    points = curve.points(curve.thresholds())
    if max_false_accept is not None:
        if not len(curve.wrong):
            return None
        return next((point for point in points if point.false_accept <= max_false_accept), None)
    if precision is None:
        return max(points, key=lambda point: (point.f1, point.threshold))
    return next((point for point in points if point.precision >= precision), None)


def calibrate(
    right: Mapping[str, npt.ArrayLike],
    wrong: Mapping[str, npt.ArrayLike],
    precision: float | None = None,
    wrong_per_right: float = 1.0,
    least_pairs: int | None = None,
    max_false_accept: float | None = None,
) -> dict[str, Calibration]:
    """The threshold of each language from its right and wrong pairs, and of all (``*``).

    A language with fewer than ``least_pairs`` right or wrong pairs gets the threshold of all;
    None for `pairs_needed`. What is wanted is as in `find_threshold`.
    """
    least = pairs_needed(max_false_accept) if least_pairs is None else least_pairs
    langs = sorted({*right, *wrong})
    both = {lang: (_scores(right.get(lang, ())), _scores(wrong.get(lang, ()))) for lang in langs}
    everything = (
        np.concatenate([np.empty(0), *(sides[0] for sides in both.values())]),
        np.concatenate([np.empty(0), *(sides[1] for sides in both.values())]),
    )
    found = {}
    for lang, sides in [(ALL_LANGUAGES, everything), *both.items()]:
        few = lang != ALL_LANGUAGES and min(map(len, sides)) < least
        deciding = everything if few else sides
        point = find_threshold(*deciding, precision, wrong_per_right, max_false_accept)
        found[lang] = Calibration(
            lang=lang,
            point=point,
            n_right=len(sides[0]),
            n_wrong=len(sides[1]),
            pooled=few,
            table=precision_table(*sides, wrong_per_right),
            highest_false_accept=_highest_false_accept(point, len(deciding[1])),
        )
    return found


def pairs_needed(max_false_accept: float | None) -> int:
    """The fewest pairs from which a language gets a threshold of its own.

    Of fewer than ``1 / max_false_accept`` wrong pairs not a single one may be taken: the highest
    alone would decide, and the share would only be known to be lower than with one more.
    """
    return max(LEAST_PAIRS, ceil(1 / max_false_accept)) if max_false_accept else LEAST_PAIRS


def highest_share(taken: int, n: int, confidence: float = 0.95) -> float:
    """The upper bound of a share, of which a sample of ``n`` has ``taken``.

    After Clopper and Pearson 1934.
    With a higher share, ``taken`` or fewer in the sample have a chance below 1 - ``confidence``.
    1 for an empty sample.
    """
    if taken >= n:
        return 1.0
    low, high = taken / n, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        likely = _chance_of_at_most(taken, n, middle) > 1 - confidence
        low, high = (middle, high) if likely else (low, middle)
    return high


def _chance_of_at_most(taken: int, n: int, share: float) -> float:
    """Of the binomial distribution, in logarithms, as its coefficients overflow a float."""
    counts = range(taken + 1)
    coefficients = (lgamma(n + 1) - lgamma(i + 1) - lgamma(n - i + 1) for i in counts)
    of_taken, of_left = log(share), log1p(-share)
    return sum(
        exp(coefficient + i * of_taken + (n - i) * of_left)
        for i, coefficient in enumerate(coefficients)
    )


def _highest_false_accept(point: Point | None, n_wrong: int) -> float | None:
    if point is None or not n_wrong:
        return None
    return highest_share(round(point.false_accept * n_wrong), n_wrong)


class _Curve:
    """Sorted scores of right and wrong pairs, and the effect of a threshold on them."""

    def __init__(self, right: npt.ArrayLike, wrong: npt.ArrayLike, wrong_per_right: float) -> None:
        if not wrong_per_right > 0:
            raise ValueError(f"wrong_per_right: {wrong_per_right!r} given, expected a number > 0")
        self.right, self.wrong = np.sort(_scores(right)), np.sort(_scores(wrong))
        self._odds = wrong_per_right

    def thresholds(self) -> Scores:
        """Rising: one below each distinct right score, halfway to the next score below it."""
        scores = np.unique(np.concatenate([self.right, self.wrong]))
        middles = np.concatenate([scores[:1], (scores[:-1] + scores[1:]) / 2])
        middles = np.where(middles > np.concatenate([[-np.inf], scores[:-1]]), middles, scores)
        return middles[np.isin(scores, self.right)]

    def points(self, thresholds: Scores) -> list[Point]:
        recall = _share_taken(self.right, thresholds)
        accepted = _share_taken(self.wrong, thresholds)
        false = accepted * self._odds
        taken = recall + false
        precision = np.divide(recall, taken, out=np.ones_like(recall), where=taken > 0)
        total = precision + recall
        f1 = np.divide(2 * precision * recall, total, out=np.zeros_like(total), where=total > 0)
        rows = np.stack([thresholds, precision, recall, f1, accepted], axis=1).tolist()
        return [Point(*row) for row in rows]


def _share_taken(scores: Scores, thresholds: Scores) -> Scores:
    if not len(scores):
        return np.zeros(len(thresholds))
    # One division: 1 in 50 is then exactly the 0.02 that a configuration gives.
    return (len(scores) - np.searchsorted(scores, thresholds, side="left")) / len(scores)


def _scores(values: npt.ArrayLike) -> Scores:
    """As float64, without values that aren't finite, which pairs without a vector have."""
    scores = np.asarray(values, np.float64).ravel()
    return scores[np.isfinite(scores)]


def _hash(seed: int, first: str, second: str) -> int:
    data = f"{seed}\0{first}\0{second}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big")


def _coprime(number: int, modulus: int) -> int:
    step = 1 + number % max(1, modulus - 1)
    while np.gcd(step, modulus) != 1:
        step += 1
    return step
