from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crossic_etl.config.errors import ConfigError
from crossic_etl.session import (
    DELTA_PACKAGE,
    JARS_FOLDER,
    check_java,
    get_session,
    jars,
    local_settings,
)

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


def test_jars_come_from_maven_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(JARS_FOLDER, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    cache = tmp_path / ".ivy2.5.2" / "jars"
    cache.mkdir(parents=True)
    first = cache / "io.delta_delta-spark_4.1_2.13-4.4.0.jar"
    first.touch()
    assert jars() == {"spark.jars.packages": DELTA_PACKAGE}
    second = cache / "io.delta_delta-storage-4.4.0.jar"
    second.touch()
    assert jars() == {"spark.jars": f"{first},{second}"}


def test_a_machine_without_java_is_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(ConfigError, match="Java 17 or 21 is needed and none was found"):
        check_java()
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.touch(mode=0o755)
    check_java()
    monkeypatch.delenv("JAVA_HOME")
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(ConfigError, match="Java 17 or 21"):
        check_java()


def test_jars_come_from_a_folder_where_one_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("b.jar", "a.jar", "notes.txt"):
        (tmp_path / name).touch()
    monkeypatch.setenv(JARS_FOLDER, str(tmp_path))
    settings = local_settings(1)
    assert settings["spark.jars"] == f"{tmp_path / 'a.jar'},{tmp_path / 'b.jar'}"
    assert "spark.jars.packages" not in settings
