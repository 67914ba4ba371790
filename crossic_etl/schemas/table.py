"""The definition of a table: columns, key, partitions; and the types of columns."""

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
    """The type of a nullable column; other columns are never null."""
    return Nullable(kind)


def columns(**types: T.DataType | Nullable) -> T.StructType:
    """A StructType of columns in order; a column is nullable only if its type is `nullable`."""
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
    """The definition of one table: its columns, its unique key, and its partition columns."""

    name: str
    schema: T.StructType
    key: tuple[str, ...]
    partition_by: tuple[str, ...] = ()

    @property
    def columns(self) -> list[str]:
        """Names of the columns in order."""
        return self.schema.fieldNames()
