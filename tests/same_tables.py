"""Whether two runs of the pipeline, perhaps on two platforms, made the same tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from crossic_etl.schemas import DOCUMENTS, EMBEDDINGS, NEIGHBOURS, RUNS, Table
from tests.table_hashes import row_hash, row_hashes

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

    from crossic_etl.tables import Tables

# Two processors may add floats in another order.
TOLERANCE = 1e-5


def assert_same(actual: Tables, expected: Tables) -> None:
    """Every row of every table, floats within a tolerance; of ``runs`` what they counted."""
    assert row_hashes(actual) == row_hashes(expected)
    for comparable in (documents, embeddings, neighbours, runs):
        found, wanted = row_hash(comparable(actual)), row_hash(comparable(expected))
        assert found[0] > 0
        assert found == wanted, comparable.__name__
    apart = F.zip_with("mine.vector", "other.vector", lambda one, other: F.abs(one - other))
    assert differing(actual, expected, EMBEDDINGS, F.array_max(apart) <= TOLERANCE) == 0
    for name in ("cosine", "margin"):
        mine, other = F.col(f"mine.{name}"), F.col(f"other.{name}")
        near = (F.abs(mine - other) <= TOLERANCE) | (mine.isNull() & other.isNull())
        assert differing(actual, expected, NEIGHBOURS, near) == 0, name


def documents(tables: Tables) -> DataFrame:
    """The file without its folder, which differs between two copies of the input."""
    name = F.element_at(F.split("file", "/"), -1)
    score = F.round("lang_score", 4)
    return tables.read(DOCUMENTS).withColumns({"file": name, "lang_score": score})


def embeddings(tables: Tables) -> DataFrame:
    return tables.read(EMBEDDINGS).drop("vector", "half_vector")


def neighbours(tables: Tables) -> DataFrame:
    return tables.read(NEIGHBOURS).drop("cosine", "margin")


def runs(tables: Tables) -> DataFrame:
    dropped = F.array_sort(F.map_entries("dropped"))
    counts = ("job", "state", "rows_in", "rows_used", "rows_out", "code_version")
    return tables.read(RUNS).select(*counts, dropped.alias("dropped"))


def differing(actual: Tables, expected: Tables, table: Table, equal: Column) -> int:
    """Rows of which ``mine`` isn't equal to ``other``, the row of the same key."""
    mine, other = actual.read(table).alias("mine"), expected.read(table).alias("other")
    joined = mine.join(other, on=list(table.key), how="inner")
    return joined.where(~F.coalesce(equal, F.lit(False))).count()
