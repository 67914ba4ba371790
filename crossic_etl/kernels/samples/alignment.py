"""Which chunks of two texts on one subject match: a monotone one-to-one chain.

All arithmetic is on whole numbers: vectors are rounded before their products and cosines before the
chain, so that the matches are the same on any machine, in any batch, whatever BLAS does.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

# A cosine counts in thousandths.
_COSINE = 1000
# Vectors are rounded to this share of one: products are sums of whole numbers below 2^53, exact in
# any order.
_STEP = 1 << 16
# Ours: a match must beat its neighbours' mean by no more than this. Flat from 0 to 0.2.
_BONUS = 100
_N_BEST = 4
# Twice each mean of up to `_N_BEST` whole numbers is whole in this unit.
_UNIT = 24

Integers = npt.NDArray[np.int32]
Positions = npt.NDArray[np.int64]
Vectors = npt.NDArray[np.floating]


class Matches(NamedTuple):
    """Chunk ``english[k]`` matches chunk ``target[k]``; both ascend strictly."""

    english: Positions
    target: Positions


def match_chunks(english: Vectors, target: Vectors) -> Matches:
    """The chain of matches with the greatest gain, from the vectors (n, d) of the chunks.

    Rows are unit vectors, or zeros for a chunk of which nothing is known: it matches none.
    """
    if not len(english) or not len(target):
        return Matches(np.zeros(0, np.int64), np.zeros(0, np.int64))
    return best_chain(gains(cosines(english, target)))


def cosines(english: Vectors, target: Vectors) -> Integers:
    """Inner products of the rows (n, d) and (m, d), in whole thousandths, int32[n, m]."""
    rounded = rounded_vectors(english) @ rounded_vectors(target).T
    in_thousandths: Integers = np.rint(rounded * (_COSINE / _STEP**2)).astype(np.int32)
    return in_thousandths


def rounded_vectors(vectors: Vectors) -> npt.NDArray[np.float64]:
    """The vectors in whole steps; numbers that are not finite count as zero."""
    finite = np.nan_to_num(vectors.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    return np.rint(finite * _STEP)


def gains(similarity: Integers) -> Integers:
    """How much each match is worth, from ``similarity`` in thousandths, in 24,000ths.

    max(0, C[i,j] - (mean of the 4 best in row i + mean of the 4 best in column j) / 2 + 0.1), so
    that a chunk that is near everything gains nothing; zero where C is not positive.
    """
    rows = _best_sums(similarity, axis=1)
    columns = _best_sums(similarity, axis=0)
    gain = _UNIT * (similarity + _BONUS) - rows - columns
    worth: Integers = np.where(similarity > 0, np.maximum(gain, 0), 0).astype(np.int32)
    return worth


def best_chain(gain: Integers) -> Matches:
    """The strictly ascending pairs (i, j) with the greatest sum of gains, all above zero.

    S[i,j] = max(S[i-1,j], S[i,j-1], S[i-1,j-1] + gain[i,j]), a row at a time. Among equal chains
    the one that leaves out the last rows, then the last columns. O(n·m) time and memory.
    """
    n_rows, n_columns = gain.shape
    best = np.zeros((n_rows + 1, n_columns + 1), np.int32)
    for i in range(n_rows):
        taken = np.maximum(best[i, 1:], best[i, :-1] + gain[i])
        np.maximum.accumulate(taken, out=best[i + 1, 1:])
    return _trace_back(best)


def _best_sums(similarity: Integers, axis: int) -> Integers:
    """Half the mean of the best few along an axis, in the unit of `gains`."""
    n_best = min(_N_BEST, similarity.shape[axis])
    first = similarity.shape[axis] - n_best
    best: Integers = np.take(
        np.partition(similarity, first, axis), range(first, first + n_best), axis
    )
    sums: Integers = best.sum(axis=axis, keepdims=True, dtype=np.int32)
    sums *= _UNIT // 2 // n_best
    return sums


def _trace_back(best: Integers) -> Matches:
    i, j = best.shape[0] - 1, best.shape[1] - 1
    pairs: list[tuple[int, int]] = []
    while best[i, j] > 0:
        if best[i, j] == best[i - 1, j]:
            i -= 1
        elif best[i, j] == best[i, j - 1]:
            j -= 1
        else:
            i, j = i - 1, j - 1
            pairs.append((i, j))
    chain = np.array(pairs[::-1], np.int64).reshape(-1, 2)
    return Matches(chain[:, 0], chain[:, 1])
