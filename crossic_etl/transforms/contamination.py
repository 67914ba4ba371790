"""Texts of samples that hold parts of evaluation sets."""

from __future__ import annotations

from collections.abc import Iterator

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from crossic_etl.kernels.text.contamination import NgramIndex
from crossic_etl.transforms.arrow import Row, each_row

OVERLAPPING = T.StructType(
    [
        T.StructField("source_id", T.StringType()),
        T.StructField("hits", T.LongType()),
        T.StructField("share", T.DoubleType()),
    ]
)


def find_contaminated(texts: DataFrame, evaluation: NgramIndex) -> DataFrame:
    """``source_id, hits, share`` of each text that shares a run with an evaluation text.

    Web documents are dropped by the same measure (`kernels.text.contamination`). The result has
    one row at most for each row of ``texts`` (``source_id, text``).
    """

    def kernel(source_id: str, text: str) -> Iterator[Row]:
        found = evaluation.overlap(text)
        if found.hits:
            yield {"source_id": source_id, "hits": found.hits, "share": found.share}

    columns = ("source_id", "text")
    return texts.select(*columns).mapInArrow(each_row(kernel, OVERLAPPING, *columns), OVERLAPPING)


def mark_contaminated(text_pairs: DataFrame, contaminated: DataFrame) -> DataFrame:
    """Text pairs with ``is_contaminated``: whether one of the two texts is contaminated.

    ``contaminated`` has unique source ids. All rows stay, so that the job can count them.
    """
    marked = text_pairs
    for side in ("en", "target"):
        found = contaminated.select(
            F.col("source_id").alias(f"{side}_source_id"), F.lit(True).alias(f"{side}_found")
        )
        marked = marked.join(found, on=f"{side}_source_id", how="left")
    either = F.coalesce("en_found", "target_found", F.lit(False))
    return marked.select(*text_pairs.columns, either.alias("is_contaminated"))
