"""Creates a table together with its first rows, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import DataFrame

from crossic_etl.schemas import Table

# ``runs`` and exports name table versions that they read, and the log has the settings'
# fingerprints. Without them the next month's run would make all rows again.
LOG_DAYS = 100
PROPERTIES = {"delta.logRetentionDuration": f"interval {LOG_DAYS} days"}
_CONSTRAINT = "delta.constraints.{}_is_there"


def table_options(table: Table) -> dict[str, str]:
    """The properties of a new table: how long its log is kept, and which columns are never null.

    A frame's columns can't be declared NOT NULL as it is written: Delta would need a transaction
    more for that. A constraint that is a property does the same.
    """
    never_null = [field.name for field in table.schema if not field.nullable]
    return PROPERTIES | {_CONSTRAINT.format(name): f"`{name}` IS NOT NULL" for name in never_null}


def create_table(
    frame: DataFrame,
    name: str,
    path: str | None,
    table: Table,
    metadata: str | None = None,
) -> None:
    """Creates a table that doesn't exist with a frame's rows.

    A writer with a path also starts the log of a folder whose first transaction was never
    completed. Delta's SQL takes such a folder for a table.

    Args:
        frame: the rows, with the table's columns.
        name: the table's SQL identifier.
        path: its folder or URL; None for a table in a catalog.
        table: its definition.
        metadata: user metadata of the transaction.
    """
    options = table_options(table)
    if metadata is not None:
        options["userMetadata"] = metadata
    write_first(frame.select(table.columns), name, path, options, table.partition_by)


def write_first(
    frame: DataFrame,
    name: str,
    path: str | None,
    options: Mapping[str, str],
    partition_by: tuple[str, ...] = (),
) -> None:
    """Writes the first rows of a Delta table with these properties and write options."""
    writer = frame.write.format("delta").mode("append").options(**options)
    if partition_by:
        writer = writer.partitionBy(*partition_by)
    if path is None:
        writer.saveAsTable(name)
    else:
        writer.save(path)
