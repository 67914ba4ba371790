"""The exact best k candidates of each query, independent of how the candidates are split.

The order is score descending, then document id ascending. The best k of a union are the best k of
its parts' best k, so shards, tasks and months can be merged in any grouping. A document that comes
twice for a query counts once, with its higher score.
"""

from __future__ import annotations

import numpy as np

from crossic_etl.kernels.search.vectors import Floats, Longs


def best_k(queries: Longs, scores: Floats, docs: Longs, k: int) -> Longs:
    """Indices of the candidates among their query's best k, by query, then best first.

    ``queries`` and ``docs`` are numbers; numbers of ``docs`` must be in the order of their ids.
    Candidates with the score NaN are left out.
    """
    order = np.lexsort((docs, -scores, queries))
    order = order[~np.isnan(scores[order])]
    first = _first_of_each_pair(queries[order], docs[order])
    order = order[first]
    kept: Longs = order[_ranks(queries[order]) < k]
    return kept


def _first_of_each_pair(queries: Longs, docs: Longs) -> Longs:
    """Positions of the first occurrence of each (query, document), in order."""
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
