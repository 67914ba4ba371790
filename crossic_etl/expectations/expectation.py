"""Expectations: conditions in SQL that every row of a frame made of tables must meet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from crossic_etl.schemas import Table

# Violations are counted in so many buckets by a hash of their keys; each gives one example.
_BUCKETS = 16

Rules = Mapping[str, str]


def as_it_is(frame: DataFrame) -> DataFrame:
    """Returns a table's rows unchanged, for rules that need no other table."""
    return frame


@dataclass(frozen=True)
class Expectation:
    """Rules that are checked together, in one pass over a frame.

    Attributes:
        rules: name of each rule, in words, to its condition in SQL; a null breaks the rule.
        key: columns whose values name a row in messages.
        reads: tables that the frame is made of.
        prepare: makes the frame of these tables' frames.
    """

    rules: Rules
    key: tuple[str, ...]
    reads: tuple[Table, ...]
    prepare: Callable[..., DataFrame] = as_it_is

    def violations(self, frames: Mapping[str, DataFrame]) -> DataFrame:
        """``check, key``: one row for each row of the frame and rule that it breaks."""
        prepared = self.prepare(*(frames[table.name] for table in self.reads))
        return break_rules(prepared, self.rules, self.key)


def break_rules(frame: DataFrame, rules: Rules, key: tuple[str, ...]) -> DataFrame:
    """``check, key``: one row for each row of ``frame`` and rule that it breaks."""
    names = [
        F.when(~F.coalesce(F.expr(condition), F.lit(False)), F.lit(name))
        for name, condition in rules.items()
    ]
    parts = [F.coalesce(F.col(column).cast("string"), F.lit("null")) for column in key]
    return frame.select(
        F.explode(F.array_compact(F.array(*names))).alias("check"),
        F.concat_ws("/", *parts).alias("key"),
    )


def of_every_row(table: Table, rules: Rules) -> Expectation:
    """Expects rules of each row by itself, and no null where the schema allows none."""
    never_null = " AND ".join(f"`{c.name}` IS NOT NULL" for c in table.schema if not c.nullable)
    return Expectation({"no null where none may be": never_null, **rules}, table.key, (table,))


def of_the_key(table: Table) -> Expectation:
    """Expects that the table's key is unique."""

    def prepare(frame: DataFrame) -> DataFrame:
        return frame.groupBy(*table.key).agg(F.count("*").alias("n_rows"))

    return Expectation({"its key is unique": "n_rows = 1"}, table.key, (table,), prepare)


def count_violations(violations: DataFrame) -> DataFrame:
    """``check, n, example``: up to `_BUCKETS` rows for each check; their ``n`` sum to its count."""
    bucket = F.pmod(F.xxhash64("key"), F.lit(_BUCKETS))
    return (
        violations.groupBy("check", bucket.alias("bucket"))
        .agg(F.count("*").alias("n"), F.min("key").alias("example"))
        .drop("bucket")
    )
