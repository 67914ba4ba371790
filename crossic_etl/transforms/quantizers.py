"""Coarse quantizers: trained on a sample of the corpus, and loaded as routers to its shards."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from crossic_etl.kernels.search.quantizer import Quantizer, train
from crossic_etl.kernels.search.routing import Router
from crossic_etl.kernels.search.vectors import to_matrix
from crossic_etl.transforms.arrow import Batches

_QUANTIZER = "quantizer binary, n_trained bigint"


def sample_by_hash(frame: DataFrame, size: int, n_rows: int, seed: int) -> DataFrame:
    """The ``size`` rows, about, whose ids hash lowest with the seed, of a frame of ``n_rows``.

    The same rows whatever their order and partitions; a row that is sampled stays so when ``size``
    grows.
    """
    place = F.pmod(F.xxhash64(F.lit(seed), F.lit("sample"), F.col("id")), F.lit(2**31))
    return frame.where(place < F.lit(int(2**31 * min(1.0, size / max(1, n_rows)))))


def train_quantizer(
    sample: DataFrame, dimension: int, n_cells: int, seed: int, threads: int = 1
) -> DataFrame:
    """``quantizer, n_trained``: one row, the cells that k-means finds in the sample's vectors.

    No row where the sample is empty. One task holds the sample, 4 bytes for each float; none of it
    comes to the driver.
    """
    ordered = (
        sample.select(
            F.xxhash64(F.lit(seed), F.lit("train"), F.col("id")).alias("place"), "id", "vector"
        )
        .repartition(1)
        .sortWithinPartitions("place", "id")
    )

    def run(batches: Batches) -> Batches:
        import numpy as np
        import pyarrow as pa

        parts = [to_matrix(batch.column("vector"), dimension).copy() for batch in batches]
        if not any(len(part) for part in parts):  # a plan may have a task without rows
            return
        vectors = np.concatenate(parts)
        quantizer = train(vectors, n_cells, seed, threads=threads)
        row = {"quantizer": [quantizer.to_bytes()], "n_trained": [len(vectors)]}
        yield pa.RecordBatch.from_pydict(row)

    return ordered.mapInArrow(run, _QUANTIZER)


def load_router(quantizer: bytes, shards: int, nprobe: int, threads: int = 1) -> Router:
    """A router from the bytes that `train_quantizer` gave."""
    return Router.of(Quantizer.from_bytes(quantizer), shards, nprobe, threads)
