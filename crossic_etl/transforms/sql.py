"""Turns lines of SQL dumps into staged rows, with an extractor for each dumped table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import types as T

from crossic_etl.kernels.wiki.salvage import salvage_records
from crossic_etl.kernels.wiki.sql_dump import columns_of
from crossic_etl.transforms.arrow import Row, each_row
from crossic_etl.transforms.outcomes import damage_row

# How a line with rows begins; in some dumps each row has a line of its own.
_ROWS = (b"INSERT", b"REPLACE", b"(")

# (line, columns of the dumped table in order) -> staged rows
Extract = Callable[[bytes, Sequence[str]], Iterator[Row]]


@dataclass(frozen=True)
class SqlTable:
    """How to read a wiki's dump of one table: the columns it must have, and the extractor."""

    lang: str
    columns: tuple[str, ...]
    extract: Extract
    schema: T.StructType


def parse_sql(lines: DataFrame, columns: Sequence[str], table: SqlTable) -> DataFrame:
    """Staged rows of a dump's INSERTs (``value``, bytes); ``columns`` in the dump's order."""
    extract = table.extract

    def kernel(line: bytes) -> Iterator[Row]:
        return extract(line, columns)

    return lines.mapInArrow(each_row(kernel, table.schema, "value"), table.schema)


def salvage_sql(files: DataFrame, table: SqlTable) -> DataFrame:
    """Staged rows of damaged dumps (``path, content``): whole rows, and a reject a damage."""
    lang, extract, wanted = table.lang, table.extract, table.columns

    def kernel(path: str, content: bytes) -> Iterator[Row]:
        name = path.rsplit("/", 1)[-1]
        head: list[str] = []
        columns: Sequence[str] = ()

        def damage(error: str, raw: bytes) -> Iterator[Row]:
            yield {"outcome": "read", "lang": lang, "n": 1}
            yield damage_row(lang, f"{name} {error}", raw)

        for line, error in salvage_records(content, b"\n"):
            if not line.lstrip().startswith(_ROWS):
                head.append(line.decode("utf-8", "replace"))
            else:
                columns = columns or _columns("\n".join(head), wanted)
                if not columns:
                    yield from damage("has lost its CREATE TABLE", line)
                    return
                yield from extract(line, columns)
            if error is not None:
                yield from damage(error, line)

    return files.mapInArrow(each_row(kernel, table.schema, "path", "content"), table.schema)


def _columns(head: str, wanted: Sequence[str]) -> Sequence[str]:
    """The columns named in the dump's head; none if it is broken or lacks a wanted one."""
    try:
        columns = columns_of(head)
    except ValueError:
        return ()
    return columns if set(wanted) <= set(columns) else ()
