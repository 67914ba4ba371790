from __future__ import annotations

from typing import TYPE_CHECKING

from crossic_etl.kernels.samples.shares import COUNTS, add_up
from crossic_etl.transforms.sample_shares import measure_shares

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SCHEMA = (
    "arrangement string, target_lang string, n_en_tokens int, n_target_tokens int, "
    "similarity double"
)
ROWS = [
    ("en-first", "th", 10, 10, 0.9),
    ("en-first", "th", 10, 50, 0.1),  # five times is no more than five times
    ("en-first", "th", 10, 51, None),
    ("en-first", "th", 51, 10, float("nan")),
    ("en-first", "th", 0, 51, None),
    ("en-first", "th", 51, 0, None),
    ("en-first", "ar", 7, 7, -0.25),
    ("mix", "th", 0, 9, None),
    ("mix", "th", 9, 0, None),
    ("target-only", "ja", 0, 9, None),
    ("random", "ja", 1, 6, None),
]


def test_samples_are_counted_by_their_sides(spark: SparkSession) -> None:
    frame = spark.createDataFrame(ROWS, SCHEMA)
    rows = measure_shares(frame, ["arrangement", "target_lang"]).collect()
    assert {tuple(row)[:2]: tuple(row)[2:] for row in rows} == {
        ("en-first", "th"): (6, 6, 4, 2, 2, 1_000_000),
        ("en-first", "ar"): (1, 1, 1, 0, 1, -250_000),
        ("mix", "th"): (2, 0, 0, 0, 0, 0),
        ("target-only", "ja"): (1, 0, 0, 0, 0, 0),
        ("random", "ja"): (1, 1, 1, 1, 0, 0),
    }
    assert rows[0].__fields__ == ["arrangement", "target_lang", *COUNTS]


def test_the_counts_do_not_depend_on_partitions(spark: SparkSession) -> None:
    rows = [("en-first", "th", 1 + i % 9, 3, (i % 97) / 97) for i in range(3000)]
    frame = spark.createDataFrame(rows, SCHEMA)
    found = {
        add_up(measure_shares(frame.repartition(n), ["arrangement"]).collect()) for n in (1, 3, 8)
    }
    assert len(found) == 1


def test_no_samples_make_no_row(spark: SparkSession) -> None:
    assert measure_shares(spark.createDataFrame([], SCHEMA), ["arrangement"]).collect() == []
