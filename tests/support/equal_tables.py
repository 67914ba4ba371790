"""Whether two runs of the pipeline, perhaps on two platforms, made the same tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from crossic_etl.schemas import DOCUMENTS, EMBEDDINGS, NEIGHBOURS, REVERSE_NEIGHBOURS, RUNS
from tests.support.table_hashes import COMPARED, row_hash, row_hashes

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from crossic_etl.tables import Tables


def assert_same(actual: Tables, expected: Tables) -> None:
    """Every row of every table, each number to its last bit; of ``runs`` what they counted."""
    compared = (*COMPARED, EMBEDDINGS, NEIGHBOURS, REVERSE_NEIGHBOURS)
    hashes, wanted = row_hashes(actual, compared), row_hashes(expected, compared)
    empty = [name for name, (rows, _) in wanted.items() if not rows]
    assert not empty, f"no {', '.join(empty)}"
    other = [name for name in wanted if hashes[name] != wanted[name]]
    assert not other, f"rows of {', '.join(other)}"
    for comparable in (documents, runs):
        rows, hashed = row_hash(comparable(expected))
        assert rows > 0, f"no {comparable.__name__}"
        assert row_hash(comparable(actual)) == (rows, hashed), f"rows of {comparable.__name__}"


def documents(tables: Tables) -> DataFrame:
    """The file without its folder, which differs between two copies of the input."""
    name = F.element_at(F.split("file", "/"), -1)
    return tables.read(DOCUMENTS).withColumn("file", name)


def runs(tables: Tables) -> DataFrame:
    dropped = F.array_sort(F.map_entries("dropped"))
    counts = ("job", "state", "rows_in", "rows_used", "rows_out", "code_version")
    return tables.read(RUNS).select(*counts, dropped.alias("dropped"))
