"""The difference between the rows that a table holds and the rows that it should hold."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from crossic_etl.schemas import Table

SAME, NEW, GONE = "same", "new", "gone"
DIFFERENT = f"change != '{SAME}'"


def mark_changes(
    made: DataFrame, held: DataFrame, table: Table, ignored: Sequence[str] = ()
) -> DataFrame:
    """The columns of ``table`` and ``change``: how ``held`` differs from ``made``.

    Keys are unique in both. ``new`` rows of ``made`` are not in ``held``, or differ there in a
    column that isn't ``ignored``. ``gone`` rows are in ``held`` only, and have their key alone.
    """
    values = [name for name in table.columns if name not in table.key]
    joined = (
        made.withColumn("is_made", F.lit(True))
        .alias("made")
        .join(held.withColumn("is_held", F.lit(True)).alias("held"), on=list(table.key), how="full")
    )
    is_same = F.col("is_held").isNotNull()
    for name in values:
        if name not in ignored:
            is_same = is_same & F.col(f"made.{name}").eqNullSafe(F.col(f"held.{name}"))
    change = F.when(F.col("is_made").isNull(), GONE).when(is_same, SAME).otherwise(NEW)
    columns = [F.col(name if name in table.key else f"made.{name}") for name in table.columns]
    return joined.select(*columns, change.alias("change"))


def select_new(changes: DataFrame, table: Table) -> DataFrame:
    """The rows to write, from what `mark_changes` gave."""
    return changes.where(F.col("change") == NEW).select(table.columns)


def select_gone(changes: DataFrame, table: Table) -> DataFrame:
    """The keys to remove, from what `mark_changes` gave."""
    return changes.where(F.col("change") == GONE).select(*table.key)
