"""Columns of a table and the rows that a scope names: checks and conditions, without a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from crossic_etl.schemas import Table

# Column to values: the rows that have one of the values in each of the columns.
Scope = Mapping[str, Sequence[str | int]]


class TableError(RuntimeError):
    """A table is missing, or a frame isn't what its contract says."""


def condition(scope: Scope) -> Column:
    """Whether a row is one that ``scope`` names; an empty scope names all rows."""
    fits = F.lit(True)
    for column, values in scope.items():
        fits = fits & F.col(column).isin(list(values))
    return fits


def check_columns(frame: DataFrame, table: Table) -> None:
    """Refuses a frame whose columns or types aren't the table's.

    Nullability isn't compared: Delta keeps it for columns only.

    Raises:
        TableError: names what is missing, what is too many, and what has another type.
    """
    present = {field.name: field.dataType.simpleString() for field in frame.schema}
    wanted = {field.name: field.dataType.simpleString() for field in table.schema}
    wrong = [
        f"{name}: {present.get(name, 'missing')}, should be {wanted.get(name, 'absent')}"
        for name in [*wanted, *(present.keys() - wanted.keys())]
        if present.get(name) != wanted.get(name)
    ]
    if wrong:
        raise TableError(f"table {table.name}: " + "; ".join(wrong))


def declare_columns(table: Table) -> str:
    """The columns of a table as ``CREATE TABLE`` lists them."""
    return ", ".join(
        f"`{field.name}` {field.dataType.simpleString()}{'' if field.nullable else ' NOT NULL'}"
        for field in table.schema
    )


def table_properties(properties: Mapping[str, str]) -> str:
    """The SQL clause that gives a table these properties."""
    pairs = ", ".join(f"'{key}' = '{value}'" for key, value in properties.items())
    return f"TBLPROPERTIES ({pairs})"
