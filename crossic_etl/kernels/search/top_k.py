"""The best k candidates of each query, exactly, and the same in whatever parts they are merged.

The order is by score, descending; candidates of one score by document id, ascending. The best k of
a union are the best k of the best k of its parts, so shards, tasks and months can be merged in any
grouping. A document that comes twice for a query counts once, with its higher score.
"""

from __future__ import annotations

import numpy as np

from crossic_etl.kernels.search.vectors import Floats, Longs


def best_k(queries: Longs, scores: Floats, docs: Longs, k: int) -> Longs:
    """Which of n candidates are among their query's best k, ordered by query, then best first.

    ``queries`` and ``docs`` are numbers; those of ``docs`` must be in the order of their ids.
    A candidate whose score is NaN is none.
    """
    order = np.lexsort((docs, -scores, queries))
    order = order[~np.isnan(scores[order])]
    first = _first_of_each_pair(queries[order], docs[order])
    order = order[first]
    kept: Longs = order[_ranks(queries[order]) < k]
    return kept


def _first_of_each_pair(queries: Longs, docs: Longs) -> Longs:
    """Positions of the first time that a document comes for a query, in order."""
    by_pair = np.lexsort((np.arange(len(queries)), docs, queries))
    new = np.ones(len(queries), bool)
    new[1:] = (np.diff(queries[by_pair]) != 0) | (np.diff(docs[by_pair]) != 0)
    first: Longs = np.sort(by_pair[new])
    return first


def _ranks(queries: Longs) -> Longs:
    """0, 1, 2, ... within each run of a query."""
    at = np.arange(len(queries))
    starts = np.concatenate([[True], np.diff(queries) != 0])[: len(queries)]
    ranks: Longs = at - np.maximum.accumulate(np.where(starts, at, 0))
    return ranks
