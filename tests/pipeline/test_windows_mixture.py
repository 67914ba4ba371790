"""What a mixture says of the samples that it takes."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from crossic_etl.kernels.samples.shares import COUNTS, SampleShares, add_up
from crossic_etl.pipeline.windows import add_mixture
from crossic_etl.runs.record import Run
from crossic_etl.schemas import SAMPLES
from crossic_etl.transforms.mixture import count_samples
from tests.support.rows import row_of

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Tokens of the sides, and similarity: even, lopsided, one-sided, and one that isn't compared.
SIDES = [(10, 10, 0.75), (1, 9, 0.25), (10, 0, None), (10, 9, None)]


def test_a_mixture_says_the_shares_of_each_arrangement(
    spark: SparkSession, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="crossic_etl")
    rows = [
        row_of(
            SAMPLES, sample_id=f"{name} {i}", pair_id=f"p{i}", arrangement=name, target_lang="th",
            split="train", n_en_tokens=english, n_target_tokens=target, n_tokens=1000,
            similarity=similarity,
        )
        for name in ("en-first", "retrieved", "mix")
        for i, (english, target, similarity) in enumerate(SIDES)
    ]  # fmt: skip
    samples = spark.createDataFrame(rows, SAMPLES.schema)
    held = {row.arrangement: row for row in count_samples(samples).collect()}
    record = Run("windows")
    mixed, metrics = add_mixture(samples, held, {"en-first": 0.5, "mix": 0.5}, 0, record)
    shares = {
        name: add_up([{count: metrics[f"mixture_{name}_{count}"] for count in COUNTS}])
        for name in ("en-first", "mix")
    }
    assert shares["en-first"] == SampleShares(4, 0.5, one_sided=0.25, lopsided=0.333333)
    assert shares["mix"] == SampleShares(4, 0.5)
    assert [metrics["mixture_en-first"], metrics["mixture_mix"]] == [4000, 4000]
    assert (
        "mixture: en-first: 4,000 tokens, similarity 0.500, one-sided 25.0%, lopsided 33.3%"
        in caplog.messages
    )
    assert mixed.count() == 12 + 8
    assert add_mixture(samples, held, {}, 0, record)[1] == {}
