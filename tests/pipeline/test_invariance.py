"""The same tables whatever the splits, partitions and cores, and after a second run.

The process of its own runs compiled code, as users do; the shared session interprets.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pyspark.sql import functions as F

from crossic_etl.config import Config
from crossic_etl.pipeline.flow import jobs_of
from crossic_etl.schemas import PAIRS, RUNS
from crossic_etl.tables import Tables
from tests.support.spark_settings import settings
from tests.support.table_hashes import row_hash, row_hashes

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.shared_run("shared_tables")

SPLIT, SHUFFLE = "spark.sql.files.maxPartitionBytes", "spark.sql.shuffle.partitions"

ON_ONE_CORE = """
import json, sys
from pyspark.sql import SparkSession
from crossic_etl.config import Config
from crossic_etl.config.etl import Wikipedia
from crossic_etl.config.loading import build
from crossic_etl.session import COMMON, local_settings
from crossic_etl.tables import Tables
from crossic_etl.pipeline.flow import jobs_of
from tests.support.table_hashes import row_hashes

settings = COMMON | local_settings(cores=1)
settings |= {"spark.sql.files.maxPartitionBytes": "700000", "spark.sql.shuffle.partitions": "3"}
builder = SparkSession.builder
for key, value in settings.items():
    builder = builder.config(key, value)
spark = builder.getOrCreate()
config = build(Config, json.loads(sys.argv[1]))
for job in jobs_of(config):
    job.run(spark, config)
print("hashes " + json.dumps(row_hashes(Tables(spark, config.root))))
"""


def run_all(spark: SparkSession, config: Config) -> dict[str, tuple[int, int]]:
    for job in jobs_of(config):
        job.run(spark, config)
    return row_hashes(Tables(spark, config.root))


@pytest.fixture(scope="module")
def one_core(
    shared_config: Config, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[subprocess.Popen[str]]:
    """A run from scratch on one core, beside what the shared session does meanwhile."""
    tree = {
        "root": str(tmp_path_factory.mktemp("one_core") / "tables"),
        "languages": list(shared_config.languages),
        "wikipedia": {
            "dumps": shared_config.wikipedia.dumps,
            "date": shared_config.wikipedia.date,
        },
        "arrangements": list(shared_config.arrangements),
        "validation_share": shared_config.validation_share,
        "shards": shared_config.shards,
    }
    process = subprocess.Popen(
        [sys.executable, "-c", ON_ONE_CORE, json.dumps(tree)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    yield process
    process.kill()
    process.wait()


@pytest.mark.usefixtures("one_core")
def test_a_second_run_in_other_splits_and_partitions_changes_nothing(
    shared_tables: Tables, shared_config: Config, tmp_path: Path
) -> None:
    root = shutil.copytree(shared_config.root, tmp_path / "tables")
    config = replace(shared_config, root=str(root))
    with settings(shared_tables.spark, {SPLIT: "64000000", SHUFFLE: "50"}):
        actual = run_all(shared_tables.spark, config)
    assert actual == row_hashes(shared_tables)
    n_runs = Tables(shared_tables.spark, config.root).read(RUNS).count()
    assert n_runs == shared_tables.read(RUNS).count() + len(jobs_of(config))


def test_one_core_in_a_process_of_its_own_in_small_splits_changes_nothing(
    shared_tables: Tables, one_core: subprocess.Popen[str]
) -> None:
    printed, errors = one_core.communicate()
    assert one_core.returncode == 0, errors[-2000:]
    (line,) = [line for line in printed.splitlines() if line.startswith("hashes ")]
    actual = {name: tuple(pair) for name, pair in json.loads(line[7:]).items()}
    assert actual == row_hashes(shared_tables)


def test_the_hash_sees_one_row_changed(shared_tables: Tables) -> None:
    pairs = shared_tables.read(PAIRS)
    (first,) = pairs.select(F.min("pair_id").alias("pair_id")).head(1)
    is_first = F.col("pair_id") == first.pair_id
    changed = pairs.withColumn("en_title", F.when(is_first, "Kite").otherwise(F.col("en_title")))
    assert changed.where(is_first).count() == 1
    (rows, hashed), (same, other) = row_hash(pairs), row_hash(changed)
    assert (rows, hashed) == row_hashes(shared_tables)["pairs"]
    assert rows == same
    assert hashed != other
