from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crossic_etl.config.errors import ConfigError
from crossic_etl.java.jars import JARS_FOLDER, delta_jars
from crossic_etl.session import CLASS_PATH, check_java, get_session, local_settings

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


def test_delta_is_on_the_class_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("b.jar", "a.jar", "notes.txt"):
        (tmp_path / name).touch()
    monkeypatch.setenv(JARS_FOLDER, str(tmp_path))
    settings = local_settings(1)
    assert settings[CLASS_PATH] == f"{tmp_path / 'a.jar'}:{tmp_path / 'b.jar'}"
    assert "spark.jars.packages" not in settings


def test_spark_fetches_two_jars_where_it_has_its_own_repositories(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv(JARS_FOLDER, raising=False)
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", "--repositories https://host/ pyspark-shell")
    settings = local_settings(1)
    assert settings["spark.jars.packages"] == "io.delta:delta-spark_4.1_2.13:4.4.0"
    assert "io.unitycatalog:*" in settings["spark.jars.excludes"]
    assert CLASS_PATH not in settings


def test_java_that_ends_while_it_fetches_jars_is_told_of_other_ways(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\nexit 1\n")
    java.chmod(0o755)
    program = """
from crossic_etl import session
session.jars = lambda: {"spark.jars.packages": session.DELTA_PACKAGE}
session.get_session()
"""
    own = {"JAVA_HOME": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])}
    ended = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | own, capture_output=True, text=True
    )
    last = ended.stderr.splitlines()[-1]
    assert "UnfitSettingError: Java ended before Spark had started" in last
    assert "DEFAULT_ARTIFACT_REPOSITORY" in last and "CROSSIC_ETL_JARS" in last


@pytest.mark.slow
def test_the_second_session_maps_the_archive_that_the_first_one_left(tmp_path: Path) -> None:
    folder, cache = tmp_path / "jars", tmp_path / "crossic-etl"
    folder.mkdir()
    for jar in delta_jars():
        (folder / jar.name).symlink_to(jar)
    program = """
from pathlib import Path
from crossic_etl.session import get_session
spark = get_session(brief=True)
maps = Path(f"/proc/{spark.sparkContext._gateway.proc.pid}/maps").read_text()
print(sorted({line.split()[-1] for line in maps.splitlines() if "crossic" in line}))
spark.range(3).write.format("delta").save(f"{spark.conf.get('spark.sql.warehouse.dir')}/t")
"""
    own = {
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "XDG_CACHE_HOME": str(tmp_path),
        "CROSSIC_ETL_JARS": str(folder),
        "TMPDIR": str(tmp_path),
    }

    def start() -> str:
        """What a session prints; ended when Java has ended, which holds the pipe."""
        return subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | own,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    assert start() == "[]\n"
    (new,) = cache.iterdir()
    assert new.suffix == ".new"
    second = start()
    (archive,) = cache.iterdir()
    assert second == f"['{archive}']\n" and archive.suffix == ".jsa"


@pytest.mark.slow
def test_a_session_prints_nothing_as_it_starts(tmp_path: Path) -> None:
    program = "from crossic_etl.session import get_session; get_session(brief=True).stop()"
    own = {"PYTHONPATH": str(Path(__file__).parents[2])}
    ended = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | own, capture_output=True, text=True
    )
    # Java itself prints this one, and has no setting for it; the command line drops it.
    assert ended.stderr == "WARNING: Using incubator modules: jdk.incubator.vector\n"
    assert ended.stdout == ""
