"""Unions of frames."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame


def union(frames: Sequence[DataFrame]) -> DataFrame:
    """Rows of all frames, which have equal columns."""
    first, *others = frames
    for other in others:
        first = first.unionByName(other)
    return first
