"""The job on tables that jobs made: as they are, damaged, and of real dumps."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crossic_etl.expectations.verify import Finding, expectations_of, verify_tables
from crossic_etl.schemas import RUNS, TABLES
from crossic_etl.tables import Tables
from crossic_etl.tables.lock import TABLE as LOCK
from crossic_etl.tables.staging import FOLDER
from tests.support.commands import verify as main

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.shared_run("shared_tables")

# What to do to tables, and what must be found then: table, expectation, an example.
DAMAGES = {
    "DELETE FROM {pages} WHERE lang = 'en' AND title = 'Ice'": [
        ("links", "a link by item comes from a page that is there", "en/3/th/qid"),
        ("pairs", "both its pages are there, with those titles", ""),
        ("samples", "its documents are there", "en-first/qwen2.5/wikipedia/"),
    ],
    "UPDATE {samples} SET en_text = concat(en_text, 'x')"
    " WHERE arrangement = 'mix' AND en_source_id = 'en:1' AND segment = 0": [
        (
            "samples",
            "its segments, joined, are the texts",
            "mix/qwen2.5/wikipedia/",
        ),
    ],
    "DELETE FROM {windows} WHERE arrangement = 'en-first' AND position = 0": [
        (
            "windows",
            "a sample is whole in one window, in a mixture at most",
            "en-first/qwen2.5/64/sliding/",
        ),
    ],
    "UPDATE {runs} SET rows_used = rows_used + 1 WHERE job = 'links'": [
        ("runs", "rows in are rows used and rows dropped", ""),
    ],
    "ALTER TABLE {redirects} ADD COLUMNS (more INT)": [
        ("redirects", "columns are the contract's", "more: int, should be absent"),
    ],
}


def test_every_expectation_of_every_table_has_one_name() -> None:
    for table in TABLES.values():
        names = [name for expectation in expectations_of(table) for name in expectation.rules]
        assert len(names) == len(set(names)) >= 2


@pytest.mark.usefixtures("mirror_run")
def test_the_tables_of_a_run_keep_every_expectation(
    mirror_config: Path, mirror_tables: Tables, capsys: pytest.CaptureFixture[str]
) -> None:
    before = mirror_tables.version(RUNS)
    assert main(["--config", str(mirror_config)]) == 0
    root, *lines = capsys.readouterr().out.splitlines()
    assert root == f"root: {mirror_tables.root}"
    assert "verify: windows: its samples are there: ok" in lines
    assert "verify: documents: isn't there" in lines
    assert lines[-1].endswith(" expectations, 0 of them broken or not checked")
    assert all(line.endswith((": ok", ": isn't there")) for line in lines[:-1])
    assert mirror_tables.version(RUNS) == before
    assert {path.name for path in Path(mirror_tables.root).iterdir()} <= {*TABLES, LOCK, FOLDER}


@pytest.mark.usefixtures("mirror_run")
def test_each_damage_is_found(
    mirror_config: Path,
    mirror_tables: Tables,
    spark: SparkSession,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copytree(mirror_tables.root, tmp_path / "tables")
    damaged = Tables(spark, str(tmp_path / "tables"))
    names = {table: damaged.name(table) for table in TABLES}
    for damage in DAMAGES:
        spark.sql(damage.format(**names))
    assert main(["--config", str(mirror_config), "--set", f"root={damaged.root}"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "verify: documents: isn't there" in lines
    skipped = "pages: no page is a redirect too: not checked, for the columns of redirects"
    assert f"verify: {skipped}" in lines
    found = [line for line in lines if "BROKEN" in line]
    expected = [one for of_damage in DAMAGES.values() for one in of_damage]
    for table, expectation, example in expected:
        (line,) = [line for line in found if line.startswith(f"verify: {table}: {expectation}: ")]
        assert example in line
    assert len(found) == len(expected)
    assert lines[-1].endswith(f" expectations, {len(found) + 1} of them broken or not checked")
    again = {line.removeprefix("verify: to look into: ") for line in lines[-len(found) - 2 : -1]}
    assert again == {f"{table}: {expectation}" for table, expectation, _ in expected} | {
        skipped.rpartition(": ")[0]
    }


def test_tables_that_are_not_there_are_named(spark: SparkSession, tmp_path: Path) -> None:
    assert [one.line for one in verify_tables(Tables(spark, str(tmp_path)))] == [
        f"{name}: isn't there" for name in TABLES
    ]


def test_a_root_without_tables_is_an_error(
    spark: SparkSession, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "my.yaml").write_text(f"root: {tmp_path}/typo\nlanguages: [th]\n")
    assert main(["--config", str(tmp_path / "my.yaml")]) == 1
    error = capsys.readouterr().err
    assert error == f"error: there is no table under {tmp_path}/typo: run the pipeline first\n"


def test_the_tables_of_real_dumps_keep_every_expectation(shared_tables: Tables) -> None:
    found = [one for one in verify_tables(shared_tables) if isinstance(one, Finding)]
    assert {one.table for one in found} >= {"pages", "pairs", "samples", "windows", "runs"}
    assert [one.line for one in found if one.broken != 0] == []
