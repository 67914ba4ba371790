"""Executors and workers that are killed in each job, and the tables of a run that goes on."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crossic_etl.session import COMMON, DELTA_PACKAGE
from crossic_etl.tables import Tables
from tests.deploy.test_platforms import SMALL
from tests.faults.world import COMPARED, DONE, JOBS, PIPELINE, ROOT, SEED, World
from tests.pipeline.test_months import FIRST, SECOND
from tests.support.commands import verify
from tests.support.standalone import LOOPBACK, SPARK_HOME, Cluster, cluster
from tests.support.table_hashes import row_hashes

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.faults

# Seconds into a job, and until there is another worker.
SOONEST, LATEST, PAUSE = 0.3, 3.0, 2.0


@pytest.fixture
def two_workers(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path / "cluster") as running:
        yield running


class Killer:
    """Strikes once in each job, some moment after the one before it has ended."""

    def __init__(self, running: Cluster, victim: str) -> None:
        self.cluster, self.victim = running, victim
        self.chosen = random.Random(f"{SEED} {victim}")
        self.job, self.strikes, self.begun = JOBS[0], list[str](), time.monotonic()
        self.timers: list[threading.Timer] = []

    def plan(self, job: str) -> None:
        """Has the next strike fall into a job that begins now."""
        self.job = job
        timer = threading.Timer(self.chosen.uniform(SOONEST, LATEST), self.strike)
        self.timers.append(timer)
        timer.start()

    def strike(self) -> None:
        at = time.monotonic() - self.begun
        self.strikes.append(self.job)
        print(f"{self.victim} killed at {at:.1f} s, in {self.job}", flush=True)
        if self.victim == "executor":
            self.cluster.kill_executor(self.chosen)
        else:
            self.cluster.kill_worker(self.chosen, PAUSE)

    def follow(self, process: subprocess.Popen[str]) -> str:
        """Reads what a run says to its end, and strikes in each of its jobs."""
        assert process.stdout is not None
        said = []
        while not self.cluster.executors():
            assert process.poll() is None, process.stdout.read()[-3000:]
            time.sleep(0.1)
        self.plan(JOBS[0])
        for line in process.stdout:
            said.append(line)
            if (done := DONE.match(line)) and done[1] != JOBS[-1]:
                self.plan(JOBS[JOBS.index(done[1]) + 1])
        process.wait(60)
        for timer in self.timers:
            timer.join()
        return "".join(said)


def submit(world: World, running: Cluster, root: str, month: str) -> subprocess.Popen[str]:
    """The pipeline on the cluster, whose workers import what this process does."""
    settings = COMMON | SMALL | {"spark.executorEnv.PYTHONPATH": str(ROOT)}
    conf = [f"--conf={key}={value}" for key, value in settings.items()]
    jars = ["--packages", DELTA_PACKAGE]
    command = [str(SPARK_HOME / "bin" / "spark-submit"), "--master", running.master, *conf, *jars]
    own = {
        "SPARK_HOME": str(SPARK_HOME),
        "SPARK_LOCAL_IP": LOOPBACK,
        "PYTHONPATH": str(ROOT),
        "PYSPARK_PYTHON": sys.executable,
    }
    program = world.folder / "pipeline.py"
    program.write_text(PIPELINE)
    return subprocess.Popen(
        ["setpriv", "--pdeathsig", "TERM", *command, str(program),
         *world.arguments(root, month)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT,
        env=os.environ | own,
    )  # fmt: skip


@pytest.mark.parametrize("victim", ["executor", "worker"])
def test_a_run_outlives_its_executors_and_workers(
    spark: SparkSession, tmp_path: Path, two_workers: Cluster, victim: str
) -> None:
    world = World(tmp_path)
    for month in (FIRST, SECOND):
        whole = submit(world, two_workers, "whole", month)
        said, _ = whole.communicate(timeout=900)
        assert whole.returncode == 0, said[-3000:]
        killer = Killer(two_workers, victim)
        process = submit(world, two_workers, "killed", month)
        said = killer.follow(process)
        print(f"{month}: {len(killer.strikes)} {victim}s killed, status {process.returncode}")
        if process.returncode:
            assert "Traceback" not in said, said[-3000:]
            assert "error: " in said, said[-3000:]
        assert set(killer.strikes) == set(JOBS)
        world.finish("killed", month)
        expected = row_hashes(Tables(spark, str(tmp_path / "whole")), COMPARED)
        assert row_hashes(Tables(spark, str(tmp_path / "killed")), COMPARED) == expected
    assert verify(world.arguments("killed", SECOND)) == 0
