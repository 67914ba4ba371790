from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pyspark.sql import types as T

from crossic_etl.config.maintenance import Maintain
from crossic_etl.schemas import NEAR_DUPLICATE_LINKS, REDIRECTS, SAMPLES, Table
from crossic_etl.tables import TableError, Tables
from crossic_etl.tables.evolution import later_columns
from crossic_etl.tables.maintenance import maintain_tables

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def with_column(table: Table, name: str, nullable: bool) -> Table:
    """The contract of a version to come."""
    return replace(
        table, schema=T.StructType([*table.schema, T.StructField(name, T.IntegerType(), nullable)])
    )


NOTED = with_column(REDIRECTS, "hops", nullable=True)
ROW = ("en", 1, "Chai", "Tea", "20260101")


def test_only_columns_that_may_be_null_are_added_to_a_table_that_fits() -> None:
    twice = with_column(NOTED, "length", nullable=True)
    assert [field.name for field in later_columns(REDIRECTS.schema, twice)] == ["hops", "length"]
    assert later_columns(NOTED.schema, NOTED) == []
    assert later_columns(REDIRECTS.schema, with_column(NOTED, "must", nullable=False)) == []
    unknown = with_column(REDIRECTS, "unknown", nullable=True).schema
    assert later_columns(unknown, NOTED) == []
    other_type = T.StructType([T.StructField("lang", T.IntegerType()), *REDIRECTS.schema[1:]])
    assert later_columns(other_type, NOTED) == []


def test_samples_of_an_older_version_get_what_is_known_of_their_cut() -> None:
    later = ("cut", "similarity", "n_unmatched")
    fields = [field for field in SAMPLES.schema if field.name not in later]
    found = [field.name for field in later_columns(T.StructType(fields), SAMPLES)]
    assert found == list(later)


def test_a_table_of_an_older_version_gets_its_columns_as_it_is_written(
    spark: SparkSession, tmp_path: Path
) -> None:
    tables = Tables(spark, str(tmp_path))
    tables.replace(REDIRECTS, spark.createDataFrame([ROW], REDIRECTS.schema), {"lang": ["en"]})
    message = "table redirects: hops: missing, should be int"
    with pytest.raises(TableError, match=message):
        tables.read(NOTED)
    newer = ("th", 2, "ชา", "น้ำชา", "20260101", 1)
    tables.replace(NOTED, spark.createDataFrame([newer], NOTED.schema), {"lang": ["th"]})
    rows = sorted(map(tuple, tables.read(NOTED).collect()))
    assert rows == [(*ROW, None), newer]
    strict = with_column(NOTED, "must", nullable=False)
    version = tables.version(NOTED)
    with pytest.raises(TableError, match="table redirects: must: missing, should be int"):
        tables.replace(strict, spark.createDataFrame([], strict.schema), {"lang": ["th"]})
    assert tables.version(NOTED) == version


def test_rows_under_an_old_name_are_copied_by_upkeep_and_once(
    spark: SparkSession, tmp_path: Path
) -> None:
    tables = Tables(spark, str(tmp_path))
    old = replace(NEAR_DUPLICATE_LINKS, name="near_copy_links")
    rows = [(1, 7, "a", "b"), (2, -7, "a", "c")]
    tables.replace(old, spark.createDataFrame(rows, old.schema), {})
    (line,) = [report.line for report in maintain_tables(tables, Maintain(), dry_run=True)]
    assert line.endswith("would copy to near_duplicate_links")
    assert not tables.is_there(NEAR_DUPLICATE_LINKS)
    lines = [report.line for report in maintain_tables(tables, Maintain())]
    assert lines[0].endswith("now 0 files of 0 bytes; copy to near_duplicate_links")
    assert sorted(map(tuple, tables.read(NEAR_DUPLICATE_LINKS).collect())) == rows
    assert tables.read(old).collect() == []
    version = tables.version(NEAR_DUPLICATE_LINKS)
    assert not any("copy" in report.line for report in maintain_tables(tables, Maintain()))
    assert tables.version(NEAR_DUPLICATE_LINKS) == version
