"""Runs that are killed, again and again, and the tables that the next one leaves.

    make test-faults                          # CROSSIC_ETL_KILLS=40, CROSSIC_ETL_SEED=0

The driver, with its JVM and Python workers, gets SIGKILL at moments that a seed draws. Where a run
gets to its end before the next moment, its tables are compared, and the kills that are left go on
with other tables.
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crossic_etl.tables import Tables
from tests.faults.world import COMPARED, SEED, World
from tests.pipeline.test_months import FIRST, SECOND
from tests.support.commands import verify
from tests.support.table_hashes import row_hashes

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.faults

KILLS = int(os.environ.get("CROSSIC_ETL_KILLS", "40"))
PAIRS = int(os.environ.get("CROSSIC_ETL_PAIRS", "20"))
# Seconds of a run without a job.
STARTING = 5.0


@pytest.mark.parametrize("month", [FIRST, SECOND], ids=["first_month", "second_month"])
def test_tables_of_runs_that_were_killed_are_those_of_runs_that_were_not(
    spark: SparkSession, tmp_path: Path, month: str
) -> None:
    world, moments = World(tmp_path), random.Random(f"{SEED} {month}")
    seconds = world.finish("whole", FIRST)
    if month == SECOND:
        world.copy("whole", "before")
        seconds = world.finish("whole", SECOND)
    expected = row_hashes(Tables(spark, str(tmp_path / "whole")), COMPARED)
    n_kills = n_roots = 0
    while n_kills < KILLS // 2:
        n_roots += 1
        root = f"killed-{n_roots}"
        if month == SECOND:
            world.copy("before", root)
        while n_kills < KILLS // 2:
            moment = moments.uniform(STARTING, seconds)
            place = world.kill(root, month, moment)
            if place is None:
                break
            n_kills += 1
            print(f"{month} kill {n_kills}: at {moment:.1f} s, {place}", flush=True)
        else:
            world.finish(root, month)
        assert row_hashes(Tables(spark, str(tmp_path / root)), COMPARED) == expected
    assert verify(world.arguments(root, month)) == 0
    print(f"{month}: {n_kills} kills, {n_roots} roots compared", flush=True)


def test_two_runs_at_once_leave_the_tables_of_one(spark: SparkSession, tmp_path: Path) -> None:
    world = World(tmp_path)
    world.finish("one", FIRST)
    expected = row_hashes(Tables(spark, str(tmp_path / "one")), COMPARED)
    for number in range(PAIRS):
        root, started = f"both-{number}", time.monotonic()
        both = [world.start(root, FIRST) for _ in range(2)]
        said = [process.communicate(timeout=1800)[0] for process in both]
        assert [process.returncode for process in both] == [0, 0], said
        assert row_hashes(Tables(spark, str(tmp_path / root)), COMPARED) == expected
        seconds = time.monotonic() - started
        print(f"pair {number + 1}: the same tables, {seconds:.0f} s", flush=True)
    print(f"{PAIRS} pairs", flush=True)
