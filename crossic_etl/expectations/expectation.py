"""A promise of a table: conditions in SQL that hold for every row of a frame made of tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from crossic_etl.schemas import Table

# Violations are gathered by a hash of their keys: that many examples may come to the driver.
_BUCKETS = 16

Rules = Mapping[str, str]


def as_it_is(frame: DataFrame) -> DataFrame:
    """The table's own rows, for conditions that need no other."""
    return frame


@dataclass(frozen=True)
class Promise:
    """Conditions that are looked at together, in one pass.

    Attributes:
        rules: what is promised, in words, to a condition in SQL; a null is no.
        key: the columns that name a row in a message.
        reads: tables that the frame is made of.
        prepare: the frame, of the rows of these tables.
    """

    rules: Rules
    key: tuple[str, ...]
    reads: tuple[Table, ...]
    prepare: Callable[..., DataFrame] = as_it_is

    def violations(self, frames: Mapping[str, DataFrame]) -> DataFrame:
        """``check, key``: a row for each rule that a row of the frame breaks."""
        prepared = self.prepare(*(frames[table.name] for table in self.reads))
        return break_rules(prepared, self.rules, self.key)


def break_rules(frame: DataFrame, rules: Rules, key: tuple[str, ...]) -> DataFrame:
    """``check, key``: a row for each of the rules that a row breaks."""
    names = [
        F.when(~F.coalesce(F.expr(condition), F.lit(False)), F.lit(name))
        for name, condition in rules.items()
    ]
    parts = [F.coalesce(F.col(column).cast("string"), F.lit("null")) for column in key]
    return frame.select(
        F.explode(F.array_compact(F.array(*names))).alias("check"),
        F.concat_ws("/", *parts).alias("key"),
    )


def of_every_row(table: Table, rules: Rules) -> Promise:
    """What holds for each row by itself, and that no column is null that must not be."""
    never_null = " AND ".join(f"`{c.name}` IS NOT NULL" for c in table.schema if not c.nullable)
    return Promise({"no null where none may be": never_null, **rules}, table.key, (table,))


def of_the_key(table: Table) -> Promise:
    """That the key is unique."""

    def prepare(frame: DataFrame) -> DataFrame:
        return frame.groupBy(*table.key).agg(F.count("*").alias("n_rows"))

    return Promise({"its key is unique": "n_rows = 1"}, table.key, (table,), prepare)


def count_violations(violations: DataFrame) -> DataFrame:
    """``check, n, example``: some rows for each check, whose ``n`` sum to its violations."""
    bucket = F.pmod(F.xxhash64("key"), F.lit(_BUCKETS))
    return (
        violations.groupBy("check", bucket.alias("bucket"))
        .agg(F.count("*").alias("n"), F.min("key").alias("example"))
        .drop("bucket")
    )
