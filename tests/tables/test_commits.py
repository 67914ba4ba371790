from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crossic_etl.tables.commits import (
    Commit,
    last_write,
    newest_commits,
    read_fingerprints,
    write_fingerprints,
)

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ('{"settings_fingerprints": {"th": "a"}}', {"th": "a"}),
        ('{"made_with": {"th": "a", "en": "b"}}', {"th": "a", "en": "b"}),  # of an older version
        ('{"settings_fingerprints": {}}', {}),
        ('{"other": 1}', {}),
        ('["made_with"]', {}),
        ('{"made_with": null}', {}),
        ("somebody else's", {}),
        ("", {}),
        (None, {}),
    ],
)
def test_fingerprints_are_read_from_what_a_transaction_says(
    metadata: str | None, expected: dict[str, str]
) -> None:
    assert read_fingerprints(metadata) == expected


def test_fingerprints_are_written_as_they_are_read() -> None:
    parts = {"th": "a", "mix qwen2.5 8 padded": "b"}
    assert read_fingerprints(write_fingerprints(parts)) == parts


OPERATIONS = ["WRITE", "OPTIMIZE", "VACUUM END"]


def test_the_last_write_is_no_upkeep() -> None:
    commits = [Commit(n, operation, None) for n, operation in enumerate(OPERATIONS)]
    assert last_write(commits) == Commit(0, "WRITE", None)
    assert last_write(commits[1:]) == Commit(2, "VACUUM END", None)
    assert last_write([]) is None


def test_a_log_is_read_as_delta_reads_it(spark: SparkSession, tmp_path: Path) -> None:
    folder = tmp_path / "a table"
    frame, name = spark.range(1), f"delta.`{folder}`"
    assert newest_commits(spark, name, folder, 5) == newest_commits(spark, name, None, 5) == []
    frame.write.format("delta").option("userMetadata", "ชา").save(str(folder))
    frame.write.format("delta").mode("append").save(str(folder))
    spark.sql(f"OPTIMIZE {name}")
    read = newest_commits(spark, name, folder, 5)
    assert read == newest_commits(spark, name, None, 5)
    assert [(commit.version, commit.metadata) for commit in read[1:]] == [(1, None), (0, "ชา")]
    assert newest_commits(spark, name, folder, 1) == read[:1]
    (folder / "_delta_log" / "00000000000000000009.json.tmp").touch()
    assert newest_commits(spark, name, folder, 5) == read


def test_a_transaction_that_says_nothing_may_have_changed_rows(tmp_path: Path) -> None:
    (tmp_path / "_delta_log").mkdir()
    (tmp_path / "_delta_log" / "00000000000000000003.json").write_text('{"add": {}}\n')
    assert newest_commits(None, "", tmp_path, 5) == [Commit(3, "WRITE", None)]  # type: ignore[arg-type]
