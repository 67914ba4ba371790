"""What a table is: its columns, its key, its partitions; and the types that columns have."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import types as T

STRING, INT, LONG, BOOLEAN = T.StringType(), T.IntegerType(), T.LongType(), T.BooleanType()
DOUBLE, TIMESTAMP = T.DoubleType(), T.TimestampType()
TOKENS = T.ArrayType(INT, containsNull=False)
NAMES = T.ArrayType(STRING, containsNull=False)
COUNTS = T.MapType(STRING, LONG, valueContainsNull=False)


@dataclass(frozen=True)
class Nullable:
    """A column's type, where the column may be null."""

    kind: T.DataType


def nullable(kind: T.DataType) -> Nullable:
    """The type of a column that may be null; without it a column never is."""
    return Nullable(kind)


def columns(**types: T.DataType | Nullable) -> T.StructType:
    """Columns in order, by their names; one may be null only where its type is `nullable`."""
    return T.StructType(
        [
            T.StructField(name, kind.kind, True)
            if isinstance(kind, Nullable)
            else T.StructField(name, kind, False)
            for name, kind in types.items()
        ]
    )


@dataclass(frozen=True)
class Table:
    """Contract of one table: its columns, the key that is unique, and its partition columns."""

    name: str
    schema: T.StructType
    key: tuple[str, ...]
    partition_by: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        """Names of the columns in order."""
        return self.schema.fieldNames()
