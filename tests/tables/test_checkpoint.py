"""What the rows of a checkpoint say before, during and after a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from crossic_etl.schemas import REDIRECTS, SEARCHES
from crossic_etl.tables import TableError, Tables
from crossic_etl.tables.checkpoint import Checkpoint

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

THAI = ("th", "model", "1", "{}", 0, 7)
ARABIC = ("ar", "model", "1", "{}", 0, 3)


@pytest.fixture
def tables(spark: SparkSession, tmp_path: Path) -> Tables:
    made = Tables(spark, str(tmp_path))
    made.replace(SEARCHES, frame(made, THAI, ARABIC), {})
    return made


def frame(tables: Tables, *rows: tuple[Any, ...]) -> DataFrame:
    return tables.spark.createDataFrame(list(rows), SEARCHES.schema)


def held(tables: Tables) -> list[tuple[Any, ...]]:
    return sorted(map(tuple, tables.read(SEARCHES).collect()))


def test_begin_removes_the_rows_of_its_scope_alone(tables: Tables) -> None:
    Checkpoint(tables, SEARCHES, {"target_lang": ["th"]}).begin()
    assert held(tables) == [ARABIC]


def test_begin_writes_rows_that_say_that_the_batch_is_unfinished(tables: Tables) -> None:
    unfinished = ("th", "model", "1", "unfinished", 1, 0)
    Checkpoint(tables, SEARCHES, {"target_lang": ["th"]}).begin(frame(tables, unfinished))
    assert held(tables) == [ARABIC, unfinished]


def test_begin_leaves_the_table_as_it_is_where_no_row_becomes_untrue(tables: Tables) -> None:
    before = tables.version(SEARCHES)
    Checkpoint(tables, SEARCHES, {"target_lang": ["th"]}, invalidates=False).begin()
    assert (held(tables), tables.version(SEARCHES)) == ([ARABIC, THAI], before)


def test_a_run_that_dies_after_begin_leaves_no_row_and_finish_writes_it(tables: Tables) -> None:
    checkpoint = Checkpoint(tables, SEARCHES, {"target_lang": ["th"]})
    checkpoint.begin()
    again = Checkpoint(tables, SEARCHES, {"target_lang": ["th"]}, invalidates=False)
    again.begin()
    assert held(tables) == [ARABIC]
    finished = ("th", "model", "1", "{}", 1, 9)
    again.finish(frame(tables, finished))
    assert held(tables) == [ARABIC, finished]


def test_an_empty_scope_names_all_rows(tables: Tables) -> None:
    checkpoint = Checkpoint(tables, SEARCHES, {})
    checkpoint.begin()
    assert held(tables) == []
    checkpoint.finish(frame(tables, THAI))
    assert held(tables) == [THAI]


def test_a_table_that_is_not_there_yet_is_made(spark: SparkSession, tmp_path: Path) -> None:
    tables = Tables(spark, str(tmp_path / "new"))
    Checkpoint(tables, SEARCHES, {"target_lang": ["th"]}).finish(frame(tables, THAI))
    assert held(tables) == [THAI]


def test_rows_of_another_table_are_refused(tables: Tables) -> None:
    rows = tables.spark.createDataFrame([], REDIRECTS.schema)
    with pytest.raises(TableError, match="searches"):
        Checkpoint(tables, SEARCHES, {}).finish(rows)
    assert held(tables) == [ARABIC, THAI]
