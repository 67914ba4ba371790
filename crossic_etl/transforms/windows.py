"""Samples to training windows, shard by shard, in an order that no cluster changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby, pairwise
from typing import Any

import numpy as np
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from crossic_etl.kernels.samples.packing import PackedSample, pack
from crossic_etl.kernels.tokens.ends import Ids
from crossic_etl.schemas import WINDOWS
from crossic_etl.transforms.arrow import Batches, Row, to_batches

# Each stream of windows has one of each of these.
_STREAM = ("arrangement", "tokenizer", "split", "shard")
# What a sample is to the windows of its tokenizer.
SAMPLE = ("arrangement", "split", "sample_id")
# Ours: the more chapters, the fewer documents are in the one of which an export's budget takes a
# part, but the oftener two samples of one pair come one after the other.
CHAPTER_BITS = 4
_StreamRow = tuple[tuple[Any, ...], str, str, Ids]


def make_windows(
    samples: DataFrame, length: int, policy: str, shards: int, seed: int, generation: int = 0
) -> DataFrame:
    """``windows`` of samples (of one tokenizer), each arrangement and split for itself.

    A sample's shard and its place there come from hashes with the seed, and each shard is packed as
    one stream: the number of partitions, executors or retries changes nothing. At most one window,
    or one block of ``best-fit``, is in memory for each task.

    A pair of documents has the same chapter of its shards, one of 16, in every arrangement, so that
    streams that are cut at the same share of their length hold the same documents, but for those of
    one chapter. Within it samples are shuffled: ``mix`` is to have no text beside its translation.
    """
    chapter = _hash(seed, "chapter", "pair_id", bits=CHAPTER_BITS)
    place = _hash(seed, "window", "sample_id", bits=64 - CHAPTER_BITS)
    ordered = (
        samples.select(
            "arrangement",
            "tokenizer",
            "split",
            F.pmod(_hash(seed, "shard", "sample_id"), F.lit(shards)).cast("int").alias("shard"),
            chapter.alias("chapter"),
            place.alias("place"),
            "sample_id",
            "target_lang",
            "input_ids",
        )
        .repartition("arrangement", "split", "shard")
        .sortWithinPartitions("arrangement", "split", "shard", "chapter", "place", "sample_id")
    )

    def run(batches: Batches) -> Batches:
        yield from to_batches(_windows(batches, length, policy, generation), WINDOWS.schema)

    return ordered.mapInArrow(run, WINDOWS.schema)


def _hash(seed: int, purpose: str, *columns: str, bits: int = 64) -> Column:
    hashed = F.xxhash64(F.lit(seed), F.lit(purpose), *columns)
    return F.shiftrightunsigned(hashed, 64 - bits)


def _windows(batches: Batches, length: int, policy: str, generation: int) -> Iterator[Row]:
    for (arrangement, tokenizer, split, shard), rows in groupby(_rows(batches), lambda row: row[0]):
        waiting: dict[str, str] = {}  # languages of the samples that are not yet whole in a window
        windows = pack(_noting_languages(rows, waiting), length, policy)
        for position, window in enumerate(windows):
            yield {
                "arrangement": arrangement,
                "tokenizer": tokenizer,
                "window_length": length,
                "policy": policy,
                "split": split,
                "generation": generation,
                "shard": shard,
                "position": position,
                "sample_langs": [waiting[name] for name in window.sample_ids],
                **window._asdict(),
            }
            for name in window.sample_ids[: window.n_whole]:
                del waiting[name]


def _noting_languages(
    rows: Iterable[_StreamRow], waiting: dict[str, str]
) -> Iterator[PackedSample]:
    for _, sample_id, language, ids in rows:
        waiting[sample_id] = language
        yield sample_id, ids


def _rows(batches: Batches) -> Iterator[_StreamRow]:
    for batch in batches:
        streams = zip(*(batch.column(name).to_pylist() for name in _STREAM), strict=True)
        names, languages = (batch.column(c).to_pylist() for c in ("sample_id", "target_lang"))
        ids = batch.column("input_ids")
        offsets = ids.offsets.to_numpy()
        values = ids.values.to_numpy().astype(np.int32, copy=False)
        slices = (values[a:b] for a, b in pairwise(offsets))
        yield from zip(streams, names, languages, slices, strict=True)


def find_broken(windows: DataFrame, samples: DataFrame) -> DataFrame:
    """The keys of the windows that hold a sample, or the beginning of one, that is gone.

    ``samples`` have unique ``arrangement, split, sample_id``; windows are of one tokenizer.
    """
    held = windows.select(*WINDOWS.key, F.explode("sample_ids").alias("sample_id"))
    lost = held.join(samples.select(*SAMPLE), on=list(SAMPLE), how="left_anti")
    return lost.select(*WINDOWS.key).distinct()


def select_unpacked(samples: DataFrame, windows: DataFrame, broken: DataFrame) -> DataFrame:
    """The samples that no window holds whole, except broken ones."""
    whole = windows.join(broken, on=list(WINDOWS.key), how="left_anti").select(
        "arrangement", "split", F.explode(F.slice("sample_ids", F.lit(1), "n_whole")).alias("id")
    )
    return samples.join(
        whole.withColumnRenamed("id", "sample_id"), on=list(SAMPLE), how="left_anti"
    )


def renew_repeated(windows: DataFrame, broken: DataFrame) -> DataFrame:
    """The unbroken windows after a broken one: their repeated tokens count as new."""
    following = broken.withColumn("position", F.col("position") + 1)
    whole = windows.join(broken, on=list(WINDOWS.key), how="left_anti")
    renewed = whole.join(following, on=list(WINDOWS.key), how="left_semi")
    return (
        renewed.where(F.col("n_repeated") > 0)
        .withColumn("n_new", F.col("n_new") + F.col("n_repeated"))
        .withColumn("n_repeated", F.lit(0))
        .select(WINDOWS.columns)
    )


def window_counts(windows: DataFrame) -> DataFrame:
    """One row: windows, samples seen whole, and tokens that are new, repeated and missing."""
    sums = {"samples": "n_whole", "new": "n_new", "repeated": "n_repeated", "padding": "n_padding"}
    return windows.agg(
        F.count("*").alias("windows"),
        *[F.coalesce(F.sum(c), F.lit(0)).cast("long").alias(name) for name, c in sums.items()],
    )
