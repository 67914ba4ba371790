"""Thresholds of a score, found from the scores of right and of wrong pairs.

No published threshold is for whole documents and this encoder, so each language gets its own, from
Wikipedia's pairs. The precision holds where wrong candidates score as the given wrong pairs do;
`wrong_per_right` says how many of them there are for each right one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float64]

ALL_LANGUAGES = "*"
# Ours: with fewer right pairs the threshold hangs on one or two of them.
LEAST_PAIRS = 20


@dataclass(frozen=True)
class Point:
    """What a threshold does: pairs with ``score >= threshold`` are taken. Shares from 0 to 1."""

    threshold: float
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Calibration:
    """The threshold of one language and what it does on the pairs that it comes from.

    Attributes:
        point: the threshold; None where no threshold reaches the wanted precision.
        n_right, n_wrong: the pairs of this language.
        pooled: the threshold comes from all languages' pairs, as this one has too few.
        table: precision and recall over the range of scores, for a plot.
    """

    lang: str
    point: Point | None
    n_right: int
    n_wrong: int
    pooled: bool
    table: list[Point]


def wrong_partners(
    query_ids: Sequence[str], doc_ids: Sequence[str], seed: int, n_wrong: int = 1
) -> npt.NDArray[np.int64]:
    """For each right pair (query, document), positions in ``doc_ids`` of wrong documents.

    int64[n, m], m at most ``n_wrong``, as many as there are other documents. Chosen by a hash of
    seed, query and document: the same pairs in any order get the same partners. A document that is
    right for the same query in another pair is no wrong one; -1 fills a row that runs out.
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
        # Steps of a number that shares no factor with the count visit each document once.
        step = _coprime(_hash(seed, document, query), len(documents))
        candidates = (documents[(start + i * step) % len(documents)] for i in range(len(documents)))
        wrong = (candidate for candidate in candidates if candidate not in right[query])
        for column, candidate in zip(range(width), wrong, strict=False):
            chosen[row, column] = position[candidate]
    return chosen


def precision_table(
    right: npt.ArrayLike, wrong: npt.ArrayLike, wrong_per_right: float = 1.0, n_points: int = 41
) -> list[Point]:
    """Precision, recall and F1 at thresholds evenly spread from the lowest to the highest score."""
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
) -> Point | None:
    """The lowest threshold with that precision, so the one of most recall; None where none has it.

    Without a precision the one of the best F1, of equals the highest. It stands halfway between
    two scores, as the last bits of a score are not the same in every run.

    Args:
        right: scores of right pairs.
        wrong: scores of wrong pairs.
        precision: the share of right pairs among those taken that is wanted.
        wrong_per_right: how many wrong candidates stand beside a right one where the threshold is
            to be used, whatever their number here.
    """
    curve = _Curve(right, wrong, wrong_per_right)
    if not len(curve.right):
        return None
    points = curve.points(curve.thresholds())
    if precision is None:
        return max(points, key=lambda point: (point.f1, point.threshold))
    return next((point for point in points if point.precision >= precision), None)


def calibrate(
    right: Mapping[str, npt.ArrayLike],
    wrong: Mapping[str, npt.ArrayLike],
    precision: float | None = None,
    wrong_per_right: float = 1.0,
    least_pairs: int = LEAST_PAIRS,
) -> dict[str, Calibration]:
    """The threshold of each language, by its scores of right and wrong pairs, and of all (``*``).

    A language with fewer than ``least_pairs`` right or wrong pairs takes the threshold of all.
    """
    langs = sorted({*right, *wrong})
    both = {lang: (_scores(right.get(lang, ())), _scores(wrong.get(lang, ()))) for lang in langs}
    everything = (
        np.concatenate([np.empty(0), *(sides[0] for sides in both.values())]),
        np.concatenate([np.empty(0), *(sides[1] for sides in both.values())]),
    )
    pooled = find_threshold(*everything, precision, wrong_per_right)
    found = {}
    for lang, sides in [(ALL_LANGUAGES, everything), *both.items()]:
        few = lang != ALL_LANGUAGES and min(map(len, sides)) < least_pairs
        own = pooled if few else find_threshold(*sides, precision, wrong_per_right)
        table = precision_table(*sides, wrong_per_right)
        found[lang] = Calibration(lang, own, len(sides[0]), len(sides[1]), few, table)
    return found


class _Curve:
    """Sorted scores of both sides, and what a threshold does to them."""

    def __init__(self, right: npt.ArrayLike, wrong: npt.ArrayLike, wrong_per_right: float) -> None:
        if not wrong_per_right > 0:
            raise ValueError(f"wrong_per_right: {wrong_per_right!r} given, expected a number > 0")
        self.right, self.wrong = np.sort(_scores(right)), np.sort(_scores(wrong))
        self._odds = wrong_per_right

    def thresholds(self) -> Scores:
        """Rising: below each distinct score of a right pair, halfway to the next score below it."""
        scores = np.unique(np.concatenate([self.right, self.wrong]))
        middles = np.concatenate([scores[:1], (scores[:-1] + scores[1:]) / 2])
        middles = np.where(middles > np.concatenate([[-np.inf], scores[:-1]]), middles, scores)
        return middles[np.isin(scores, self.right)]

    def points(self, thresholds: Scores) -> list[Point]:
        recall = _share_taken(self.right, thresholds)
        false = _share_taken(self.wrong, thresholds) * self._odds
        taken = recall + false
        precision = np.divide(recall, taken, out=np.ones_like(recall), where=taken > 0)
        total = precision + recall
        f1 = np.divide(2 * precision * recall, total, out=np.zeros_like(total), where=total > 0)
        rows = np.stack([thresholds, precision, recall, f1], axis=1).tolist()
        return [Point(*row) for row in rows]


def _share_taken(scores: Scores, thresholds: Scores) -> Scores:
    if not len(scores):
        return np.zeros(len(thresholds))
    return 1 - np.searchsorted(scores, thresholds, side="left") / len(scores)


def _scores(values: npt.ArrayLike) -> Scores:
    """As float64, without those that are not finite: a pair whose text had no vector."""
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
