"""Mixes samples of several arrangements into one set of windows, by shares of the tokens."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from crossic_etl.kernels.samples.shares import COUNTS
from crossic_etl.transforms.sample_shares import share_counts

MIXTURE = "mixture"

# The shares hold within each group, and mixing keeps the languages' shares.
_GROUP = ("arrangement", "target_lang", "split")


class MissingSamplesError(ValueError):
    """An arrangement of the mixture has no samples."""

    def __init__(self, arrangement: str) -> None:
        super().__init__(f"mixture: there are no samples of {arrangement}; leave it out")


def count_samples(samples: DataFrame) -> DataFrame:
    """``arrangement, samples, tokens, longest``: a row for each arrangement."""
    return samples.groupBy("arrangement").agg(
        F.count("*").alias("samples"),
        F.sum("n_tokens").alias("tokens"),
        F.max("n_tokens").alias("longest"),
    )


def sampling_rates(tokens: Mapping[str, int], shares: Mapping[str, float]) -> dict[str, float]:
    """The part of each arrangement's tokens to take, 0 to 1, for a mixture with these shares.

    The arrangement with the fewest tokens for its share is taken whole.

    Raises:
        MissingSamplesError: an arrangement has no tokens.
    """
    for name in shares:
        if not tokens.get(name):
            raise MissingSamplesError(name)
    most = min(tokens[name] / share for name, share in shares.items())
    return {name: min(1.0, share * most / tokens[name]) for name, share in shares.items()}


def choose_pairs(samples: DataFrame, rates: Mapping[str, float], seed: int) -> DataFrame:
    """``arrangement, target_lang, split, pair_id, samples, tokens, taken`` and `COUNTS`: a row for
    each pair of documents in each arrangement that has a rate.

    All samples of a pair are taken or none. In each language and split, pairs are taken in the
    order of a hash with the seed until the rate is reached, to within half a pair.
    """
    pairs = (
        samples.where(F.col("arrangement").isin(list(rates)))
        .groupBy(*_GROUP, "pair_id")
        .agg(F.count("*").alias("samples"), F.sum("n_tokens").alias("tokens"), *share_counts())
    )
    place = F.xxhash64(F.lit(seed), F.lit(MIXTURE), F.col("arrangement"), F.col("pair_id"))
    ordered = Window.partitionBy(*_GROUP).orderBy(place, "pair_id")
    up_to_here = ordered.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    everything = ordered.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    rate = F.create_map([F.lit(value) for item in rates.items() for value in item])
    middle = F.sum("tokens").over(up_to_here) - F.col("tokens") / 2
    wanted = rate[F.col("arrangement")] * F.sum("tokens").over(everything)
    return pairs.withColumn("taken", middle < wanted)


def mix_samples(samples: DataFrame, chosen: DataFrame) -> DataFrame:
    """The samples of the pairs that `choose_pairs` took, as the arrangement ``mixture``."""
    taken = chosen.where("taken").select(*_GROUP, "pair_id")
    mixed = samples.join(taken, on=[*_GROUP, "pair_id"], how="left_semi")
    return mixed.withColumn("arrangement", F.lit(MIXTURE)).select(samples.columns)


def count_mixture(chosen: DataFrame) -> DataFrame:
    """``arrangement, left_out, tokens`` and `COUNTS`: number of samples left out, tokens taken, and
    the counts of the samples taken.
    """
    return chosen.groupBy("arrangement").agg(
        F.sum(F.when(F.col("taken"), 0).otherwise(F.col("samples"))).alias("left_out"),
        *(
            F.sum(F.when(F.col("taken"), F.col(name)).otherwise(0)).alias(name)
            for name in ("tokens", *COUNTS)
        ),
    )
