from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crossic_etl.session import DELTA_PACKAGE, JARS_FOLDER, get_session, local_settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def test_the_session_that_exists_is_taken(spark: SparkSession) -> None:
    assert get_session("another") is spark


def test_our_session_is_in_utc_and_knows_delta(spark: SparkSession) -> None:
    assert spark.conf.get("spark.sql.session.timeZone") == "UTC"
    assert "DeltaSparkSessionExtension" in (spark.conf.get("spark.sql.extensions") or "")


@pytest.mark.parametrize("cores", [1, 3])
def test_a_local_session_is_as_large_as_the_machine(cores: int) -> None:
    settings = local_settings(cores)
    assert settings["spark.master"] == f"local[{cores}]"
    assert settings["spark.sql.shuffle.partitions"] == str(4 * cores)
    assert 1024 <= int(settings["spark.driver.memory"].removesuffix("m")) <= 16384


def test_jars_come_from_maven(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(JARS_FOLDER, raising=False)
    settings = local_settings(1)
    assert settings["spark.jars.packages"] == DELTA_PACKAGE
    assert "spark.jars" not in settings


def test_jars_come_from_a_folder_where_one_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("b.jar", "a.jar", "notes.txt"):
        (tmp_path / name).touch()
    monkeypatch.setenv(JARS_FOLDER, str(tmp_path))
    settings = local_settings(1)
    assert settings["spark.jars"] == f"{tmp_path / 'a.jar'},{tmp_path / 'b.jar'}"
    assert "spark.jars.packages" not in settings
