"""Windows to the files of an export: which, in which order, and of which samples they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from crossic_etl.kernels.export_layouts import WINDOW_SCHEMA
from crossic_etl.training.manifest import TRAIN

KEY = ("generation", "shard", "position")
# A place is a hash of 63 bits. Its first 14 group windows to sum up tokens without sorting all of
# them; its first 31 say in which file a window goes.
PLACE_BITS, BUCKET_BITS, FILE_BITS = 63, 14, 31
LAST_PLACE = 2**PLACE_BITS - 1

ATTRIBUTION = (
    "sample_id", "split", "arrangement", "target_lang", "origin", "licence", "en_title", "en_url",
    "en_revision_id", "target_title", "target_url", "target_revision_id",
)  # fmt: skip


class Files(NamedTuple):
    """How the windows of a split are cut to files: so many, over places up to ``last_place``."""

    n: int
    last_place: int = LAST_PLACE


def place_windows(windows: DataFrame, seed: int) -> DataFrame:
    """Windows of one kind with ``place``, a hash of seed and key: the export's order of a split.

    Windows of two arrangements with the same key have the same place.
    """
    place = F.xxhash64(F.lit(seed), F.lit("export"), *KEY)
    return windows.withColumn("place", F.shiftrightunsigned(place, 64 - PLACE_BITS))


def count_windows(windows: DataFrame) -> DataFrame:
    """Grain: split. Its windows and its new tokens."""
    return windows.groupBy("split").agg(
        F.count("*").alias("windows"), F.sum("n_new").cast("long").alias("new_tokens")
    )


def find_last_place(placed: DataFrame, tokens: int) -> DataFrame:
    """One row, ``place``: of the training window with which ``tokens`` new tokens are reached.

    Without a row where there are fewer. Sums over buckets of places first, then over the windows of
    the bucket in which it happens.
    """
    train = placed.where(F.col("split") == TRAIN).select("place", *KEY, "n_new")
    bucketed = train.withColumn("bucket", F.shiftright("place", PLACE_BITS - BUCKET_BITS))
    buckets = Window.orderBy("bucket").rowsBetween(Window.unboundedPreceding, Window.currentRow)
    crossed = (
        bucketed.groupBy("bucket")
        .agg(F.sum("n_new").alias("here"))
        .withColumn("before", F.sum("here").over(buckets) - F.col("here"))
        .where((F.col("before") < tokens) & (F.col("before") + F.col("here") >= tokens))
        .select("bucket", "before")
    )
    inside = Window.partitionBy("bucket").orderBy("place", *KEY)
    until = inside.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    return (
        bucketed.join(F.broadcast(crossed), on="bucket", how="inner")
        .withColumn("reached", F.col("before") + F.sum("n_new").over(until))
        .where(F.col("reached") >= tokens)
        .agg(F.min("place").alias("place"))
        .where(F.col("place").isNotNull())
    )


def take_until(placed: DataFrame, last_place: int) -> DataFrame:
    """The training windows up to a place, and all of the others."""
    return placed.where((F.col("split") != TRAIN) | (F.col("place") <= last_place))


def assign_files(placed: DataFrame, files: Mapping[str, Files]) -> DataFrame:
    """The columns of an export, with ``split`` and ``file``, sorted within partitions.

    A file's windows are in one partition, in order. File and order come from the place alone:
    the number of partitions changes nothing. The files of a split are of about the same size.
    """
    number = F.lit(None).cast("int")
    for split, (n, last_place) in files.items():
        beginning = F.shiftright("place", PLACE_BITS - FILE_BITS)
        share = beginning * F.lit(n) / F.lit((last_place >> (PLACE_BITS - FILE_BITS)) + 1)
        number = F.when(F.col("split") == split, F.floor(share).cast("int")).otherwise(number)
    return (
        placed.withColumn("file", number)
        .select("split", "file", "place", *KEY, *WINDOW_SCHEMA.names)
        .repartition("split", "file")
        .sortWithinPartitions("split", "file", "place", *KEY)
    )


def attribute_samples(windows: DataFrame, samples: DataFrame) -> DataFrame:
    """Grain: sample in the windows of a split. Of what it is made, under which licence.

    ``sample_id`` is unique in ``samples``; ``licence`` is null where a sample isn't in them any
    more.
    """
    used = windows.select("split", F.explode("sample_ids").alias("sample_id")).distinct()
    known = samples.select(*(name for name in ATTRIBUTION if name != "split"), "split_token")
    return used.join(known, on="sample_id", how="left").select(*ATTRIBUTION, "split_token")


def count_samples(attributed: DataFrame) -> DataFrame:
    """Grain: split, licence, language, split token: ``samples``, few rows."""
    kinds = ("split", "licence", "target_lang", "split_token")
    return attributed.groupBy(*kinds).agg(F.count("*").alias("samples"))


def assign_attribution_files(attributed: DataFrame, n: int) -> DataFrame:
    """The attribution with ``file``, 0 to n - 1, sorted by it and ``sample_id`` in partitions."""
    number = F.pmod(F.xxhash64("sample_id"), F.lit(n)).cast("int")
    return (
        attributed.select(*ATTRIBUTION, number.alias("file"))
        .repartition("file")
        .sortWithinPartitions("file", "sample_id", "split")
    )
