"""Counts what a run asks of Spark: SQL executions, jobs, and commits of Delta tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass
class SparkCounts:
    """Executions of SQL, those inside others too, jobs, and commits under a root."""

    executions: int = 0
    jobs: int = 0
    commits: int = 0


def _now(spark: SparkSession, root: Path) -> SparkCounts:
    context = spark.sparkContext._jsc.sc()
    context.listenerBus().waitUntilEmpty()
    executions = spark._jsparkSession.sharedState().statusStore().executionsList()
    ends = {0, executions.size() - 1} if executions.size() else set()
    newest = max((executions.apply(i).executionId() for i in ends), default=-1)
    commits = sum(1 for _ in root.glob("**/_delta_log/*.json"))
    return SparkCounts(newest, context.dagScheduler().numTotalJobs(), commits)


@contextmanager
def counting(spark: SparkSession, root: Path) -> Iterator[SparkCounts]:
    """Its counts are those of the body, once that has ended."""
    counts, before = SparkCounts(), _now(spark, root)
    yield counts
    after = _now(spark, root)
    counts.executions = after.executions - before.executions
    counts.jobs = after.jobs - before.jobs
    counts.commits = after.commits - before.commits
