"""Windows of several lengths over the same samples, as these come and go."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from crossic_etl.config import Config, ConfigError
from crossic_etl.config.etl import Segment, Window
from crossic_etl.pipeline import windows
from crossic_etl.schemas import SAMPLES, WINDOWS
from crossic_etl.tables import Tables
from tests.support.rows import row_of

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import SparkSession


def write_samples(tables: Tables, lengths: dict[str, int]) -> None:
    """Samples of so many tokens."""
    rows = [
        row_of(
            SAMPLES, sample_id=name, arrangement="en-first", tokenizer="qwen2.5", split="train",
            target_lang="th", input_ids=list(range(n)), n_tokens=n,
        )
        for name, n in lengths.items()
    ]  # fmt: skip
    frame = tables.spark.createDataFrame(rows, SAMPLES.schema)
    tables.replace(SAMPLES, frame, {"arrangement": ["en-first"]})


def whole(tables: Tables) -> dict[int, list[str]]:
    """For each length, the samples that are whole in its windows."""
    found: dict[int, list[str]] = {}
    for row in tables.read(WINDOWS).collect():
        found.setdefault(row.window_length, []).extend(row.sample_ids[: row.n_whole])
    return {length: sorted(names) for length, names in found.items()}


def test_windows_of_another_length_follow_their_samples_or_go(
    spark: SparkSession, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="crossic_etl")
    tables = Tables(spark, str(tmp_path))
    short, long = (
        Config(str(tmp_path), ("th",), window=Window(length), shards=1, segment=Segment(length))
        for length in (32, 64)
    )
    write_samples(tables, {"a": 20, "b": 30})
    windows.run(spark, short)
    windows.run(spark, long)
    assert whole(tables) == {32: ["a", "b"], 64: ["a", "b"]}
    write_samples(tables, {"a": 20, "c": 25})
    windows.run(spark, long)
    assert "windows: those of length 32, policy sliding of en-first follow" in caplog.messages
    assert whole(tables) == {32: ["a", "c"], 64: ["a", "c"]}
    write_samples(tables, {"a": 20, "d": 50})
    windows.run(spark, long)
    assert "of en-first are removed: samples are up to 50 tokens long now" in caplog.messages[-2]
    assert whole(tables) == {64: ["a", "d"]}
    version = tables.version(WINDOWS)
    with pytest.raises(
        ConfigError, match=r"window\.length: 32 given, but samples are up to 50 tokens"
    ):
        windows.run(spark, short)
    assert tables.version(WINDOWS) == version
