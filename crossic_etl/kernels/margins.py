"""Margins and mutual neighbours, from the best k of both directions.

A cosine alone says little: some documents are near to everything. The margin sets it against the
neighbourhood of both ends (Artetxe and Schwenk 2019, arXiv 1811.01136, "ratio"). Both directions
must be merged over the whole corpus before: the neighbours that one shard finds are not the
corpus's, and a margin from them is too high.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from crossic_etl.kernels.vectors import Floats, Longs

NONE = -1


def ratio_margin(cosines: Floats, forward: Floats, backward: Floats) -> Floats:
    """Cosine / ((mean of the query's k + mean of the document's k) / 2), element by element.

    ``forward`` and ``backward`` are those means. NaN where their sum isn't above 0: a ratio has no
    meaning there.
    """
    total = forward + backward
    with np.errstate(divide="ignore", invalid="ignore"):
        margins: Floats = np.where(total > 0, 2 * cosines / total, np.nan).astype(np.float32)
    return margins


def neighbour_means(scores: Floats, docs: Longs) -> Floats:
    """Mean score of each row's neighbours, float32[n, k] to float32[n].

    Places whose document is -1 (fewer than k neighbours) don't count; NaN for a row without any.
    """
    found = docs != NONE
    with np.errstate(invalid="ignore"):
        sums = np.where(found, scores, 0).sum(axis=1, dtype=np.float64)
        means: Floats = (sums / np.where(found.any(axis=1), found.sum(axis=1), np.nan)).astype(
            np.float32
        )
    return means


def margins_and_mutual(
    scores: Floats, docs: Longs, back_scores: Floats, back_queries: Longs
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Margin and mutual flag of each (query, document), as [n, k].

    ``scores, docs`` [n, k] are the queries' best k, best first, -1 where there is none;
    ``back_scores, back_queries`` [m, k] the documents' best k among the queries. Mutual: each is
    the other's nearest.
    """
    found = docs != NONE
    safe = np.where(found, docs, 0)
    if not len(back_scores):
        return np.full(docs.shape, np.nan, np.float32), np.zeros(docs.shape, bool)
    backward = neighbour_means(back_scores, back_queries)[safe]
    forward = np.broadcast_to(neighbour_means(scores, docs)[:, None], docs.shape)
    margins = np.where(found, ratio_margin(scores, forward, backward), np.nan).astype(np.float32)
    returned = back_queries[:, 0][safe] == np.arange(len(docs))[:, None]
    is_first = np.arange(docs.shape[1])[None, :] == 0
    return margins, found & returned & is_first
