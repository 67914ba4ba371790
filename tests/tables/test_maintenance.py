from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pyspark.sql import functions as F

from crossic_etl.config import ConfigError
from crossic_etl.config.maintenance import Maintain
from crossic_etl.pipeline.flow import scratch_names
from crossic_etl.schemas import REDIRECTS, RUNS, TABLES, WINDOWS
from crossic_etl.tables import Tables
from crossic_etl.tables import maintenance as upkeep
from crossic_etl.tables.lock import Lock
from crossic_etl.tables.maintenance import CHECK, ORDERS, maintain_tables
from tests.support.commands import maintain as main
from tests.support.rows import row_of
from tests.support.spark_settings import settings
from tests.support.table_hashes import row_hash

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROOT = Path(__file__).resolve().parents[2]


def write(tables: Tables, ids: list[int]) -> None:
    """One more file for each language: even ids are English, odd ones Thai."""
    rows = [(("en", "th")[i % 2], i, f"{i}", "Tea", "20260101") for i in ids]
    frame = tables.spark.createDataFrame(rows, REDIRECTS.schema).coalesce(1)
    tables.replace(REDIRECTS, frame, {"page_id": ids})


def append_run(tables: Tables, run_id: str) -> None:
    values = row_of(RUNS, run_id=run_id, started=datetime(2026, 1, 1))
    tables.append_run(dict(zip(RUNS.columns, values, strict=True)))


def lines(tables: Tables, hours: int = 168, dry_run: bool = False) -> list[str]:
    with settings(tables.spark, {"spark.sql.shuffle.partitions": "1"}):
        reports = list(maintain_tables(tables, Maintain(hours), ("links", "pages"), dry_run))
    return [re.sub(r" of [\d,]+ bytes", "", report.line) for report in reports]


def files(tables: Tables, table: str) -> list[Path]:
    found = (Path(tables.root) / table).rglob("*.parquet")
    return [path for path in found if "_delta_log" not in path.parts]


@pytest.fixture
def few_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking for each table takes its time."""
    monkeypatch.setattr(upkeep, "TABLES", {table.name: table for table in (REDIRECTS, RUNS)})


@pytest.mark.usefixtures("few_tables")
def test_upkeep_keeps_the_rows_and_is_done_once(spark: SparkSession, tmp_path: Path) -> None:
    tables = Tables(spark, str(tmp_path / "ta`bles"))
    write(tables, [0, 1])
    write(tables, [2, 4])
    tables.stage("pages", spark.createDataFrame([(1,)], "outcome int").coalesce(1))
    Lock(tables).acquire(wait=False)
    old, rows = tables.version(REDIRECTS), row_hash(tables.read(REDIRECTS))
    assert lines(tables, dry_run=True) == [
        "redirects: 3 files; would set retention, would sort by title",
        "writer: 1 file; nothing to do",
        "_staging/pages: 1 file; would empty",
    ]
    assert tables.version(REDIRECTS) == old
    assert lines(tables) == [
        "redirects: 3 files, now 2 files; set retention, sort by title",
        "writer: 1 file; nothing to do",
        "_staging/pages: 1 file, now 0 files; empty",
    ]
    assert row_hash(tables.read(REDIRECTS)) == rows
    assert row_hash(tables.read_version(REDIRECTS, old)) == rows
    after = tables.version(REDIRECTS)
    assert lines(tables) == [
        "redirects: 2 files; nothing to do",
        "writer: 1 file; nothing to do",
    ]
    assert tables.version(REDIRECTS) == after
    with pytest.raises(ConfigError, match="retention_hours: 24 given, expected 168 or more"):
        lines(tables, 24)
    with settings(spark, {CHECK: "false"}):
        assert lines(tables, 0) == [
            "redirects: 2 files, now 2 files; set retention, remove 3 old files",
            "writer: 1 file, now 1 file; remove 1 old file",
        ]
    assert row_hash(tables.read(REDIRECTS)) == rows
    assert [len(files(tables, name)) for name in ("redirects", "_staging")] == [2, 0]


@pytest.mark.usefixtures("few_tables")
def test_the_job_maintains_a_catalog(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str], schema: str
) -> None:
    tables = Tables(spark, schema)
    append_run(tables, "a")
    append_run(tables, "b")
    (tmp_path / "my.yaml").write_text(f"root: {schema}\nlanguages: [th]\n")
    assert main(["--config", str(tmp_path / "my.yaml")]) == 0
    assert re.fullmatch(
        rf"root: {re.escape(schema)}\n"
        r"maintain: runs: 2 files of [\d,]+ bytes, now 1 file of [\d,]+ bytes; "
        r"set retention, pack\nmaintain: writer: 1 file of [\d,]+ bytes; nothing to do\n",
        capsys.readouterr().out,
    )
    assert tables.read(RUNS).agg(F.sort_array(F.collect_list("run_id"))).head(1)[0][0] == ["a", "b"]


@pytest.mark.usefixtures("few_tables")
def test_the_job_is_the_only_writer_of_a_root_that_has_tables(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tables = Tables(spark, str(tmp_path / "tables"))
    (tmp_path / "my.yaml").write_text(f"root: {tables.root}\nlanguages: [th]\n")
    arguments = ["--config", str(tmp_path / "my.yaml"), "--no-wait"]
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert error == f"error: there is no table under {tables.root}: run the pipeline first\n"
    assert not Path(tables.root).exists()
    append_run(tables, "a")
    lock = Lock(tables)
    lock.acquire(wait=False)
    assert main(arguments) == 1
    assert "another run writes under" in capsys.readouterr().err
    assert main([*arguments, "--dry-run"]) == 0
    lock.release()
    assert main(arguments) == 0


@pytest.fixture
def schema(spark: SparkSession) -> Iterator[str]:
    spark.sql("CREATE SCHEMA crossic_upkeep")
    yield "spark_catalog.crossic_upkeep"
    spark.sql("DROP SCHEMA crossic_upkeep CASCADE")


def test_files_are_sorted_by_columns_that_have_statistics() -> None:
    for name, order in ORDERS.items():
        table = TABLES[name]
        assert set(order) <= set(table.columns[:32]) - set(table.partition_by)
    assert WINDOWS.name not in ORDERS


def test_every_scratch_table_is_known() -> None:
    sources = [path.read_text("utf-8") for path in (ROOT / "crossic_etl").rglob("*.py")]
    code = "\n".join(sources)
    named = set(re.findall(r"\.stage(?:_counted)?\(\s*\"(\w+)\"", code))
    for text in sources:
        for constant in re.findall(r"\.stage(?:_counted)?\(\s*([A-Z_]+),", text):
            named |= set(re.findall(rf"^{constant} = \"(\w+)\"", text, re.M))
    updated = set(re.findall(r"(?:tables|self)\.update\(\s*([A-Z_]+)", code))
    changes = {f"changes_of_{table.lower()}" for table in updated}
    assert {"candidates", "pairs", "changes_of_rejects"} <= named | changes
    assert named | changes <= set(scratch_names())
