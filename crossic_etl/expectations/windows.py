"""Expectations of windows, and of the samples in them."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from crossic_etl.expectations.expectation import Expectation, of_every_row
from crossic_etl.schemas import SAMPLES, WINDOWS
from crossic_etl.transforms.mixture import MIXTURE

# Windows of one kind are made together, from the same samples.
_KIND = ("arrangement", "tokenizer", "window_length", "policy")


def compare_windows(windows: DataFrame, samples: DataFrame) -> DataFrame:
    """One row for each `_KIND` and each sample that its windows name or should name.

    ``n_whole`` counts the windows that hold the whole sample; null if no window names it.
    ``first_…`` and ``last_…`` are the least and greatest split, language and hash of ids among the
    windows: equal if the windows agree. ``split``, ``target_lang`` and ``ids`` (a hash) are those
    of ``samples``; null if the sample isn't there.
    """
    seen = windows.select(*_KIND, "split", F.inline(F.expr(_NAMED)))
    values = {
        "split": F.col("split"),
        "target_lang": F.col("lang"),
        "ids": F.when(F.col("is_whole"), F.col("ids")),
    }
    counted = seen.groupBy(*_KIND, "sample_id").agg(
        F.count_if("is_whole").alias("n_whole"),
        *(F.min(value).alias(f"first_{name}") for name, value in values.items()),
        *(F.max(value).alias(f"last_{name}") for name, value in values.items()),
    )
    own = samples.select(
        "sample_id",
        F.col("arrangement").alias("own_arrangement"),
        "tokenizer",
        "split",
        "target_lang",
        F.xxhash64("input_ids").alias("ids"),
    )
    kinds = F.broadcast(windows.select(*_KIND).distinct())
    holds = F.col("arrangement").isin(MIXTURE) | (F.col("arrangement") == F.col("own_arrangement"))
    expected = own.join(kinds, on="tokenizer", how="inner").where(holds)
    return counted.join(expected, on=[*_KIND, "sample_id"], how="full")


# The samples that a window names, with the hash of their ids in it. The functions give null, and
# no error, for a window whose lists have different lengths.
_NAMED = """
transform(sample_ids, (sample_id, i) -> struct(
    sample_id,
    get(sample_langs, i) AS lang,
    i < n_whole AS is_whole,
    xxhash64(slice(
        input_ids,
        greatest(get(sample_starts, i), 0) + 1,
        greatest(coalesce(get(sample_starts, i + 1), size(input_ids)) - get(sample_starts, i), 0)
    )) AS ids
))
"""

_IS_THERE = "own_arrangement IS NOT NULL"
_NOT_NAMED = f"IF(arrangement = '{MIXTURE}', 1, 0)"

WINDOW_EXPECTATIONS = (
    of_every_row(
        WINDOWS,
        {
            "split is train or validation": "split IN ('train', 'validation')",
            "input_ids fit in": "size(input_ids) <= window_length",
            "its tokens are new or repeated": (
                "n_new > 0 AND n_repeated >= 0"
                " AND CAST(n_new AS BIGINT) + n_repeated = size(input_ids)"
            ),
            "n_padding is what is missing": "n_padding = window_length - size(input_ids)",
            "each of its samples has a start and a language": (
                "size(sample_ids) = size(sample_starts) AND size(sample_ids) = size(sample_langs)"
                " AND get(sample_starts, 0) = 0 AND array_max(sample_starts) < size(input_ids)"
                " AND sample_starts = array_sort(array_distinct(sample_starts))"
            ),
            "only its last sample may be cut": (
                "n_whole > 0 AND n_whole BETWEEN size(sample_ids) - 1 AND size(sample_ids)"
            ),
        },
    ),
    Expectation(
        {
            "its samples are there": _IS_THERE,
            "a sample is whole in one window, in a mixture at most": (
                f"NOT ({_IS_THERE}) OR coalesce(n_whole, {_NOT_NAMED}) = 1"
            ),
            "split and languages are the samples'": f"NOT ({_IS_THERE}) OR n_whole IS NULL OR ("
            + " AND ".join(
                f"{end}_{name} = {name}"
                for name in ("split", "target_lang")
                for end in ("first", "last")
            )
            + ")",
            "the ids of a whole sample are its own": (
                f"NOT ({_IS_THERE}) OR coalesce(n_whole, 0) = 0"
                " OR (first_ids = ids AND last_ids = ids)"
            ),
        },
        (*_KIND, "sample_id"),
        (WINDOWS, SAMPLES),
        compare_windows,
    ),
)
