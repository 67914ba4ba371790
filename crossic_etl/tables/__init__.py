"""The only reader and writer of tables."""

from crossic_etl.tables.delta import Scope, TableError, Tables, Unit

__all__ = ["Scope", "TableError", "Tables", "Unit"]
