"""Finds the nearest documents of each query: Python searches the shards, Spark merges the results.

Frames of vectors have ``id, lang, vector`` (array of floats, or binary of float16 or float32) and
the columns to exclude on. Ids are unique within a frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from crossic_etl.kernels.search.routing import Router
from crossic_etl.kernels.search.settings import Search
from crossic_etl.transforms.arrow import Batches

_SENT = (
    "shard int, is_query boolean, cell bigint, cells array<bigint>, id string, lang string,"
    " exclusions array<bigint>, vector binary"
)
_CANDIDATES = (
    "query_id string, lang string,"
    " candidates array<struct<distance: float, doc_id: string>>, n_compared bigint, seconds double"
)


@dataclass(frozen=True)
class SearchRequest:
    """The settings of a search for queries in a corpus.

    Attributes:
        search: settings of each shard's search, with the number of documents to find.
        shards: parts of the corpus; a task holds the documents of one.
        router: sends each query to its nearest cells; None for an exact search of all shards.
        exclude: columns of both frames. A query doesn't get a document that has the same value in
            one of them.
    """

    search: Search
    shards: int
    router: Router | None = None
    exclude: Sequence[str] = ()


def find_candidates(
    queries: DataFrame, corpus: DataFrame, request: SearchRequest, *, within: str | None = None
) -> DataFrame:
    """A row for each query and shard it was sent to: ``query_id, lang, candidates, n_compared,
    seconds`` (distances computed, and the time it took).

    Without a router, a hash of a document's id gives its shard, and each query goes to all shards.
    With one, a document is in the shard of its cell, and a query goes to the shards of its nearest
    cells. ``within`` names a column of both frames: rows where it differs are not compared.
    """
    documents = _searchable(corpus, within, request.exclude)
    asked = _searchable(queries, within, request.exclude)
    sent = (
        _to_all(documents, asked, request.shards)
        if request.router is None
        else _to_nearest(documents, asked, request.router)
    )
    ordered = sent.repartitionById(request.shards, F.col("shard")).sortWithinPartitions(
        "shard", "is_query", "cell", "id"
    )
    search = request.search

    def run(batches: Batches) -> Batches:
        # Here, as it imports faiss, which only the worker needs.
        from crossic_etl.kernels.search.shard_stream import CellStream

        yield from CellStream(search).run(batches)

    return ordered.mapInArrow(run, _CANDIDATES)


def merge_candidates(candidates: DataFrame, k: int) -> DataFrame:
    """``query_id, target_lang, doc_id, rank, cosine``: the best k of each query over all shards.

    Best first; of equal cosines the lower doc_id goes first. Rank counts from 1.
    """
    best = candidates.groupBy("query_id", "lang").agg(
        F.slice(F.array_sort(F.flatten(F.collect_list("candidates"))), 1, k).alias("best")
    )
    return best.select(
        "query_id", F.col("lang").alias("target_lang"), F.posexplode("best").alias("at", "one")
    ).select(
        "query_id",
        "target_lang",
        F.col("one.doc_id").alias("doc_id"),
        (F.col("at") + 1).alias("rank"),
        (-F.col("one.distance")).alias("cosine"),
    )


def _searchable(frame: DataFrame, within: str | None, exclude: Sequence[str]) -> DataFrame:
    return frame.select(
        "id",
        "lang",
        "vector",
        (F.xxhash64(within) if within else F.lit(0).cast("long")).alias("group"),
        F.array(*[_number(name) for name in exclude]).cast("array<bigint>").alias("exclusions"),
    )


def _number(column: str) -> Column:
    """A number for a value; null and the empty string give 0, which excludes nothing."""
    present = F.col(column).isNotNull() & (F.col(column) != "")
    return F.when(present, F.xxhash64(column)).otherwise(F.lit(0)).cast("long")


def _to_all(documents: DataFrame, queries: DataFrame, shards: int) -> DataFrame:
    of_id = F.pmod(F.xxhash64(F.lit("shard"), F.col("id")), F.lit(shards)).cast("int")
    every = F.explode(F.sequence(F.lit(0), F.lit(shards - 1)))
    return _laid_out(documents, of_id, False).unionByName(_laid_out(queries, every, True))


def _laid_out(frame: DataFrame, shard: Column, is_query: bool) -> DataFrame:
    return frame.select(
        shard.alias("shard"),
        F.lit(is_query).alias("is_query"),
        (F.lit(0).cast("long") if is_query else F.col("group")).alias("cell"),
        F.array("group").alias("cells"),
        "id",
        "lang",
        "exclusions",
        "vector",
    )


def _to_nearest(documents: DataFrame, queries: DataFrame, router: Router) -> DataFrame:
    def place(batches: Batches) -> Batches:
        yield from router.documents(batches)

    def send(batches: Batches) -> Batches:
        yield from router.queries(batches)

    return documents.mapInArrow(place, _SENT).unionByName(queries.mapInArrow(send, _SENT))
