"""Checkpoints of batches that change several tables: whether all tables have a batch's rows.

A Delta transaction covers one table. A batch that changes several tables records its completion in
the rows of one more table, its checkpoint. `Checkpoint.begin` invalidates those rows before the
first of the other tables is changed. `Checkpoint.finish` writes them after the last one. A run that
dies in between leaves no valid checkpoint, so the next run does the batch again. The caller defines
what the rows contain.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import DataFrame

from crossic_etl.schemas import Table
from crossic_etl.tables import Scope, Tables


@dataclass(frozen=True)
class Checkpoint:
    """The rows of ``table`` in ``scope``, which say which other tables are complete.

    Attributes:
        tables: the root of all these tables.
        table: has the checkpoint's rows.
        scope: names the rows that a batch replaces; an empty scope names all.
        invalidates: whether a valid row becomes invalid when the batch changes another table.
            Without such a row `begin` writes nothing.
    """

    tables: Tables
    table: Table
    scope: Scope
    invalidates: bool = True

    def begin(self, unfinished: DataFrame | None = None) -> None:
        """Replaces the rows by ``unfinished`` ones, or removes them; call it before other writes.

        ``unfinished`` rows have the columns of the checkpoint's table. One of the columns marks the
        batch as incomplete.

        Raises:
            TableError: ``unfinished`` has other columns.
        """
        if self.invalidates:
            self._replace(unfinished)

    def finish(self, finished: DataFrame) -> None:
        """Replaces the rows by ``finished`` ones; call after the last of the other tables.

        Raises:
            TableError: ``finished`` has other columns.
        """
        self._replace(finished)

    def _replace(self, rows: DataFrame | None) -> None:
        spark, schema = self.tables.spark, self.table.schema
        frame = spark.createDataFrame([], schema) if rows is None else rows
        self.tables.replace(self.table, frame, self.scope)
