"""Trains coarse quantizers on a sample of the corpus, and loads them as routers."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from crossic_etl.kernels.search.quantizer import Quantizer, train
from crossic_etl.kernels.search.routing import Router
from crossic_etl.kernels.search.vectors import to_matrix
from crossic_etl.transforms.arrow import Batches

_QUANTIZER = "quantizer binary, n_trained bigint"


def sample_by_hash(frame: DataFrame, size: int, n_rows: int, seed: int) -> DataFrame:
    """About ``size`` rows of a frame of ``n_rows``: those whose ids hash lowest with the seed.

    Order and partitions change nothing. A larger ``size`` keeps the rows and adds others.
    """
    place = F.pmod(F.xxhash64(F.lit(seed), F.lit("sample"), F.col("id")), F.lit(2**31))
    return frame.where(place < F.lit(int(2**31 * min(1.0, size / max(1, n_rows)))))


def train_quantizer(
    sample: DataFrame, dimension: int, n_cells: int, seed: int, threads: int = 1
) -> DataFrame:
    """``quantizer, n_trained``: one row, the k-means cells of the sample's vectors.

    No row where the sample is empty. One task holds the sample, 4 bytes a float; the driver doesn't
    receive it.
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
        if not any(len(part) for part in parts):  # Spark may start a task without rows
            return
        vectors = np.concatenate(parts)
        quantizer = train(vectors, n_cells, seed, threads=threads)
        row = {"quantizer": [quantizer.to_bytes()], "n_trained": [len(vectors)]}
        yield pa.RecordBatch.from_pydict(row)

    return ordered.mapInArrow(run, _QUANTIZER)


def load_router(quantizer: bytes, shards: int, nprobe: int, threads: int = 1) -> Router:
    """A router from the bytes of `train_quantizer`."""
    return Router.of(Quantizer.from_bytes(quantizer), shards, nprobe, threads)
