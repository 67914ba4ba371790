"""The tables that a report reads, and the rows of small frames up to a limit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from crossic_etl.schemas import RUNS, Table
from crossic_etl.tables import Tables

# Rows of an aggregated frame: languages times arrangements times bins are far fewer.
MOST_ROWS = 20_000
# The newest ones; older ones are not shown.
MOST_RUNS = 500


@dataclass(frozen=True)
class ReportSource:
    """The tables and settings that a report's sections are made of.

    Attributes:
        tables: of the root.
        seed: of the hash by which samples are chosen.
        most_samples: limit of samples to read, of each language and arrangement.
    """

    tables: Tables
    seed: int
    most_samples: int

    def find(self, table: Table) -> DataFrame | None:
        """A table's rows; None if the table doesn't exist yet."""
        return self.tables.find(table)

    @cached_property
    def runs(self) -> list[dict[str, Any]]:
        """The newest rows of ``runs``, newest first; empty if there is no such table."""
        runs = self.find(RUNS)
        if runs is None:
            return []
        return collect(runs.orderBy(F.desc("started"), "run_id").limit(MOST_RUNS))


def collect(frame: DataFrame, order: list[str] | None = None) -> list[dict[str, Any]]:
    """The rows of a small frame, `MOST_ROWS` at most."""
    ordered = frame.orderBy(*order) if order else frame
    return [row.asDict(recursive=True) for row in ordered.limit(MOST_ROWS).collect()]
