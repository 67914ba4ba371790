from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crossic_etl.schemas import REDIRECTS
from crossic_etl.tables import Tables, deletion_vectors

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

ROWS = [("en", n, f"title {n}", "Tea", "20260101") for n in range(50)]


@pytest.mark.parametrize(("large", "expected"), [(1, "true"), (2**27, None)])
def test_only_a_large_table_marks_rows_instead_of_writing_its_files_anew(
    spark: SparkSession,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    large: int,
    expected: str | None,
) -> None:
    monkeypatch.setattr(deletion_vectors, "LARGE_BYTES", large)
    tables = Tables(spark, str(tmp_path))
    tables.replace(REDIRECTS, spark.createDataFrame(ROWS, REDIRECTS.schema), {"lang": ["en"]})
    gone = spark.createDataFrame([("en", "title 7")], "lang string, title string")
    tables.merge(REDIRECTS, spark.createDataFrame([], REDIRECTS.schema), gone)
    assert tables.read(REDIRECTS).count() == 49
    detail = tables.detail("redirects")
    assert detail is not None
    assert detail.properties.get("delta.enableDeletionVectors") == expected
    assert bool(list((tmp_path / "redirects").rglob("deletion_vector*"))) == (expected == "true")
