"""What this process sees of local files is what Spark sees of them."""

from __future__ import annotations

import bz2
import gzip
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pyspark.sql import functions as F

from crossic_etl import driver_files
from crossic_etl.inputs.driver_reading import FileStamp, list_tree, read_start
from crossic_etl.inputs.files import plain_path

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

NAMES = (
    "a.xml", "b c.bz2", "100%.gz", "ไทย.sql", "d#1+2&3.txt", "deep/er/e.xml", "_hidden.xml",
    ".hidden", "_metadata", "part=1/f.xml", "_part=2/g.xml", "_private/h.xml", "i._COPYING_",
)  # fmt: skip


def listed_by_spark(spark: SparkSession, path: str) -> dict[str, FileStamp]:
    listing = spark.read.format("binaryFile").option("recursiveFileLookup", "true").load(path)
    time = F.unix_millis("modificationTime").alias("time")
    rows = listing.select("path", "length", time).collect()
    return {plain_path(row.path): FileStamp(row.length, row.time) for row in rows}


def test_a_folder_is_listed_as_spark_lists_it(spark: SparkSession, tmp_path: Path) -> None:
    for name in NAMES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    (tmp_path / "empty.xml").touch()
    (tmp_path / "empty folder").mkdir()
    found = list_tree(spark, str(tmp_path))
    assert found == listed_by_spark(spark, str(tmp_path))
    assert found is not None and f"file:{tmp_path}/ไทย.sql" in found
    assert list_tree(spark, f"file:{tmp_path}") == found
    one = str(tmp_path / "b c.bz2")
    assert list_tree(spark, one) == listed_by_spark(spark, one)


@pytest.mark.parametrize("path", ["s3a://bucket/x", "hdfs:/x", "/there/is/none", "/tmp/*.xml"])
def test_what_only_spark_can_tell_is_left_to_it(spark: SparkSession, path: str) -> None:
    assert list_tree(spark, path) is None


def test_a_cluster_s_default_file_system_is_not_this_machine_s(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert driver_files.driver_path(spark, str(tmp_path)) == tmp_path
    monkeypatch.setenv("HADOOP_CONF_DIR", "/etc/hadoop")
    assert driver_files.driver_path(spark, str(tmp_path)) is None
    assert driver_files.driver_path(spark, f"file://{tmp_path}") == tmp_path
    monkeypatch.setattr(driver_files, "is_remote", lambda: True)  # a server's disks are its own
    assert driver_files.driver_path(spark, f"file:{tmp_path}") is None


@pytest.mark.parametrize(
    ("name", "pack"), [("a.bz2", bz2.compress), ("a.gz", gzip.compress), ("a.xml", bytes)]
)
def test_the_start_of_a_packed_file_is_read(
    spark: SparkSession, tmp_path: Path, name: str, pack: object
) -> None:
    assert callable(pack)
    (tmp_path / name).write_bytes(pack("ชา".encode() * 1000))
    assert read_start(spark, str(tmp_path / name), 6) == "ชา".encode()
    assert len(read_start(spark, str(tmp_path / name), 10**6) or b"") == 6000


def test_a_damaged_or_missing_file_is_left_to_spark(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "a.bz2").write_bytes(b"no bz2")
    (tmp_path / "b.gz").write_bytes(gzip.compress(b"x" * 10**5)[:-20])
    assert read_start(spark, str(tmp_path / "a.bz2"), 10) is None
    assert read_start(spark, str(tmp_path / "b.gz"), 10**6) is None
    assert read_start(spark, str(tmp_path / "none.gz"), 10) is None
