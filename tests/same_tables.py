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
    hashes, wanted = row_hashes(actual), row_hashes(expected)
    other = [name for name in wanted if hashes[name] != wanted[name]]
    assert not other, f"rows of {', '.join(other)}"
    for comparable in (documents, embeddings, neighbours, runs):
        rows, hashed = row_hash(comparable(expected))
        assert rows > 0, f"no {comparable.__name__}"
        assert row_hash(comparable(actual)) == (rows, hashed), f"rows of {comparable.__name__}"
    apart = F.zip_with("mine.vector", "other.vector", lambda one, other: F.abs(one - other))
    far = differing(actual, expected, EMBEDDINGS, F.array_max(apart) <= TOLERANCE)
    assert far == 0, f"{far} vectors of embeddings"
    assert_near_neighbours(actual, expected)


def assert_near_neighbours(actual: Tables, expected: Tables) -> None:
    """Cosines and margins of the neighbours that both have."""
    for name in ("cosine", "margin"):
        mine, other = F.col(f"mine.{name}"), F.col(f"other.{name}")
        near = (F.abs(mine - other) <= TOLERANCE) | (mine.isNull() & other.isNull())
        far = differing(actual, expected, NEIGHBOURS, near)
        assert far == 0, f"{far} times the {name} of neighbours"


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
