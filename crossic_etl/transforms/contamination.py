"""Wikipedia pages that hold parts of evaluation sets."""

from __future__ import annotations

from collections.abc import Iterator

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from crossic_etl.kernels.contamination import NgramIndex
from crossic_etl.transforms.arrow import Row, each_row

OVERLAPPING = T.StructType(
    [
        T.StructField("lang", T.StringType()),
        T.StructField("page_id", T.LongType()),
        T.StructField("hits", T.LongType()),
        T.StructField("share", T.DoubleType()),
    ]
)


def find_contaminated(pages: DataFrame, evaluation: NgramIndex) -> DataFrame:
    """``lang, page_id, hits, share`` of each page that overlaps an evaluation text anywhere.

    By the measure that drops a web document (`kernels.contamination`); ``lang, page_id`` is as
    unique as it is in ``pages`` (``lang, page_id, text``).
    """

    def kernel(lang: str, page_id: int, text: str) -> Iterator[Row]:
        found = evaluation.overlap(text)
        if found.hits:
            yield {"lang": lang, "page_id": page_id, "hits": found.hits, "share": found.share}

    columns = ("lang", "page_id", "text")
    return pages.select(*columns).mapInArrow(each_row(kernel, OVERLAPPING, *columns), OVERLAPPING)


def mark_contaminated(pairs: DataFrame, contaminated: DataFrame) -> DataFrame:
    """Pairs with ``is_contaminated``: whether either of their pages is.

    ``contaminated`` has unique ``lang, page_id``; all pairs stay, so that the job can count them.
    """
    marked = pairs
    for side, lang in (("en", F.lit("en")), ("target", F.col("target_lang"))):
        found = contaminated.select(
            F.col("lang").alias("found_lang"),
            F.col("page_id").alias("found_id"),
            F.lit(True).alias(f"{side}_found"),
        )
        on = (lang == F.col("found_lang")) & (F.col(f"{side}_page_id") == F.col("found_id"))
        marked = marked.join(found, on=on, how="left").drop("found_lang", "found_id")
    either = F.coalesce("en_found", "target_found", F.lit(False))
    return marked.select(*pairs.columns, either.alias("is_contaminated"))
