"""Reads and writes tables; no other package does."""

from crossic_etl.tables.columns import Scope, TableError
from crossic_etl.tables.counting import ROWS
from crossic_etl.tables.delta import Tables
from crossic_etl.tables.staging import Chunk

__all__ = ["ROWS", "Chunk", "Scope", "TableError", "Tables"]
