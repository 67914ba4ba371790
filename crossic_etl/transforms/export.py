"""Windows to the files of an export: their choice, their order, and their samples."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from crossic_etl.kernels.export.layouts import WINDOW_SCHEMA
from crossic_etl.kernels.splits import TRAIN

KEY = ("generation", "shard", "position")
# A place is a hash of 63 bits. Its first 31 say in which file a window goes.
PLACE_BITS, FILE_BITS = 63, 31
# Depths are put in so many groups to sum up tokens without sorting all windows.
DEPTH_BUCKETS = 2**14

ATTRIBUTION = (
    "sample_id", "split", "arrangement", "target_lang", "origin", "licence", "en_title", "en_url",
    "en_revision_id", "target_title", "target_url", "target_revision_id",
)  # fmt: skip


def place_windows(windows: DataFrame, seed: int) -> DataFrame:
    """Windows of one kind with ``place``, the export's order of a split, and ``depth``.

    A place is a hash of seed and key, so windows of two arrangements with the same key have the
    same place. The depth of a training window is its relative position in its shard, from 0 to 1;
    shards hold the documents in the same order in every arrangement.
    """
    place = F.xxhash64(F.lit(seed), F.lit("export"), *KEY)
    placed = windows.withColumn("place", F.shiftrightunsigned(place, 64 - PLACE_BITS))
    stream = KEY[:-1]
    lengths = (
        windows.where(F.col("split") == TRAIN)
        .groupBy(*stream)
        .agg((F.max("position") + 1).alias("stream_length"))
    )
    # Between two windows of a shard the hash decides, or the first of all shards came together.
    position = F.col("position") + F.col("place") / F.lit(float(2**PLACE_BITS))
    depth = F.when(F.col("split") == TRAIN, position / F.col("stream_length"))
    joined = placed.join(F.broadcast(lengths), on=list(stream), how="left")
    return joined.withColumn("depth", depth).drop("stream_length")


def count_windows(windows: DataFrame) -> DataFrame:
    """Grain: split. Its windows and its new tokens."""
    return windows.groupBy("split").agg(
        F.count("*").alias("windows"), F.sum("n_new").cast("long").alias("new_tokens")
    )


def find_last_depth(placed: DataFrame, tokens: int) -> DataFrame:
    """One row, ``depth``: of the training window in which the new tokens reach ``tokens``.

    No row where there are fewer tokens. Sums over buckets of depths first, then over the windows of
    the bucket that has this window.
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

    ``files`` says in how many files a split's windows go.
    A file's windows are in one partition, in order. File and order come from the place alone:
    the number of partitions changes nothing. The files of a split are of about the same size.
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
    """Grain: sample in the windows of a split. Its source texts and their licence.

    ``sample_id`` is unique in ``samples``. ``licence`` is null where a sample is no longer there.
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
