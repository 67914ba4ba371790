"""Counts and rejects of staged rows. A row's ``outcome`` is its use or the reason for its drop."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from pyspark.sql import DataFrame
from pyspark.sql import Row as CollectedRow
from pyspark.sql import functions as F

from crossic_etl.schemas import REJECTS
from crossic_etl.transforms.arrow import Row


def damage_row(lang: str, key: str, raw: bytes) -> Row:
    """The staged row of a part of a file that could not be read."""
    detail = raw[:500].decode("utf-8", "replace")
    return {"outcome": "damaged_file", "n": 1, "lang": lang, "key": key, "detail": detail}


def count_outcomes(staged: DataFrame) -> DataFrame:
    """``outcome, rows``: the number of input rows with each outcome (the sum of ``n``)."""
    return staged.groupBy("outcome").agg(F.sum("n").cast("long").alias("rows"))


def has_any(counts: Iterable[CollectedRow], outcomes: Collection[str]) -> bool:
    """Whether collected rows of `count_outcomes` have one of these outcomes."""
    return any(row["outcome"] in outcomes for row in counts)


def select_rejects(
    staged: DataFrame, table: str, reasons: Sequence[str], lang: str = "lang"
) -> DataFrame:
    """Broken staged rows in the columns of ``rejects``: one for each key and reason."""
    broken = staged.where(F.col("outcome").isin(list(reasons))).select(
        F.lit(table).alias("table"),
        F.col(lang).alias("lang"),
        F.coalesce("key", F.lit("")).alias("key"),
        F.col("outcome").alias("reason"),
        F.coalesce("detail", F.lit("")).alias("detail"),
    )
    return _once(broken)


def merge_rejects(held: DataFrame, more: DataFrame) -> DataFrame:
    """The rows of two frames of ``rejects``: one for each key and reason."""
    return _once(held.unionByName(more))


def _once(rejects: DataFrame) -> DataFrame:
    grouped = rejects.groupBy("table", "lang", "key", "reason")
    return grouped.agg(F.min("detail").alias("detail")).select(REJECTS.columns)
