"""Lines of SQL dumps to staged rows, by an extractor that says what a row of the dump becomes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from pyspark.sql import DataFrame
from pyspark.sql import types as T

from crossic_etl.kernels.salvage import salvage_records
from crossic_etl.kernels.sql_dump import columns_of
from crossic_etl.transforms.arrow import Row, each_row
from crossic_etl.transforms.pages import damage_row

# (line, columns of the dumped table in order) -> staged rows
Extract = Callable[[bytes, Sequence[str]], Iterator[Row]]


def parse_sql(
    lines: DataFrame, columns: Sequence[str], extract: Extract, schema: T.StructType
) -> DataFrame:
    """Staged rows of a dump's INSERT lines (``value``, bytes)."""

    def kernel(line: bytes) -> Iterator[Row]:
        return extract(line, columns)

    return lines.mapInArrow(each_row(kernel, schema, "value"), schema)


def salvage_sql(files: DataFrame, lang: str, extract: Extract, schema: T.StructType) -> DataFrame:
    """Staged rows of damaged dumps (``path, content``): all whole rows, and a reject a damage."""

    def kernel(path: str, content: bytes) -> Iterator[Row]:
        head: list[str] = []
        columns: Sequence[str] = ()
        for line, error in salvage_records(content, b"\n"):
            if not line.startswith(b"INSERT"):
                head.append(line.decode("utf-8", "replace"))
            else:
                columns = columns or columns_of("\n".join(head))
                yield from extract(line, columns)
            if error is not None:
                yield {"outcome": "read", "lang": lang, "n": 1}
                yield damage_row(lang, f"{path.rsplit('/', 1)[-1]} {error}", line)

    return files.mapInArrow(each_row(kernel, schema, "path", "content"), schema)
