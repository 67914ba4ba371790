"""The tables of a report, each where it is there, and rows from them under a stated cap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame

from crossic_etl.schemas import Table
from crossic_etl.tables import Tables

# Of a frame that a section has aggregated: languages times arrangements times bins are far fewer.
MOST_ROWS = 20_000


@dataclass(frozen=True)
class Source:
    """Where a report's sections take their numbers from.

    Attributes:
        seed: of the samples that are picked by a hash.
        most_samples: to read, of each language and arrangement.
    """

    tables: Tables
    seed: int
    most_samples: int

    def find(self, table: Table) -> DataFrame | None:
        """A table's rows; None where it isn't there yet."""
        return self.tables.find(table)


def collect(frame: DataFrame, order: list[str] | None = None) -> list[dict[str, Any]]:
    """The rows of a small frame, `MOST_ROWS` at most."""
    ordered = frame.orderBy(*order) if order else frame
    return [row.asDict(recursive=True) for row in ordered.limit(MOST_ROWS).collect()]
