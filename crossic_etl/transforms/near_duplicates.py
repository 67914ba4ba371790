"""Near copies among documents: signed, put in buckets, linked to a bucket's leaders."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql import types as T
from pyspark.sql.pandas.types import to_arrow_schema

from crossic_etl.kernels.near_copies import BucketLinker, bands_for
from crossic_etl.kernels.near_duplicates import band_keys, signatures
from crossic_etl.transforms.arrow import Batches, Row, to_batches

SIGNED = (
    T.StructField("signature", T.BinaryType()),  # uint32, little-endian
    T.StructField("bands", T.ArrayType(T.LongType())),
)
EDGES = T.StructType([T.StructField("a", T.StringType()), T.StructField("b", T.StringType())])

# Texts signed together: few, since each takes some hundred bytes a character while it is signed.
TEXTS_AT_ONCE = 64


def sign_documents(documents: DataFrame, threshold: float, seed: int) -> DataFrame:
    """Adds ``signature`` and ``bands`` of each ``text``, for near copies from ``threshold`` on."""
    schema = T.StructType([*documents.schema.fields, *SIGNED])
    arrow_schema = to_arrow_schema(schema)
    bands = bands_for(threshold)

    def run(batches: Batches) -> Batches:
        for batch in batches:
            for start in range(0, batch.num_rows, TEXTS_AT_ONCE):
                part = batch.slice(start, TEXTS_AT_ONCE)
                signed = signatures(part.column("text").to_pylist(), seed=seed)
                columns = [
                    *part.columns,
                    pa.array([row.astype("<u4").tobytes() for row in signed], pa.binary()),
                    pa.array([band_keys(row, bands) for row in signed], pa.list_(pa.int64())),
                ]
                yield pa.RecordBatch.from_arrays(
                    [c.cast(f.type) for c, f in zip(columns, arrow_schema, strict=True)],
                    schema=arrow_schema,
                )

    return documents.mapInArrow(run, schema)


def link_near_copies(signed: DataFrame, threshold: float) -> DataFrame:
    """``a, b``: pairs of documents, each once, whose estimated similarity reaches ``threshold``.

    Not all such pairs, but enough that their connected components, which are the clusters, are
    nearly those of all; `kernels.near_copies` says how, what is missed, and why components are
    right. Signatures are shuffled only for documents that share a bucket with others.
    """
    bucket = Window.partitionBy("band")
    shared = (
        signed.select("doc_id", F.explode("bands").alias("band"))
        .withColumn("size", F.count("*").over(bucket))
        .where(F.col("size") > 1)
    )
    ordered = (
        shared.join(signed.select("doc_id", "signature"), on="doc_id", how="inner")
        .select("band", "doc_id", "signature")
        .repartition("band")
        .sortWithinPartitions("band", "doc_id")
    )

    def run(batches: Batches) -> Batches:
        linker = BucketLinker(threshold)

        def edges() -> Iterator[Row]:
            for batch in batches:
                for band, doc_id, raw in zip(*(c.to_pylist() for c in batch.columns), strict=True):
                    for leader in linker.link(band, doc_id, np.frombuffer(raw, "<u4")):
                        yield {"a": leader, "b": doc_id}

        yield from to_batches(edges(), EDGES)

    return ordered.mapInArrow(run, EDGES).distinct()
