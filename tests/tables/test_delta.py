from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from crossic_etl.schemas import PAGES, REDIRECTS, REJECTS, RUNS
from crossic_etl.tables import TableError, Tables
from crossic_etl.tables.columns import check_columns

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Frame = Callable[[str, list[tuple[Any, ...]]], "DataFrame"]
SCHEMA = "lang string, page_id long, title string, target_title string, dump_date string"
ENGLISH = ("en", 1, "Chai", "Tea", "20260101")
THAI = ("th", 2, "ชา", "น้ำชา", "20260101")
ARABIC = ("ar", 3, "الشاي", "شاي", "20260101")


def rows(tables: Tables) -> list[tuple[Any, ...]]:
    return sorted(map(tuple, tables.read(REDIRECTS).collect()))


@pytest.fixture(scope="module")
def filled(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """Redirects of three wikis, to be read only."""
    tables = Tables(spark, str(tmp_path_factory.mktemp("ta`bles [1] ไทย")))
    frame = spark.createDataFrame([ENGLISH, THAI, ARABIC], SCHEMA)
    tables.replace(REDIRECTS, frame, {"lang": ["en", "th", "ar"]})
    return tables


@pytest.mark.parametrize(
    ("root", "expected"),
    [
        ("/data/crossic", "delta.`/data/crossic/pages`"),
        ("/data/crossic/", "delta.`/data/crossic/pages`"),
        ("s3a://bucket/a.b", "delta.`s3a://bucket/a.b/pages`"),
        ("/data/a`b", "delta.`/data/a``b/pages`"),
        ("main.crossic", "main.crossic.pages"),
        ("warehouse/", f"delta.`{Path.cwd()}/warehouse/pages`"),
        ("dbfs:/crossic", "delta.`dbfs:/crossic/pages`"),
    ],
)
def test_a_table_is_named_by_folder_address_or_catalog(root: str, expected: str) -> None:
    tables = Tables(None, root)  # type: ignore[arg-type]
    assert tables.name("pages") == expected


def test_what_is_written_is_read(filled: Tables) -> None:
    assert rows(filled) == [ARABIC, ENGLISH, THAI]


def test_a_scope_selects_its_rows(filled: Tables) -> None:
    chosen = filled.select(REDIRECTS, {"lang": ["th", "en"], "page_id": [2, 3]})
    assert [tuple(row) for row in chosen.collect()] == [THAI]


def test_a_table_is_partitioned_and_never_null_as_its_contract_says(filled: Tables) -> None:
    details = filled.spark.sql(f"DESCRIBE DETAIL {filled.name('redirects')}").collect()[0]
    assert (details["format"], details["partitionColumns"]) == ("delta", ["lang"])
    with pytest.raises(Exception, match="title_is_there"):
        filled.replace(
            REDIRECTS,
            filled.spark.createDataFrame([("ja", 4, None, "茶", "20260101")], SCHEMA),
            {"lang": ["ja"]},
        )
    assert rows(filled) == [ARABIC, ENGLISH, THAI]


def test_a_table_that_is_not_there_says_what_to_do(filled: Tables) -> None:
    with pytest.raises(
        TableError, match=r"table pages isn't there yet under .*: run its job first"
    ):
        filled.read(PAGES)


def test_a_frame_with_wrong_columns_is_refused_and_nothing_is_written(
    filled: Tables, frame: Frame
) -> None:
    wrong = frame("lang string, page_id int, title string, extra int", [("en", 1, "a", 5)])
    with pytest.raises(TableError) as refused:
        filled.replace(REDIRECTS, wrong, {"lang": ["en"]})
    assert str(refused.value) == (
        "table redirects: page_id: int, should be bigint; target_title: missing, should be string; "
        "dump_date: missing, should be string; extra: int, should be absent"
    )
    assert rows(filled) == [ARABIC, ENGLISH, THAI]


def test_columns_in_another_order_pass(frame: Frame) -> None:
    columns = "title string, lang string, page_id long, dump_date string, target_title string"
    check_columns(frame(columns, []), REDIRECTS)


def test_rows_outside_the_scope_are_refused_and_nothing_is_written(
    filled: Tables, frame: Frame
) -> None:
    with pytest.raises(Exception, match="REPLACE_WHERE_MISMATCH"):
        filled.replace(
            REDIRECTS, frame(SCHEMA, [ENGLISH, ("ja", 4, "a", "b", "c")]), {"lang": ["en"]}
        )
    assert rows(filled) == [ARABIC, ENGLISH, THAI]


def test_a_scope_is_replaced_whole_and_the_others_are_left_alone(
    spark: SparkSession, frame: Frame, tmp_path: Path
) -> None:
    tables = Tables(spark, str(tmp_path))
    tables.replace(REDIRECTS, frame(SCHEMA, [ENGLISH, THAI]), {"lang": ["en", "th"]})
    first = tables.version(REDIRECTS)
    newer = ("th", 5, "ใบชา", "น้ำชา", "20260201")
    tables.replace(REDIRECTS, frame(SCHEMA, [newer]), {"lang": ["th"]})
    assert rows(tables) == [ENGLISH, newer]
    assert tables.version(REDIRECTS) == first + 1
    tables.replace(REDIRECTS, frame(SCHEMA, []), {"lang": ["th", "ja"]})
    assert rows(tables) == [ENGLISH]


def test_rows_are_merged_by_their_key_in_one_transaction(
    spark: SparkSession, frame: Frame, tmp_path: Path
) -> None:
    tables = Tables(spark, str(tmp_path / "ta`bles [1] ไทย"))
    assert tables.select_if_there(REDIRECTS, {"lang": ["en"]}).collect() == []
    tables.merge(REDIRECTS, frame(SCHEMA, [ENGLISH, THAI]), frame("lang string, title string", []))
    first = tables.version(REDIRECTS)
    gone = frame("lang string, title string", [("en", "Chai"), ("en", "never there")])
    moved = ("th", 2, "ชา", "ใบชา", "20260201")
    tables.merge(REDIRECTS, frame(SCHEMA, [moved, ARABIC]), gone)
    assert rows(tables) == [ARABIC, moved]
    assert tables.version(REDIRECTS) == first + 1


def test_an_update_writes_what_differs_and_removes_what_is_gone(
    spark: SparkSession, frame: Frame, tmp_path: Path
) -> None:
    tables, scope = Tables(spark, str(tmp_path)), {"lang": ["en", "th"]}
    tables.update(REDIRECTS, frame(SCHEMA, [ENGLISH, THAI, ARABIC]), scope)
    first = tables.version(REDIRECTS)
    later = (*THAI[:-1], "20270101")
    tables.update(REDIRECTS, frame(SCHEMA, [ENGLISH, later]), scope, ignored=["dump_date"])
    assert (rows(tables), tables.version(REDIRECTS)) == ([ARABIC, ENGLISH, THAI], first)
    moved = ("th", 2, "ชา", "ใบชา", "20270101")
    tables.update(REDIRECTS, frame(SCHEMA, [moved]), scope, ignored=["dump_date"])
    assert (rows(tables), tables.version(REDIRECTS)) == ([ARABIC, moved], first + 1)


def test_the_transaction_says_what_made_the_rows(
    spark: SparkSession, frame: Frame, tmp_path: Path
) -> None:
    tables = Tables(spark, str(tmp_path))
    assert tables.settings_fingerprints(REDIRECTS) == {}
    tables.replace(REDIRECTS, frame(SCHEMA, [ENGLISH]), {"lang": ["en"]}, {"en": "a"})
    gone = frame("lang string, title string", [])
    tables.merge(REDIRECTS, frame(SCHEMA, [THAI]), gone, {"th": "b"})
    assert tables.settings_fingerprints(REDIRECTS) == {"en": "a", "th": "b"}
    version = tables.version(REDIRECTS)
    spark.sql(f"OPTIMIZE {tables.name('redirects')}")
    assert (tables.settings_fingerprints(REDIRECTS), tables.version(REDIRECTS)) == (
        {"en": "a", "th": "b"},
        version,
    )
    spark.sql(f"DELETE FROM {tables.name('redirects')} WHERE lang = 'th'")  # by somebody else
    assert tables.settings_fingerprints(REDIRECTS) == {}


def test_a_merge_without_rows_keeps_the_version(filled: Tables, frame: Frame) -> None:
    before = filled.version(REDIRECTS)
    filled.merge(REDIRECTS, frame(SCHEMA, []), frame("lang string, title string", []))
    assert filled.version(REDIRECTS) == before


def test_a_merge_of_a_frame_with_wrong_columns_is_refused(filled: Tables, frame: Frame) -> None:
    with pytest.raises(TableError, match="page_id: missing, should be bigint"):
        filled.merge(REDIRECTS, frame("lang string, title string", []), frame("lang string", []))


@pytest.fixture
def schema(spark: SparkSession) -> Iterator[str]:
    spark.sql("CREATE SCHEMA crossic_tests")
    yield "spark_catalog.crossic_tests"
    spark.sql("DROP SCHEMA crossic_tests CASCADE")


def test_tables_may_be_in_a_catalog(spark: SparkSession, frame: Frame, schema: str) -> None:
    tables = Tables(spark, schema)
    with pytest.raises(TableError, match=f"table redirects isn't there yet under {schema}"):
        tables.read(REDIRECTS)
    tables.replace(REDIRECTS, frame(SCHEMA, [THAI]), {"lang": ["th"]})
    assert rows(tables) == [THAI]


def test_rejects_of_one_table_and_language_are_replaced(
    spark: SparkSession, frame: Frame, tmp_path: Path
) -> None:
    tables, columns = (
        Tables(spark, str(tmp_path)),
        ", ".join(f"{c} string" for c in REJECTS.columns),
    )
    kept = [("pages", "th", "1", "cut", "หน้า"), ("links", "en", "1", "sql", "x")]
    tables.replace_rejects("links", frame(columns, kept[1:]), ["en"])
    tables.replace_rejects(
        "pages", frame(columns, [("pages", "en", "9", "xml", ""), kept[0]]), ["en", "th"]
    )
    tables.replace_rejects("pages", frame(columns, []), ["en", "ja"])
    assert sorted(map(tuple, tables.read(REJECTS).collect())) == sorted(kept)


def test_runs_are_added(spark: SparkSession, tmp_path: Path) -> None:
    tables = Tables(spark, str(tmp_path))
    row = dict.fromkeys(RUNS.columns, 1) | {
        "run_id": "a", "job": "pages", "state": "done", "started": datetime(2026, 1, 1),
        "seconds": 0.5, "config_hash": "", "code_version": "", "error": None,
        "settings": "{}", "inputs": "{}", "output_versions": {},
        "input_versions": {}, "dropped": {"cut": 2}, "metrics": {},
    }  # fmt: skip
    tables.append_run(row)
    tables.append_run(row | {"run_id": "b", "error": "no dump"})
    actual = {r.run_id: (r.error, r.dropped) for r in tables.read(RUNS).collect()}
    assert actual == {"a": (None, {"cut": 2}), "b": ("no dump", {"cut": 2})}


def test_what_a_job_stages_replaces_what_it_staged_before(
    spark: SparkSession, frame: Frame, tmp_path: Path
) -> None:
    tables = Tables(spark, str(tmp_path))
    tables.stage("pages", frame("old long", [(1,), (2,)]))
    staged = tables.stage("pages", frame("outcome string", [("น้ำชา",)]))
    assert [tuple(row) for row in staged.collect()] == [("น้ำชา",)]
    tables.unstage("pages")
    assert list((tmp_path / "_staging").iterdir()) == []


@pytest.mark.parametrize(
    "left", ["_delta_log/.00000000000000000000.json.1.tmp", "lang=en/1.parquet"]
)
def test_a_folder_in_which_a_first_transaction_died_becomes_a_table(
    spark: SparkSession, frame: Frame, tmp_path: Path, left: str
) -> None:
    tables = Tables(spark, str(tmp_path))
    (tmp_path / "rejects" / left).parent.mkdir(parents=True)
    (tmp_path / "rejects" / left).write_bytes(b"cut")
    columns = ", ".join(f"{c} string" for c in REJECTS.columns)
    row = ("pages", "en", "9", "xml", "")
    tables.replace(REJECTS, frame(columns, [row]), {"table": ["pages"]})
    assert [tuple(found) for found in tables.read(REJECTS).collect()] == [row]
    detail = tables.detail("rejects")
    assert detail is not None
    assert detail.partitionColumns == list(REJECTS.partition_by)
    assert detail.properties["delta.constraints.key_is_there"] == "`key` IS NOT NULL"
