"""Windows of several lengths over the same samples, as these come and go."""

from __future__ import annotations

import logging
from dataclasses import replace
from itertools import pairwise
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

    from pyspark.sql import Row, SparkSession


def write_samples(tables: Tables, lengths: dict[str, int]) -> None:
    """Samples of so many tokens; a name may be ``lang:pair:segment``."""
    parts = {name: (name if ":" in name else f"th:{name}:0").split(":") for name in lengths}
    rows = [
        row_of(
            SAMPLES, sample_id=name, arrangement="en-first", tokenizer="qwen2.5", split="train",
            target_lang=parts[name][0], pair_id=parts[name][1], segment=int(parts[name][2]),
            input_ids=list(range(n)), n_tokens=n,
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


def config_of(tables: Tables, length: int = 32, **window: str) -> Config:
    settings = Window(length, "padded", **window)
    return Config(tables.root, ("ja", "th"), window=settings, shards=1)


def kept(tables: Tables, length: int = 32) -> list[Row]:
    """The windows of a length by generation, shard and position, each key once."""
    rows = tables.read(WINDOWS).where(f"window_length = {length}").collect()
    keys = [tuple(row[name] for name in WINDOWS.key) for row in rows]
    assert len(keys) == len(set(keys))
    return sorted(rows, key=lambda row: (row.generation, row.shard, row.position))


def names(rows: list[Row]) -> list[list[str]]:
    return [row.sample_ids for row in rows]


def all_names(rows: list[Row]) -> list[str]:
    return sorted(name for row in rows for name in row.sample_ids)


MONTH = {f"{lang}:{pair}:{i}": 10 for lang in ("ja", "th") for pair in "ab" for i in range(4)}


def test_windows_in_another_order_are_made_again_whatever_their_length(
    spark: SparkSession, tmp_path: Path
) -> None:
    tables = Tables(spark, str(tmp_path))
    write_samples(tables, MONTH)
    for length in (64, 32):
        windows.run(spark, config_of(tables, length))
    documents = {length: names(kept(tables, length)) for length in (32, 64)}
    write_samples(tables, {**MONTH, "th:c:0": 10})
    windows.run(spark, config_of(tables))
    assert {row.generation for row in kept(tables)} == {0, 1}
    windows.run(spark, config_of(tables, order="shuffled"))
    for length in (32, 64):
        rows = kept(tables, length)
        assert {row.generation for row in rows} == {0}
        assert all_names(rows) == sorted([*MONTH, "th:c:0"])
        assert names(rows)[:4] != documents[length][:4]
    write_samples(tables, MONTH)
    windows.run(spark, config_of(tables))
    assert {length: names(kept(tables, length)) for length in (32, 64)} == documents


def test_windows_hold_one_language_each_over_the_months(
    spark: SparkSession, tmp_path: Path
) -> None:
    tables = Tables(spark, str(tmp_path))
    separate = config_of(tables, languages="separate")
    write_samples(tables, MONTH)
    windows.run(spark, separate)
    first = kept(tables)
    assert {row.generation for row in first} == {0}
    later = {name: n for name, n in MONTH.items() if not name.startswith("ja:b")}
    later |= {f"{lang}:c:{i}": 10 for lang in ("ja", "th") for i in range(4)}
    write_samples(tables, later)
    windows.run(spark, separate)
    rows = kept(tables)
    assert [len(set(row.sample_langs)) for row in rows] == [1] * len(rows)
    assert all_names(rows) == sorted(later)
    whole = [found for found in names(first) if set(found) <= set(later)]
    assert names([row for row in rows if row.generation == 0]) == whole
    assert {row.sample_langs[0] for row in rows if row.generation == 1} == {"ja", "th"}
    # Of a pair, the segments that come together stay in order.
    for row in rows:
        segments = [name.split(":")[1:] for name in row.sample_ids]
        assert all(a[1] < b[1] for a, b in pairwise(segments) if a[0] == b[0])

    windows.run(spark, replace(separate, window=replace(separate.window, languages="mixed")))
    mixed = kept(tables)
    assert {row.generation for row in mixed} == {0}
    assert all_names(mixed) == sorted(later)
    assert {row.shard for row in mixed} == {0}
