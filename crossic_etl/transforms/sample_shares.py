"""Counts from which the shares of an arrangement's samples are known."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from crossic_etl.kernels.samples.shares import COUNTS, LOPSIDED, MILLION, TWO_SIDED
from crossic_etl.schemas import DOUBLE

# The columns of samples that are counted.
COUNTED = ("n_en_tokens", "n_target_tokens", "similarity")


def measure_shares(samples: DataFrame, by: Sequence[str]) -> DataFrame:
    """``*by`` and `COUNTS`: a row for each group of samples; `kernels.samples.shares` adds up."""
    return samples.groupBy(*by).agg(*share_counts())


def share_counts() -> list[Column]:
    """Aggregates of samples with the names `COUNTS`; those of groups add up."""
    is_paired = F.col("arrangement").isin(list(TWO_SIDED))
    fewer, more = (of("n_en_tokens", "n_target_tokens") for of in (F.least, F.greatest))
    has_two = is_paired & (fewer > 0)
    similarity = F.nanvl("similarity", F.lit(None).cast(DOUBLE))
    # Whole numbers: their sum doesn't depend on the order.
    millionths = F.coalesce(F.sum(F.round(similarity * MILLION).cast("long")), F.lit(0))
    counts = (
        F.count("*"),
        F.count_if(is_paired),
        F.count_if(has_two),
        F.count_if(has_two & (more > fewer * LOPSIDED)),
        F.count(similarity),
        millionths.cast("long"),
    )
    return [count.alias(name) for name, count in zip(COUNTS, counts, strict=True)]
