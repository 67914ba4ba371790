"""The coarse quantizer: the nearest cells of a vector, and the shard of each cell.

Cells come from k-means on a sample. They are many and small, so that a query is compared with few
documents. Neighbouring cells are in one shard, and shards have about the same size. So the cells
of a query are in few shards, and its vector is sent few times.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt

from crossic_etl.kernels.search.vectors import Floats, Ints, Longs, inner_products

# Ours: k-means hardly changes after ten rounds, and each first run trains.
ITERATIONS = 10
# As in `search_cell`: the rounding of a product in single precision. Its last bits depend on the
# number of vectors in the product.
_ROUNDING = 1e-5
_SPARE = 4


@dataclass(frozen=True, eq=False)
class Quantizer:
    """Cells of a vector space.

    Attributes:
        centroids: float32[n_cells, d], of unit length.
        n_trained: int64[n_cells], vectors of the training sample in each cell.
    """

    centroids: Floats
    n_trained: Longs

    def to_bytes(self) -> bytes:
        """The quantizer as bytes for a binary column; no pickle is used."""
        out = BytesIO()
        np.savez(out, centroids=self.centroids, n_trained=self.n_trained)
        return out.getvalue()

    @staticmethod
    def from_bytes(data: bytes) -> Quantizer:
        """Reads what `to_bytes` wrote.

        Raises:
            ValueError: the bytes are not a quantizer's.
        """
        try:
            with np.load(BytesIO(data), allow_pickle=False) as arrays:
                return Quantizer(arrays["centroids"], arrays["n_trained"])
        except (OSError, KeyError, ValueError, EOFError) as error:
            raise ValueError(f"these {len(data)} bytes are no quantizer: {error}") from None


def train(
    vectors: Floats, n_cells: int, seed: int, iterations: int = ITERATIONS, threads: int = 1
) -> Quantizer:
    """Trains spherical k-means on float32[n, d]; up to ``n_cells`` vectors become cells themselves.

    The same vectors in the same order, with the same seed and threads, give the same cells.
    """
    import faiss  # here, as plans and readers of cells don't need it

    faiss.omp_set_num_threads(threads)
    n, dimension = vectors.shape
    if n <= n_cells:
        centroids = vectors.copy() if n else np.zeros((1, dimension), np.float32)
    else:
        clustering = faiss.Kmeans(
            dimension,
            n_cells,
            niter=iterations,
            spherical=True,
            seed=seed,
            min_points_per_centroid=1,  # silences a warning
            max_points_per_centroid=-(-n // n_cells),  # the caller has bounded the sample
        )
        clustering.train(np.ascontiguousarray(vectors))
        centroids = clustering.centroids
    counts = np.bincount(assign(vectors, centroids, 1, threads)[:, 0], minlength=len(centroids))
    return Quantizer(centroids, counts.astype(np.int64))


def assign(vectors: Floats, centroids: Floats, n: int, threads: int = 1) -> Ints:
    """The ``n`` nearest cells of each vector, nearest first: int32[len(vectors), n].

    Fewer columns where there are fewer cells. The result depends on the vector alone: where
    rounding could change it, products are computed exactly. Of equal ones the lower cell wins.
    """
    import faiss

    faiss.omp_set_num_threads(threads)
    n = min(n, len(centroids))
    if not len(vectors):
        return np.zeros((0, n), np.int32)
    vectors = np.ascontiguousarray(vectors)
    size = min(n + _SPARE, len(centroids))
    rough, cells = faiss.knn(vectors, centroids, size, faiss.METRIC_INNER_PRODUCT)
    if n < len(centroids):
        for row in np.flatnonzero(rough[:, n - 1] - rough[:, n] < 2 * _ROUNDING):
            crowded = size < len(centroids) and rough[row, n - 1] - rough[row, -1] < 2 * _ROUNDING
            among = np.arange(len(centroids)) if crowded else cells[row]
            cells[row, :n] = _nearest(vectors[row], centroids, among, n)
    # A vector with NaN has no nearest cell; it is put in cell 0.
    nearest: Ints = np.maximum(cells[:, :n], 0).astype(np.int32)
    return nearest


def _nearest(vector: Floats, centroids: Floats, among: Longs, n: int) -> Longs:
    scores = inner_products(np.broadcast_to(vector, (len(among), len(vector))), centroids[among])
    best: Longs = among[np.lexsort((among, -scores))[:n]]
    return best


def shard_cells(quantizer: Quantizer, shards: int) -> Ints:
    """The shard of each cell, int32[n_cells], by repeated halving, which keeps neighbours together.

    Each cut is across the direction in which the cells vary most. It divides the documents of the
    training sample in proportion to the shards of both halves.
    """
    shard_of = np.zeros(len(quantizer.centroids), np.int32)
    weights = quantizer.n_trained + 1.0
    todo = [(np.arange(len(shard_of)), 0, shards)]
    while todo:
        cells, first, count = todo.pop()
        shard_of[cells] = first
        if count > 1 and len(cells) > 1:
            left, right = _halves(quantizer.centroids[cells], weights[cells], count)
            todo.append((cells[left], first, count // 2))
            todo.append((cells[right], first + count // 2, count - count // 2))
    return shard_of


def _halves(
    centroids: Floats, weights: npt.NDArray[np.floating[Any]], shards: int
) -> tuple[Longs, Longs]:
    """The cells of the first half of so many shards, and the others; one cell a shard at least."""
    spread = centroids - centroids.mean(axis=0)
    direction = np.linalg.eigh(spread.T.astype(np.float64) @ spread)[1][:, -1]
    order = np.argsort(spread @ direction, kind="stable")
    filled = np.cumsum(weights[order])
    half = shards // 2
    at = int(np.searchsorted(filled, half / shards * filled[-1])) + 1
    at = max(min(at, len(order) - (shards - half)), min(half, len(order) - 1), 1)
    return order[:at], order[at:]
