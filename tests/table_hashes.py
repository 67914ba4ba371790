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
    from crossic_etl.tables import Tables


COMPARED = (PAGES, REDIRECTS, LINKS, PAIRS, SAMPLES, WINDOWS, REJECTS)


def row_hashes(tables: Tables, compared: Sequence[Table] = COMPARED) -> dict[str, tuple[int, int]]:
    """Rows, and the sum of their hashes over all columns, for each table."""
    hashes = {}
    for table in compared:
        row = F.xxhash64(F.to_json(F.struct(*table.columns), {"ignoreNullFields": "false"}))
        total = F.sum(row.cast("decimal(38,0)"))
        (found,) = tables.read(table).agg(F.count("*").alias("n"), total.alias("sum")).collect()
        hashes[table.name] = (found["n"], int(found["sum"] or 0))
    return hashes
