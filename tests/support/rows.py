"""Rows of tables of which only a few columns matter."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from pyspark.sql import types as T

from crossic_etl.schemas import Table

if TYPE_CHECKING:
    from crossic_etl.tables import Tables

EMPTY: dict[type, Any] = {
    T.StringType: "",
    T.LongType: 0,
    T.IntegerType: 0,
    T.DoubleType: 0.0,
    T.FloatType: 0.0,
    T.BooleanType: False,
    T.MapType: {},
    T.ArrayType: [],
    T.TimestampType: datetime(2026, 1, 1),
}


def row_of(table: Table, /, **given: Any) -> tuple[Any, ...]:
    """A row: what isn't given is null where it may be, else empty."""
    return tuple(
        given.get(field.name, None if field.nullable else EMPTY[type(field.dataType)])
        for field in table.schema
    )


def write_rows(tables: Tables, table: Table, rows: list[dict[str, Any]]) -> None:
    """Replaces all rows of a table."""
    frame = tables.spark.createDataFrame([row_of(table, **row) for row in rows], table.schema)
    tables.replace(table, frame, {})
