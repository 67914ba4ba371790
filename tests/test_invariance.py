"""The same tables whatever the splits, partitions and cores, and after a second run."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crossic_etl.config import Config
from crossic_etl.schemas import RUNS
from crossic_etl.tables import Tables
from jobs.pipeline import jobs_of
from tests.spark_settings import settings
from tests.table_hashes import row_hashes

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SPLIT, SHUFFLE = "spark.sql.files.maxPartitionBytes", "spark.sql.shuffle.partitions"

ON_ONE_CORE = """
import json, sys
from pyspark.sql import SparkSession
from crossic_etl.config import Wikipedia, build, Config
from crossic_etl.session import COMMON, local_settings
from crossic_etl.tables import Tables
from jobs.pipeline import jobs_of
from tests.table_hashes import row_hashes

settings = COMMON | local_settings(cores=1) | {"spark.sql.files.maxPartitionBytes": "3000000"}
builder = SparkSession.builder
for key, value in settings.items():
    builder = builder.config(key, value)
spark = builder.getOrCreate()
config = build(Config, json.loads(sys.argv[1]))
for job in jobs_of(config).values():
    job.run(spark, config)
print("hashes " + json.dumps(row_hashes(Tables(spark, config.root))))
"""


def run_all(spark: SparkSession, config: Config) -> dict[str, tuple[int, int]]:
    for job in jobs_of(config).values():
        job.run(spark, config)
    return row_hashes(Tables(spark, config.root))


@pytest.mark.parametrize(
    "values",
    [{SPLIT: "700000", SHUFFLE: "3"}, {SPLIT: "64000000", SHUFFLE: "50"}],
    ids=["splits of 0.7 MB, 3 partitions", "splits of 64 MB, 50 partitions"],
)
def test_splits_and_partitions_change_nothing(
    shared_tables: Tables, shared_config: Config, tmp_path: Path, values: dict[str, str]
) -> None:
    spark = shared_tables.spark
    with settings(spark, values):
        actual = run_all(spark, replace(shared_config, root=str(tmp_path)))
    assert actual == row_hashes(shared_tables)


def test_one_core_in_a_process_of_its_own_changes_nothing(
    shared_tables: Tables, shared_config: Config, tmp_path: Path
) -> None:
    wikipedia = {"dumps": shared_config.wikipedia.dumps, "date": shared_config.wikipedia.date}
    tree = {
        "root": str(tmp_path / "tables"),
        "languages": list(shared_config.languages),
        "wikipedia": wikipedia,
        "arrangements": list(shared_config.arrangements),
        "validation_share": shared_config.validation_share,
        "shards": shared_config.shards,
    }
    done = subprocess.run(
        [sys.executable, "-c", ON_ONE_CORE, json.dumps(tree)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[1],
    )
    assert done.returncode == 0, done.stderr[-2000:]
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("hashes ")]
    actual = {name: tuple(pair) for name, pair in json.loads(line[7:]).items()}
    assert actual == row_hashes(shared_tables)


def test_a_second_run_over_the_first_changes_nothing(
    shared_tables: Tables, shared_config: Config
) -> None:
    before, runs = row_hashes(shared_tables), shared_tables.read(RUNS).count()
    assert run_all(shared_tables.spark, shared_config) == before
    assert shared_tables.read(RUNS).count() == runs + len(jobs_of(shared_config))


def test_the_hash_sees_one_row_changed(shared_tables: Tables, shared_config: Config) -> None:
    before = row_hashes(shared_tables)
    other = replace(shared_config, seed=1)
    jobs_of(shared_config)["windows"].run(shared_tables.spark, other)
    changed = row_hashes(shared_tables)
    jobs_of(shared_config)["windows"].run(shared_tables.spark, shared_config)
    assert {name for name in before if before[name] != changed[name]} == {"windows"}
    assert row_hashes(shared_tables) == before
