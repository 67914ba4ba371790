"""Assigns windows to the files of an export: which windows, in which order, and their samples."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from crossic_etl.kernels.export.layouts import WINDOW_SCHEMA
from crossic_etl.kernels.splits import TRAIN
from crossic_etl.transforms.sample_shares import COUNTED, share_counts

KEY = ("generation", "shard", "position")
# A place is a hash of 63 bits. Its first 31 bits give the file of a window.
PLACE_BITS, FILE_BITS = 63, 31
# Number of buckets of depths, to sum up tokens without sorting all windows.
DEPTH_BUCKETS = 2**14

ATTRIBUTION = (
    "sample_id", "split", "arrangement", "target_lang", "origin", "licence", "en_title", "en_url",
    "en_revision_id", "target_title", "target_url", "target_revision_id",
)  # fmt: skip


def place_windows(windows: DataFrame, seed: int) -> DataFrame:
    """Windows of one kind with ``place``, their order within a split, and ``depth``.

    A place is a hash of seed and key, so it is the same for the same key in two arrangements. The
    depth of a training window is its relative position in its shard, from 0 to 1. Shards have the
    documents in the same order in every arrangement.
    """
    place = F.xxhash64(F.lit(seed), F.lit("export"), *KEY)
    placed = windows.withColumn("place", F.shiftrightunsigned(place, 64 - PLACE_BITS))
    stream = KEY[:-1]
    lengths = (
        windows.where(F.col("split") == TRAIN)
        .groupBy(*stream)
        .agg((F.max("position") + 1).alias("stream_length"))
    )
    # The hash spreads windows within a position: without it all shards' first windows would tie.
    position = F.col("position") + F.col("place") / F.lit(float(2**PLACE_BITS))
    depth = F.when(F.col("split") == TRAIN, position / F.col("stream_length"))
    joined = placed.join(F.broadcast(lengths), on=list(stream), how="left")
    return joined.withColumn("depth", depth).drop("stream_length")


def count_windows(windows: DataFrame) -> DataFrame:
    """One row for each split: its windows and its new tokens."""
    return windows.groupBy("split").agg(
        F.count("*").alias("windows"), F.sum("n_new").cast("long").alias("new_tokens")
    )


def find_last_depth(placed: DataFrame, tokens: int) -> DataFrame:
    """One row, ``depth``: that of the training window at which the new tokens reach ``tokens``.

    No row where there are fewer tokens. It first sums over buckets of depths, then over the windows
    of the bucket that has this window.
    """
    train = placed.where(F.col("split") == TRAIN).select("depth", *KEY, "n_new")
    bucketed = train.withColumn("bucket", F.floor(F.col("depth") * DEPTH_BUCKETS))
    buckets = Window.orderBy("bucket").rowsBetween(Window.unboundedPreceding, Window.currentRow)
    crossed = (
        bucketed.groupBy("bucket")
        .agg(F.sum("n_new").alias("here"))
        .withColumn("before", F.sum("here").over(buckets) - F.col("here"))
        .where((F.col("before") < tokens) & (F.col("before") + F.col("here") >= tokens))
        .select("bucket", "before")
    )
    inside = Window.partitionBy("bucket").orderBy("depth", *KEY)
    until = inside.rowsBetween(Window.unboundedPreceding, Window.currentRow)
    return (
        bucketed.join(F.broadcast(crossed), on="bucket", how="inner")
        .withColumn("reached", F.col("before") + F.sum("n_new").over(until))
        .where(F.col("reached") >= tokens)
        .agg(F.min("depth").alias("depth"))
        .where(F.col("depth").isNotNull())
    )


def take_until(placed: DataFrame, last_depth: float | None) -> DataFrame:
    """The training windows up to a depth (all for None), and all windows of other splits."""
    if last_depth is None:
        return placed
    return placed.where((F.col("split") != TRAIN) | (F.col("depth") <= last_depth))


def assign_files(placed: DataFrame, files: Mapping[str, int]) -> DataFrame:
    """The columns of an export, with ``split`` and ``file``, sorted within partitions.

    ``files`` gives the number of files of each split; they have about the same size. A file's
    windows are in one partition, in order. The place alone determines file and order, so the number
    of partitions changes nothing.
    """
    number = F.lit(None).cast("int")
    for split, n in files.items():
        beginning = F.shiftright("place", PLACE_BITS - FILE_BITS)
        share = F.shiftright(beginning * F.lit(n), FILE_BITS).cast("int")
        number = F.when(F.col("split") == split, share).otherwise(number)
    return (
        placed.withColumn("file", number)
        .select("split", "file", "place", *KEY, *WINDOW_SCHEMA.names)
        .repartition("split", "file")
        .sortWithinPartitions("split", "file", "place", *KEY)
    )


def attribute_samples(windows: DataFrame, samples: DataFrame) -> DataFrame:
    """One row for each split and sample in its windows: its source texts, licence and `COUNTED`.

    ``sample_id`` is unique in ``samples``. ``licence`` is null for a sample that no longer exists.
    """
    used = windows.select("split", F.explode("sample_ids").alias("sample_id")).distinct()
    columns = (*ATTRIBUTION, "split_token", *COUNTED)
    known = samples.select(*(name for name in columns if name != "split"))
    return used.join(known, on="sample_id", how="left").select(*columns)


def count_samples(attributed: DataFrame) -> DataFrame:
    """``samples``, counted by split, licence, language, split token and arrangement, with the
    counts of their shares (`kernels.samples.shares`); few rows.
    """
    kinds = ("split", "licence", "target_lang", "split_token", "arrangement")
    return attributed.groupBy(*kinds).agg(F.count("*").alias("samples"), *share_counts())


def assign_attribution_files(attributed: DataFrame, n: int) -> DataFrame:
    """Adds ``file``, 0 to n - 1, and sorts by it and ``sample_id`` within partitions."""
    number = F.pmod(F.xxhash64("sample_id"), F.lit(n)).cast("int")
    return (
        attributed.select(*ATTRIBUTION, number.alias("file"))
        .repartition("file")
        .sortWithinPartitions("file", "sample_id", "split")
    )
