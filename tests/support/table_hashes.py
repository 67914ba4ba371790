"""One number for all rows of a table, whatever their order: equal tables have equal hashes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from crossic_etl.schemas import (
    LINKS,
    PAGES,
    PAIRS,
    REDIRECTS,
    REJECTS,
    SAMPLES,
    WINDOWS,
    Table,
)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from crossic_etl.tables import Tables


COMPARED = (PAGES, REDIRECTS, LINKS, PAIRS, SAMPLES, WINDOWS, REJECTS)


def row_hashes(tables: Tables, compared: Sequence[Table] = COMPARED) -> dict[str, tuple[int, int]]:
    """Rows, and the sum of their hashes over all columns, for each table."""
    return {table.name: row_hash(tables.read(table).select(table.columns)) for table in compared}


def row_hash(frame: DataFrame) -> tuple[int, int]:
    """Rows, and the sum of their hashes over all columns."""
    row = F.xxhash64(F.to_json(F.struct(*frame.columns), {"ignoreNullFields": "false"}))
    total = F.sum(row.cast("decimal(38,0)"))
    (found,) = frame.agg(F.count("*").alias("n"), total.alias("sum")).collect()
    return (found["n"], int(found["sum"] or 0))
