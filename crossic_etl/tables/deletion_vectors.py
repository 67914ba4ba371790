"""Decides which tables mark replaced rows as deleted, instead of rewriting the files with them.

Deletion vectors save a merge from rewriting the files that it touches. They cost each later read a
job to look for them, and readers outside Spark refuse a table that may have them. So only a table
whose files take long to rewrite gets them, from its first merge as a large table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crossic_etl.tables.columns import table_properties

if TYPE_CHECKING:
    from crossic_etl.tables import Tables

PROPERTY = "delta.enableDeletionVectors"
# Ours: two cores rewrite so many bytes in some seconds.
LARGE_BYTES = 2**27


def mark_if_large(tables: Tables, name: str) -> None:
    """Turns deletion vectors on for a table of `LARGE_BYTES` or more that hasn't them yet."""
    if tables.bytes_on_disk(name) < LARGE_BYTES:
        return
    detail = tables.detail(name)
    if detail is None or detail.sizeInBytes < LARGE_BYTES or PROPERTY in detail.properties:
        return
    on = table_properties({PROPERTY: "true"})
    tables.spark.sql(f"ALTER TABLE {tables.name(name)} SET {on}")
