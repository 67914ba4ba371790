"""Batches over several tables: whether all of them have what a batch gave.

A Delta transaction covers one table. A batch that changes several of them says in rows of one more,
its checkpoint, which of its work is complete. `Checkpoint.begin` takes back what those rows say
before the first of the other tables is touched; `Checkpoint.finish` says it anew once the last of
them is written. A run that dies in between leaves a checkpoint that vouches for nothing, so the
next run does the batch again. What the rows hold is the caller's.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import DataFrame

from crossic_etl.schemas import Table
from crossic_etl.tables import Scope, Tables


@dataclass(frozen=True)
class Checkpoint:
    """The rows of ``table`` that ``scope`` names: they say which other tables are complete.

    Attributes:
        tables: where all of them are.
        table: holds the rows.
        scope: names the rows that a batch replaces; an empty one names all.
        invalidates: whether a row that holds now is no longer true as soon as the batch writes to
            another table. Without such a row `begin` writes nothing.
    """

    tables: Tables
    table: Table
    scope: Scope
    invalidates: bool = True

    def begin(self, unfinished: DataFrame | None = None) -> None:
        """Replaces the rows by ``unfinished`` ones, or removes them: before any other table.

        ``unfinished`` rows have the columns of the checkpoint's table and say, in a column of it,
        that the batch isn't complete.

        Raises:
            TableError: the columns of ``unfinished`` are others.
        """
        if self.invalidates:
            self._replace(unfinished)

    def finish(self, finished: DataFrame) -> None:
        """Replaces the rows by ``finished`` ones: after the last of the other tables.

        Raises:
            TableError: the columns of ``finished`` are others.
        """
        self._replace(finished)

    def _replace(self, rows: DataFrame | None) -> None:
        spark, schema = self.tables.spark, self.table.schema
        frame = spark.createDataFrame([], schema) if rows is None else rows
        self.tables.replace(self.table, frame, self.scope)
