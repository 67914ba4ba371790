"""The only reader and writer of tables."""

from crossic_etl.tables.columns import Scope, TableError
from crossic_etl.tables.delta import Tables
from crossic_etl.tables.staging import Chunk

__all__ = ["Chunk", "Scope", "TableError", "Tables"]
