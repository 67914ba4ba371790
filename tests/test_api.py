"""The Python API: a run, its counts, and the tables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import crossic_etl
from crossic_etl.config import ConfigError
from crossic_etl.schemas import TABLES
from tests.support.tiny_dumps import write_config

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def test_a_configuration_is_loaded_with_its_overrides(tmp_path: Path) -> None:
    path = write_config(tmp_path)
    config = crossic_etl.load_config(path, ["seed=3", "window.length=128"])
    assert (config.seed, config.window.length) == (3, 128)
    with pytest.raises(ConfigError, match="sed"):
        crossic_etl.load_config(path, ["sed=3"])


def test_what_is_no_part_of_the_package_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="pages"):
        crossic_etl.pages  # type: ignore[attr-defined]  # noqa: B018


def test_jobs_that_are_none_end_before_spark_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def start() -> None:
        raise AssertionError("Spark started")

    monkeypatch.setattr("crossic_etl.session.get_session", start)
    config = crossic_etl.load_config(write_config(tmp_path))
    with pytest.raises(ConfigError, match="pagez"):
        crossic_etl.run(config, jobs=["pagez"])


def test_a_run_gives_its_counts_and_the_tables_can_be_opened(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = crossic_etl.load_config(write_config(tmp_path))
    runs = crossic_etl.run(config, jobs=["pages", "links", "pairs"], spark=spark)
    assert list(runs) == ["pages", "links", "pairs"]
    tables = crossic_etl.open_tables(config.root, spark)
    assert runs["pairs"].rows_out == tables.pairs.count() == tables["pairs"].count() > 0
    assert runs["pages"].rows_in == runs["pages"].used + sum(runs["pages"].dropped.values())
    assert tables.root == str(tmp_path / "tables")
    names = ["pages", "redirects", "links", "pairs", "rejects", "runs"]
    assert set(tables) == set(names) and list(tables) == [one for one in TABLES if one in names]
    assert "pairs" in tables and "windows" not in tables and "pairs" in dir(tables)
    there = ", ".join(tables)
    with pytest.raises(AttributeError, match=f"table 'windows' isn't there yet .*: {there}"):
        tables.windows  # noqa: B018
    with pytest.raises(KeyError, match=f"there is no table 'pears', expected .*: {there}"):
        tables["pears"]
    assert repr(tables) == f"tables under {tables.root}: {there}"

    again = crossic_etl.run(config, jobs=["pairs", "pages"], spark=spark)
    assert [run.nothing_new for run in again.values()] == [True, True]
    assert list(again) == ["pages", "pairs"]
