"""Tables that an older version of this package wrote.

A nullable column that a later version added is added when the table is next written, or by the job
``maintain``: files that lack it read as null. A table that differs in any other way is refused. So
is a read before that write: the job that writes the table has to run first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T

from crossic_etl.schemas import NEAR_DUPLICATE_LINKS, Table

if TYPE_CHECKING:
    from crossic_etl.tables import Tables

# Names that older versions gave to tables.
RENAMED: Mapping[str, Table] = {"near_copy_links": NEAR_DUPLICATE_LINKS}


def later_columns(held: T.StructType, table: Table) -> list[T.StructField]:
    """The columns that a table with the schema ``held`` lacks, if all of them may be null.

    Empty where it differs from its contract in anything else.
    """
    wanted = {field.name: field.dataType.simpleString() for field in table.schema}
    lacking = [field for field in table.schema if field.name not in held.names]
    fits = all(wanted.get(field.name) == field.dataType.simpleString() for field in held)
    return lacking if fits and all(field.nullable for field in lacking) else []


def add_later_columns(spark: SparkSession, name: str, table: Table) -> DataFrame:
    """The rows of the table with the SQL identifier ``name``, its `later_columns` added."""
    frame = spark.read.table(name)
    if later := later_columns(frame.schema, table):
        columns = ", ".join(f"`{field.name}` {field.dataType.simpleString()}" for field in later)
        spark.sql(f"ALTER TABLE {name} ADD COLUMNS ({columns})")
        frame = spark.read.table(name)
    return frame


def has_old_name(tables: Tables, old: str) -> bool:
    """Whether there are rows in a table that an older version named so: they are not copied yet."""
    detail = tables.detail(old)
    return detail is not None and detail.numFiles > 0


def copy_renamed(tables: Tables, old: str, table: Table) -> None:
    """Copies the rows of the table with the name ``old``, then empties it.

    A run that dies in between leaves the rows in both; the next one copies them again.

    Raises:
        TableError: the old table has other columns.
    """
    tables.replace(table, tables.spark.read.table(tables.name(old)), {})
    tables.spark.sql(f"TRUNCATE TABLE {tables.name(old)}")
