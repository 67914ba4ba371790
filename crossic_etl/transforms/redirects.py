"""Follows redirects to their end."""

from __future__ import annotations

from collections.abc import Iterator

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from crossic_etl.kernels.wiki.redirects import follow_redirects
from crossic_etl.transforms.arrow import Batches, Row, to_batches

ENDS = T.StructType([T.StructField(name, T.StringType()) for name in ("lang", "title", "end")])


def resolve_redirects(redirects: DataFrame) -> DataFrame:
    """``lang, title, final_title``: the end of each redirect; null for a cycle.

    ``lang, title`` is unique in ``redirects`` and in the result. Only redirects in a chain are
    followed in Python. MediaWiki's bots repair chains daily, so a wiki has some hundreds of them,
    and one task holds those of a language in memory.
    """
    names = redirects.select("lang", F.col("title").alias("name"))
    targets = redirects.select("lang", F.col("target_title").alias("name")).distinct()
    to_redirect = redirects.join(
        names.withColumnRenamed("name", "target_title"),
        on=["lang", "target_title"],
        how="left_semi",
    ).select("lang", "title", "target_title")
    from_redirect = redirects.join(
        targets.withColumnRenamed("name", "title"), on=["lang", "title"], how="left_semi"
    ).select("lang", "title", "target_title")
    chained = to_redirect.unionByName(from_redirect).repartition("lang")
    ends = (
        chained.mapInArrow(_follow, ENDS)
        .groupBy("lang", "title")
        .agg(F.min("end").alias("end"), F.lit(True).alias("walked"))
    )
    return redirects.join(ends, on=["lang", "title"], how="left").select(
        "lang",
        "title",
        F.when(F.col("walked"), F.col("end")).otherwise(F.col("target_title")).alias("final_title"),
    )


def _follow(batches: Batches) -> Batches:
    targets = {
        (lang, title): (lang, target)
        for batch in batches
        for lang, title, target in zip(
            *(column.to_pylist() for column in batch.columns), strict=True
        )
    }

    def rows() -> Iterator[Row]:
        for (lang, title), end in follow_redirects(targets).items():
            yield {"lang": lang, "title": title, "end": end and end[1]}

    yield from to_batches(rows(), ENDS)
