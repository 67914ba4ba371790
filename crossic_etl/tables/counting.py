"""Counts rows as they are written, so that no other pass has to.

A task that is repeated counts once: Spark takes the counts of the one that succeeds. That holds for
counts in the stage that writes, so a frame is counted as the last step before its write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F

ROWS = "rows"


def observe_counts(
    frame: DataFrame, counts: Mapping[str, Column] | None = None
) -> tuple[DataFrame, Callable[[], dict[str, int]]]:
    """A frame to write, and the function that gives its counts once it is written.

    They are the number of rows as `ROWS`, and the aggregates in ``counts`` by name.
    """
    columns = {ROWS: F.count(F.lit(1)), **(counts or {})}
    observation = Observation()
    observed = frame.observe(observation, *(c.alias(name) for name, c in columns.items()))
    return observed, lambda: {name: int(n or 0) for name, n in observation.get.items()}
