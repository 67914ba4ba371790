"""Near duplicates among documents: signed, put in buckets, linked to a bucket's leaders."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql import types as T
from pyspark.sql.pandas.types import to_arrow_schema

from crossic_etl.kernels.dedup.buckets import BucketLinker, bands_for
from crossic_etl.kernels.dedup.minhash import Signature, band_keys, signatures
from crossic_etl.transforms.arrow import Batches, Row, to_batches

SIGNED = (
    T.StructField("signature", T.BinaryType()),  # uint32, little-endian
    T.StructField("bands", T.ArrayType(T.LongType())),
)
LINKS = T.StructType(
    [
        T.StructField("band", T.LongType()),
        T.StructField("a", T.StringType()),
        T.StructField("b", T.StringType()),
    ]
)

# Texts signed together: few, since each takes some hundred bytes a character while it is signed.
TEXTS_AT_ONCE = 64


def sign_documents(
    documents: DataFrame, threshold: float, seed: int, only: str | None = None
) -> DataFrame:
    """Adds ``signature`` and ``bands`` of each ``text``, for near duplicates from ``threshold`` on.

    ``only`` names a boolean column: where it is false, they are null.
    """
    schema = T.StructType([*documents.schema.fields, *SIGNED])
    arrow_schema = to_arrow_schema(schema)
    bands = bands_for(threshold)

    def run(batches: Batches) -> Batches:
        for batch in batches:
            for start in range(0, batch.num_rows, TEXTS_AT_ONCE):
                part = batch.slice(start, TEXTS_AT_ONCE)
                is_wanted = part.column(only) if only else pa.array([True] * part.num_rows)
                texts = part.column("text").filter(is_wanted).to_pylist()
                signed = iter(signatures(texts, seed=seed))
                rows = [next(signed) if wanted else None for wanted in is_wanted.to_pylist()]
                columns = [
                    *part.columns,
                    pa.array([_bytes_of(row) for row in rows], pa.binary()),
                    pa.array([_bands_of(row, bands) for row in rows], pa.list_(pa.int64())),
                ]
                yield pa.RecordBatch.from_arrays(
                    [c.cast(f.type) for c, f in zip(columns, arrow_schema, strict=True)],
                    schema=arrow_schema,
                )

    return documents.mapInArrow(run, schema)


def _bytes_of(signature: Signature | None) -> bytes | None:
    return None if signature is None else signature.astype("<u4").tobytes()


def _bands_of(signature: Signature | None, bands: int) -> list[int] | None:
    return None if signature is None else band_keys(signature, bands)


def list_bands(signed: DataFrame) -> DataFrame:
    """``band``: each bucket that one of these documents is in, once."""
    return signed.select(F.explode("bands").alias("band")).distinct()


def link_near_duplicates(
    signed: DataFrame, threshold: float, touched: DataFrame | None = None
) -> DataFrame:
    """``band, a, b``: pairs of a bucket whose estimated similarity reaches ``threshold``.

    Not all such pairs, but enough that their connected components, which are the clusters, are
    nearly those of all; `kernels.near_duplicates` says how, what is missed, and why components are
    right. Which pairs a bucket has depends on all its documents, and on nothing else: so where one
    is new, the bucket is linked as a whole. With ``touched`` (``band``, each once) only those are.
    Signatures are shuffled only for documents that share a bucket with others.
    """
    bucket = Window.partitionBy("band")
    spread = signed.select("doc_id", F.explode("bands").alias("band"))
    if touched is not None:
        spread = spread.join(touched, on="band", how="left_semi")
    shared = spread.withColumn("size", F.count("*").over(bucket)).where(F.col("size") > 1)
    ordered = (
        shared.join(signed.select("doc_id", "signature"), on="doc_id", how="inner")
        .select("band", "doc_id", "signature")
        .repartition("band")
        .sortWithinPartitions("band", "doc_id")
    )

    def run(batches: Batches) -> Batches:
        linker = BucketLinker(threshold)

        def links() -> Iterator[Row]:
            for batch in batches:
                for band, doc_id, raw in zip(*(c.to_pylist() for c in batch.columns), strict=True):
                    for leader in linker.link(band, doc_id, np.frombuffer(raw, "<u4")):
                        yield {"band": band, "a": leader, "b": doc_id}

        yield from to_batches(links(), LINKS)

    return ordered.mapInArrow(run, LINKS)


def add_links(held: DataFrame, linked: DataFrame, touched: DataFrame) -> DataFrame:
    """``band, a, b``: those held of buckets that are as they were, and those of the others."""
    kept = held.select(*LINKS.names).join(touched, on="band", how="left_anti")
    return kept.select(*LINKS.names).unionByName(linked)
