"""Near duplicates: MinHash signatures over character 5-grams, and the keys of their bands.

Characters, not words: word shingles need a tokenizer for Thai and Japanese, and remove all of
Arabic where they have the wrong one. A band's key is what documents are joined on; a pair that
shares one is a candidate, and its estimated similarity decides. With b bands of r rows, a pair of
similarity s is found with the chance 1 - (1 - s^r)^b: for the default 16 bands of 8 rows 0.95 at
0.8, 0.99 at 0.85, 0.24 at 0.6 and 0.01 at 0.4. The default threshold, 0.8, is MassiveText's
(arXiv 2112.11446, A.1.1); bands of 8 rows FineWeb's, which has 14.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from rensa import RMinHash  # type: ignore[import-untyped]

from crossic_etl.kernels.text.ngrams import code_points, scramble, window_hashes
from crossic_etl.kernels.text.normalize import normalized

NGRAM = 5
PERMUTATIONS = 128
BANDS = 16
ALGORITHM = f"rensa-r{RMinHash.ALGORITHM_VERSION}"
"""Signatures of another algorithm can't be compared with ours: store it beside them."""

Signature = npt.NDArray[np.uint32]


def signatures(
    texts: Sequence[str], n: int = NGRAM, permutations: int = PERMUTATIONS, seed: int = 0
) -> Signature:
    """The MinHash of each text's set of character n-grams, uint32[len(texts), permutations].

    Over the `normalized` text; one that is shorter than n is one n-gram. Texts with equal sets have
    equal signatures. The empty text has the largest value throughout. Runs on one thread: rensa
    starts threads of its own when it is given several texts, so it is called for each.
    """
    rows = [_rows_of(_shingles(text, n), permutations, seed) for text in texts]
    return np.array(rows, np.uint32).reshape(len(texts), permutations)


def _shingles(text: str, n: int) -> npt.NDArray[np.uint64]:
    symbols = code_points(normalized(text))
    return window_hashes(symbols, min(n, len(symbols)) or 1)


def _rows_of(shingles: npt.NDArray[np.uint64], permutations: int, seed: int) -> list[int]:
    ends = np.array([0, len(shingles)], np.uint64)
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(shingles, ends, permutations, seed)
    rows: list[list[int]] = matrix.to_rows()
    return rows[0]


def band_keys(signature: Signature, bands: int = BANDS) -> list[int]:
    """One key for each band, different between bands; signed 64-bit, as Spark's ``long``.

    Raises ``ValueError`` where the bands don't share the signature out evenly.
    """
    if bands < 1 or len(signature) % bands:
        raise ValueError(f"{bands} bands don't divide {len(signature)} permutations")
    rows = signature.astype(np.uint64).reshape(bands, -1)
    keys = scramble(np.arange(bands, dtype=np.uint64))
    for row in rows.T:
        keys = scramble(keys ^ row)
    values: list[int] = keys.view(np.int64).tolist()
    return values
