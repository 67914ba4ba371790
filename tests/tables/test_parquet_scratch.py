from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crossic_etl.tables import Chunk, Tables
from crossic_etl.tables.parquet_scratch import ParquetScratch

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.fixture
def scratch(spark: SparkSession, tmp_path: Path) -> ParquetScratch:
    found = Tables(spark, str(tmp_path / "a `root` [1] {ไทย}")).scratch
    assert isinstance(found, ParquetScratch)
    return found


def write(scratch: ParquetScratch, letter: str, number: int, staging: str = "s") -> list[str]:
    frame = scratch.spark.createDataFrame([(letter,)], "letter string")
    written = scratch.write("letters", frame, Chunk(staging, "x", number), None)
    return sorted(row.letter for row in written.collect())


def letters(scratch: ParquetScratch) -> list[str]:
    return sorted(row.letter for row in scratch.read("letters").collect())


def test_chunks_are_added_and_the_first_replaces_them(scratch: ParquetScratch) -> None:
    assert write(scratch, "a", 0) == ["a"]
    assert write(scratch, "b", 1) == ["a", "b"]
    assert scratch.last_chunk("letters") == Chunk("s", "x", 1)
    assert write(scratch, "c", 0, "t") == ["c"]
    assert letters(scratch) == ["c"]


def test_a_chunk_that_is_written_twice_is_there_once(scratch: ParquetScratch) -> None:
    write(scratch, "a", 0)
    write(scratch, "b", 1)
    assert write(scratch, "B", 1) == ["B", "a"]


def test_rows_of_a_chunk_whose_writer_died_are_not_read(scratch: ParquetScratch) -> None:
    write(scratch, "a", 0)
    write(scratch, "b", 1)
    (scratch.folder / "letters" / "chunk-00001.json").unlink()
    assert letters(scratch) == ["a"]
    assert scratch.last_chunk("letters") == Chunk("s", "x", 0)


def test_a_writer_that_was_taken_for_dead_adds_nothing_to_another_s_rows(
    scratch: ParquetScratch,
) -> None:
    write(scratch, "a", 0)
    late = scratch.folder / "letters" / "rows-late"
    scratch.spark.createDataFrame([("z",)], "letter string").write.parquet(f"file:{late}")
    assert letters(scratch) == ["a"]


def test_parts_have_folders_and_come_back_with_their_column(scratch: ParquetScratch) -> None:
    frame = scratch.spark.createDataFrame([("a", 0), ("b", 1)], "letter string, part int")
    written = scratch.write("letters", frame, None, "part")
    assert sorted((row.letter, row.part) for row in written.collect()) == [("a", 0), ("b", 1)]
    assert written.where("part = 1").count() == 1


def test_no_rows_have_columns_and_clearing_leaves_nothing(scratch: ParquetScratch) -> None:
    empty = scratch.spark.createDataFrame([], "letter string, counts map<string, long>")
    assert scratch.write("letters", empty, None, None).collect() == []
    assert scratch.size("letters")[0] >= 0
    scratch.clear("letters")
    scratch.clear("letters")
    assert scratch.size("letters") == (0, 0)
    assert scratch.last_chunk("letters") is None
