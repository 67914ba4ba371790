from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pyspark.sql import functions as F

from crossic_etl.schemas import REDIRECTS
from crossic_etl.tables import Tables
from tests.support.spark_settings import settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SCHEMA = "lang string, page_id long, title string, target_title string, dump_date string"
ENGLISH = ("en", 1, "Chai", "Tea", "20260101")
THAI = ("th", 2, "ชา", "น้ำชา", "20260101")
SCOPE = {"lang": ["en", "th"]}


@pytest.mark.parametrize("adaptive", ["true", "false"])
def test_rows_are_counted_as_they_are_written(
    spark: SparkSession, tmp_path: Path, adaptive: str
) -> None:
    tables, frame = Tables(spark, str(tmp_path)), spark.createDataFrame([ENGLISH, THAI], SCHEMA)
    n_thai = {"thai": F.count_if(F.col("lang") == "th")}
    with settings(spark, {"spark.sql.adaptive.enabled": adaptive}):
        _, counts = tables.stage_counted("some", frame.distinct(), n_thai)
        assert counts == {"rows": 2, "thai": 1}
        assert tables.replace(REDIRECTS, frame, SCOPE) == 2  # a new table
        assert tables.replace(REDIRECTS, frame.where("page_id = 2"), SCOPE) == 1
        assert tables.update(REDIRECTS, frame, SCOPE) == 2
        assert tables.update(REDIRECTS, frame, SCOPE) == 2


@pytest.mark.parametrize("adaptive", ["true", "false"])
def test_no_rows_are_counted_too_where_a_plan_drops_the_counting(
    spark: SparkSession, tmp_path: Path, adaptive: str
) -> None:
    tables, frame = Tables(spark, str(tmp_path)), spark.createDataFrame([ENGLISH], SCHEMA)
    none = frame.where("page_id < 0").repartition("lang").groupBy("lang").agg(F.max("title"))
    empty = frame.where("page_id < 0").repartition("lang").distinct()
    with settings(spark, {"spark.sql.adaptive.enabled": adaptive}):
        staged, counts = tables.stage_counted("none", none, {"n": F.count_if(F.col("lang") == "x")})
        assert (counts, staged.collect()) == ({"rows": 0, "n": 0}, [])
        assert tables.replace(REDIRECTS, empty, SCOPE) == 0
        assert tables.update(REDIRECTS, empty, SCOPE) == 0
        assert tables.update(REDIRECTS, frame, SCOPE) == 1
        assert tables.replace(REDIRECTS, empty, SCOPE) == 0
