"""Packs samples into training windows, shard by shard, in an order independent of the cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

import numpy as np
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from crossic_etl.kernels.samples.names import DOCUMENTS, ORDERS, SHUFFLED
from crossic_etl.kernels.samples.packing import PackedSample, pack
from crossic_etl.kernels.tokens.ends import Ids
from crossic_etl.schemas import WINDOWS
from crossic_etl.transforms.arrow import Batches, Row, to_batches

# The key of a stream of windows.
_STREAM = ("arrangement", "tokenizer", "split", "shard")
_NOTED = ("sample_id", "target_lang", "document")
# The key of a sample within one tokenizer.
SAMPLE = ("arrangement", "split", "sample_id")
# Ours. An export's budget ends within a chapter. More chapters have fewer documents each, but put
# two shuffled samples of one pair next to each other more often.
CHAPTER_BITS = 4
# Stream, sample id, language, document and ids.
_StreamRow = tuple[tuple[Any, ...], str, str, str, Ids]


@dataclass(frozen=True)
class Streams:
    """How samples are divided into streams of windows, and their order in a stream.

    Attributes:
        shards: number of streams of an arrangement and split; of each language, if they are apart.
        seed: of the hashes.
        order: ``documents`` keeps the samples of a pair together, in the pair's order;
            ``shuffled`` doesn't.
        languages: target languages with streams of their own; if empty, streams mix languages.
    """

    shards: int
    seed: int
    order: str = DOCUMENTS
    languages: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.order not in ORDERS:
            expected = " or ".join(ORDERS)
            raise ValueError(f"window.order: {self.order!r} is none; expected {expected}")


def mark_threads(samples: DataFrame, in_mixture: bool = False) -> DataFrame:
    """Adds ``thread`` and ``is_translation``, by which `make_windows` orders documents.

    Samples of one pair and thread follow one another. Pairs have one thread; in a mixture, one for
    each arrangement, so that a mixture scatters what its arrangements repeat of a pair. Call it
    before `mix_samples`, which overwrites the arrangement. ``is_translation`` is true for the
    target texts of ``mix``, whose shards never are those of their English texts.
    """
    is_target = (F.col("arrangement") == "mix") & F.col("en_source_id").isNull()
    return samples.withColumns(
        {
            "thread": F.col("arrangement") if in_mixture else F.lit(""),
            "is_translation": is_target,
        }
    )


def make_windows(
    samples: DataFrame, length: int, policy: str, streams: Streams, generation: int = 0
) -> DataFrame:
    """``windows`` of samples of one tokenizer; each arrangement and split is packed separately.

    ``samples`` are those of `mark_threads`. Hashes with the seed give a sample's shard and its
    place there. Each shard is packed as one stream, so the number of partitions, executors or
    retries changes nothing. A task holds at most one window, or one block of ``best-fit``, in
    memory.

    A pair of documents is in the same chapter, one of 16, in every arrangement. So streams cut at
    the same share of their length have the same documents, except those of one chapter.

    In the order ``documents`` all arrangements but ``mixture`` have the pairs in the same order
    in the same shards. In ``mix`` the target text of a pair is in another shard than its English
    text (so there are two shards at least), and never in the same window. ``shuffled`` puts the
    samples of a chapter in any order, so ``mix`` seldom has a text next to its translation.
    """
    ordered = (
        samples.select(
            "arrangement",
            "tokenizer",
            "split",
            _shard(streams).alias("shard"),
            _hash(streams.seed, "chapter", "pair_id", bits=CHAPTER_BITS).alias("chapter"),
            _place(streams).alias("place"),
            _document(streams).alias("document"),
            "pair_id",
            "segment",
            "sample_id",
            "target_lang",
            "input_ids",
        )
        .repartition("arrangement", "split", "shard")
        .sortWithinPartitions("arrangement", "split", "shard", "chapter", *_IN_CHAPTER)
    )

    def run(batches: Batches) -> Batches:
        yield from to_batches(_windows(batches, length, policy, generation), WINDOWS.schema)

    return ordered.mapInArrow(run, WINDOWS.schema)


# The pair comes before the segment, in case two pairs have the same place.
_IN_CHAPTER = ("place", "pair_id", "segment", "sample_id")


def _place(streams: Streams) -> Column:
    """A sample's place within its chapter; that of its pair, if documents stay together."""
    of = ("sample_id",) if streams.order == SHUFFLED else ("thread", "pair_id")
    return _hash(streams.seed, "window", *of, bits=64 - CHAPTER_BITS)


def _document(streams: Streams) -> Column:
    """The name of what ``best-fit`` keeps together."""
    if streams.order == SHUFFLED:
        return F.col("sample_id")
    return F.concat_ws(" ", "thread", "pair_id")


def _shard(streams: Streams) -> Column:
    """A sample's shard, unique over languages if they are apart: the n-th has its own range."""
    n_shards, seed = streams.shards, streams.seed
    if streams.order == SHUFFLED:
        shard = F.pmod(_hash(seed, "shard", "sample_id"), F.lit(n_shards))
    else:
        shard = _shard_of_document(seed, n_shards)
    if not streams.languages:
        return shard.cast("int")
    numbers = [part for n, lang in enumerate(sorted(streams.languages)) for part in (lang, n)]
    unknown = F.raise_error(F.concat(F.lit("windows: no stream for language "), "target_lang"))
    number = F.coalesce(
        F.create_map(*map(F.lit, numbers))[F.col("target_lang")], unknown.cast("int")
    )
    return (number * F.lit(_shard_range(streams)) + shard).cast("int")


def _shard_of_document(seed: int, n_shards: int) -> Column:
    """The shard of a sample's pair; of a translation, another one of at least two."""
    hashed = _hash(seed, "shard", "thread", "pair_id")
    n_apart = max(n_shards, 2)
    step = F.lit(1) + F.pmod(_hash(seed, "apart", "thread", "pair_id"), F.lit(n_apart - 1))
    other = F.pmod(F.pmod(hashed, F.lit(n_shards)) + step, F.lit(n_apart))
    return F.when(F.col("is_translation"), other).otherwise(F.pmod(hashed, F.lit(n_shards)))


def _shard_range(streams: Streams) -> int:
    """The number of shards of one language, with the second one of ``mix``."""
    return streams.shards if streams.order == SHUFFLED else max(streams.shards, 2)


def _hash(seed: int, purpose: str, *columns: str, bits: int = 64) -> Column:
    hashed = F.xxhash64(F.lit(seed), F.lit(purpose), *columns)
    return F.shiftrightunsigned(hashed, 64 - bits)


def _windows(batches: Batches, length: int, policy: str, generation: int) -> Iterator[Row]:
    for (arrangement, tokenizer, split, shard), rows in groupby(_rows(batches), lambda row: row[0]):
        # Of samples that no window holds whole yet.
        languages: dict[str, str] = {}
        documents: dict[str, str] = {}
        noted = _noting(rows, languages, documents)
        windows = pack(noted, length, policy, documents.__getitem__)
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
                "sample_langs": [languages[name] for name in window.sample_ids],
                **window._asdict(),
            }
            for name in window.sample_ids[: window.n_whole]:
                del languages[name], documents[name]


def _noting(
    rows: Iterable[_StreamRow], languages: dict[str, str], documents: dict[str, str]
) -> Iterator[PackedSample]:
    """The samples; notes the language and document of each."""
    for _, sample_id, language, document, ids in rows:
        languages[sample_id], documents[sample_id] = language, document
        yield sample_id, ids


def _rows(batches: Batches) -> Iterator[_StreamRow]:
    for batch in batches:
        streams = zip(*(batch.column(name).to_pylist() for name in _STREAM), strict=True)
        noted = (batch.column(name).to_pylist() for name in _NOTED)
        ids = batch.column("input_ids")
        offsets = ids.offsets.to_numpy()
        values = ids.values.to_numpy().astype(np.int32, copy=False)
        slices = (values[a:b] for a, b in pairwise(offsets))
        yield from zip(streams, *noted, slices, strict=True)


def find_broken(windows: DataFrame, samples: DataFrame) -> DataFrame:
    """The keys of the windows that have a sample, or the start of one, that no longer exists.

    ``samples`` have unique ``arrangement, split, sample_id``; windows are of one tokenizer.
    """
    held = windows.select(*WINDOWS.key, F.explode("sample_ids").alias("sample_id"))
    lost = held.join(samples.select(*SAMPLE), on=list(SAMPLE), how="left_anti")
    return lost.select(*WINDOWS.key).distinct()


def select_unpacked(samples: DataFrame, windows: DataFrame, broken: DataFrame) -> DataFrame:
    """The samples that no window holds whole; broken windows don't count."""
    whole = windows.join(broken, on=list(WINDOWS.key), how="left_anti").select(
        "arrangement", "split", F.explode(F.slice("sample_ids", F.lit(1), "n_whole")).alias("id")
    )
    return samples.join(
        whole.withColumnRenamed("id", "sample_id"), on=list(SAMPLE), how="left_anti"
    )


def renew_repeated(windows: DataFrame, broken: DataFrame) -> DataFrame:
    """The unbroken windows that follow a broken one: their repeated tokens count as new."""
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
    """One row: windows, samples that are whole, and tokens that are new, repeated and missing."""
    sums = {"samples": "n_whole", "new": "n_new", "repeated": "n_repeated", "padding": "n_padding"}
    return windows.agg(
        F.count("*").alias("windows"),
        *[F.coalesce(F.sum(c), F.lit(0)).cast("long").alias(name) for name, c in sums.items()],
    )
