"""Counts rows as they are written, so that no other pass has to.

A task that is repeated counts once: Spark takes the counts of the one that succeeds. That holds for
counts in the stage that writes, so a frame is counted as the last step before its write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F

ROWS = "rows"


Counts = dict[str, int]


def observe_counts(
    frame: DataFrame, counts: Mapping[str, Column] | None = None
) -> tuple[DataFrame, Callable[[], Counts | None]]:
    """A frame to write, and the function that gives its counts once it is written.

    They are the number of rows as `ROWS`, and the aggregates in ``counts`` by name. They are None
    where Spark has lost them: an adaptive plan drops the counting with a part that has no rows,
    and a catalog's writer has no counts for those who observe it. The caller counts then.
    """
    observation = Observation()
    named = [column.alias(name) for name, column in _columns(counts).items()]

    def counted() -> Counts | None:
        try:
            found = observation.get
        except Exception:  # classic Spark and Spark Connect raise different types
            return None
        return {name: int(n or 0) for name, n in found.items()} or None

    return frame.observe(observation, *named), counted


def count_now(frame: DataFrame, counts: Mapping[str, Column] | None = None) -> Counts:
    """The counts of `observe_counts`, by a pass of their own."""
    named = [column.alias(name) for name, column in _columns(counts).items()]
    (row,) = frame.agg(*named).collect()
    return {name: int(n or 0) for name, n in row.asDict().items()}


def _columns(counts: Mapping[str, Column] | None) -> dict[str, Column]:
    return {ROWS: F.count(F.lit(1)), **(counts or {})}
