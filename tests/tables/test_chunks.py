"""Passes that are staged in chunks: which there are, and what a run that died leaves of them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossic_etl.tables import Chunk, Tables
from crossic_etl.tables.chunks import MOST, make_chunks, stage_chunks
from tests.support.killed_runs import Killed

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession


@pytest.mark.parametrize(
    ("sizes", "least", "most", "chunks"),
    [
        ({}, 5, 3, [[]]),
        ({"a": 1, "b": 1}, 5, 3, [["a", "b"]]),
        ({"a": 5, "b": 1, "c": 4, "d": 1}, 5, 3, [["a"], ["b", "c"], ["d"]]),
        ({"a": 50, "b": 1, "c": 1}, 5, 1, [["a", "b", "c"]]),
        ({"ชา": 0, "น้ำ": 0}, 5, 3, [["ชา", "น้ำ"]]),
    ],
)
def test_chunks_are_filled_one_after_the_other(
    sizes: dict[str, int], least: int, most: int, chunks: list[list[str]]
) -> None:
    assert make_chunks(sizes, least, most) == chunks


@given(
    st.dictionaries(st.text(max_size=3), st.integers(0, 10**12), max_size=300),
    st.integers(1, 10**12),
)
def test_each_thing_is_in_one_chunk_in_order_and_chunks_are_few(
    sizes: dict[str, int], least: int
) -> None:
    chunks = make_chunks(sizes, least)
    assert [name for chunk in chunks for name in chunk] == list(sizes)
    assert len(chunks) <= MOST + 1
    assert all(sum(sizes[name] for name in chunk) >= least for chunk in chunks[:-1])


@pytest.fixture
def tables(spark: SparkSession, tmp_path: Path) -> Tables:
    return Tables(spark, str(tmp_path))


def stage_letters(tables: Tables, letters: str, dies_at: str = "", made_of: str = "x") -> str:
    """Stages a row for each letter; those that were staged before this run's end."""
    staged = []

    def stage(letter: str, chunk: Chunk | None) -> DataFrame:
        if letter == dies_at:
            raise Killed
        staged.append(letter)
        frame = tables.spark.createDataFrame([(letter,)], "letter string")
        return tables.stage("letters", frame, chunk)

    try:
        stage_chunks(tables, "letters", [made_of], letters, stage)
    except Killed:
        assert dies_at
    else:
        assert not dies_at
        assert sorted(row.letter for row in tables.staged("letters").collect()) == sorted(letters)
    return "".join(staged)


def test_a_run_goes_on_after_the_chunks_that_one_which_died_has_left(
    tables: Tables, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="crossic_etl")
    assert stage_letters(tables, "abc", dies_at="b") == "a"
    assert stage_letters(tables, "abc", dies_at="c") == "b"
    caplog.clear()
    assert stage_letters(tables, "abc") == "c"
    first, second = caplog.messages
    assert first == "letters: 2 of 3 chunks are there, staged by a run that died"
    assert second.startswith("letters: chunk 3 of 3 staged, ")
    assert stage_letters(tables, "abc") == ""


def start_with_other_things(tables: Tables) -> str:
    return stage_letters(tables, "ab", made_of="y")


def start_with_other_parts(tables: Tables) -> str:
    return stage_letters(tables, "abc")[:2]


def start_after_an_end(tables: Tables) -> str:
    assert stage_letters(tables, "ab") == "b"
    tables.unstage("letters")
    return stage_letters(tables, "ab")


def start_after_a_pass_without_chunks(tables: Tables) -> str:
    assert stage_letters(tables, "z") == "z"
    return stage_letters(tables, "ab")


@pytest.mark.parametrize(
    "start",
    [
        start_with_other_things,
        start_with_other_parts,
        start_after_an_end,
        start_after_a_pass_without_chunks,
    ],
)
def test_what_other_passes_left_is_written_over(
    tables: Tables, start: Callable[[Tables], str]
) -> None:
    stage_letters(tables, "ab", dies_at="b")
    assert start(tables) == "ab"


def test_a_chunk_that_is_written_twice_is_there_once(tables: Tables) -> None:
    frame = tables.spark.createDataFrame([("a",)], "letter string")
    for number in (0, 1, 1):
        tables.stage("letters", frame, Chunk("s", "m", number))
    assert tables.staged("letters").count() == 2
    assert tables.last_chunk("letters") == Chunk("s", "m", 1)


def test_a_table_of_no_chunk_has_no_last_one(tables: Tables) -> None:
    assert tables.last_chunk("letters") is None
    tables.stage("letters", tables.spark.createDataFrame([("a",)], "letter string"))
    assert tables.last_chunk("letters") is None
