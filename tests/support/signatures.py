"""The signature of one text, and how similar two signatures say that their texts are."""

from __future__ import annotations

import numpy as np

from crossic_etl.kernels.dedup.minhash import NGRAM, PERMUTATIONS, Signature, signatures

THRESHOLD = 0.8


def signature(
    text: str, n: int = NGRAM, permutations: int = PERMUTATIONS, seed: int = 0
) -> Signature:
    """The only row of `signatures`, uint32[permutations]."""
    only: Signature = signatures([text], n, permutations, seed)[0]
    return only


def jaccard_estimate(a: Signature, b: Signature) -> float:
    """The share of equal places: an estimate of the two sets' similarity.

    Its standard error is sqrt(s (1 - s) / permutations), 0.035 at 0.8 with 128.
    """
    if a.shape != b.shape:
        raise ValueError(f"signatures of {a.shape} and {b.shape} places can't be compared")
    return float(np.mean(a == b))
