"""Nearest documents of each query: shards searched in Python, candidates merged by Spark.

Frames of vectors have ``id, lang, vector`` (array of floats, or binary of float16 or float32), and
further columns that a search may exclude on. Ids are unique within a frame.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from crossic_etl.kernels.search.quantizer import Quantizer, train
from crossic_etl.kernels.search.routing import Router
from crossic_etl.kernels.search.shard import Search
from crossic_etl.kernels.search.shard_stream import CellStream
from crossic_etl.kernels.search.vectors import to_matrix
from crossic_etl.transforms.arrow import Batches

FOUND = ("query_id", "target_lang", "doc_id", "rank", "cosine")
# Whose neighbours they are: a query's, or in the other direction a document's for each language.
LIST = ("query_id", "target_lang")

_SENT = (
    "shard int, is_query boolean, cell bigint, cells array<bigint>, id string, lang string,"
    " exclusions array<bigint>, vector binary"
)
_CANDIDATES = (
    "query_id string, lang string,"
    " candidates array<struct<distance: float, doc_id: string>>, n_compared bigint, seconds double"
)
_QUANTIZER = "quantizer binary, n_trained bigint"


def sample_by_hash(frame: DataFrame, size: int, n_rows: int, seed: int) -> DataFrame:
    """The ``size`` rows, about, whose ids hash lowest with the seed, of a frame of ``n_rows``.

    The same rows whatever their order and partitions; a row that is sampled stays so when ``size``
    grows.
    """
    place = F.pmod(F.xxhash64(F.lit(seed), F.lit("sample"), F.col("id")), F.lit(2**31))
    return frame.where(place < F.lit(int(2**31 * min(1.0, size / max(1, n_rows)))))


def train_quantizer(
    sample: DataFrame, dimension: int, n_cells: int, seed: int, threads: int = 1
) -> DataFrame:
    """``quantizer, n_trained``: one row, the cells that k-means finds in the sample's vectors.

    No row where the sample is empty. One task holds the sample, 4 bytes for each float; none of it
    comes to the driver.
    """
    ordered = (
        sample.select(
            F.xxhash64(F.lit(seed), F.lit("train"), F.col("id")).alias("place"), "id", "vector"
        )
        .repartition(1)
        .sortWithinPartitions("place", "id")
    )

    def run(batches: Batches) -> Batches:
        import numpy as np
        import pyarrow as pa

        parts = [to_matrix(batch.column("vector"), dimension).copy() for batch in batches]
        if not any(len(part) for part in parts):  # a plan may have a task without rows
            return
        vectors = np.concatenate(parts)
        quantizer = train(vectors, n_cells, seed, threads=threads)
        row = {"quantizer": [quantizer.to_bytes()], "n_trained": [len(vectors)]}
        yield pa.RecordBatch.from_pydict(row)

    return ordered.mapInArrow(run, _QUANTIZER)


def find_candidates(
    queries: DataFrame,
    corpus: DataFrame,
    search: Search,
    shards: int,
    router: Router | None = None,
    within: str | None = None,
    exclude: Sequence[str] = (),
) -> DataFrame:
    """A row for each query and shard it was sent to: ``query_id, lang, candidates, n_compared,
    seconds`` (the distances computed for it and what they took).

    Exact without a ``router``: shards are cut by the hash of a document's id, and each query goes
    to all. With one, documents lie in the shard of their cell, and a query goes to those of its
    nearest cells. ``within`` names a column of both frames: rows where it differs are not compared.
    A document is no candidate of a query with which it shares a value in a column of ``exclude``.
    A task holds the documents of a shard.
    """
    documents = _searchable(corpus, within, exclude)
    seekers = _searchable(queries, within, exclude)
    sent = (
        _to_all(documents, seekers, shards)
        if router is None
        else _to_nearest(documents, seekers, router)
    )
    ordered = sent.repartitionById(shards, F.col("shard")).sortWithinPartitions(
        "shard", "is_query", "cell", "id"
    )

    def run(batches: Batches) -> Batches:
        yield from CellStream(search).run(batches)

    return ordered.mapInArrow(run, _CANDIDATES)


def _searchable(frame: DataFrame, within: str | None, exclude: Sequence[str]) -> DataFrame:
    return frame.select(
        "id",
        "lang",
        "vector",
        (F.xxhash64(within) if within else F.lit(0).cast("long")).alias("group"),
        F.array(*[_number(name) for name in exclude]).cast("array<bigint>").alias("exclusions"),
    )


def _number(column: str) -> Column:
    """A number for a value; 0, which excludes nothing, for null and the empty string."""
    present = F.col(column).isNotNull() & (F.col(column) != "")
    return F.when(present, F.xxhash64(column)).otherwise(F.lit(0)).cast("long")


def _to_all(documents: DataFrame, seekers: DataFrame, shards: int) -> DataFrame:
    of_id = F.pmod(F.xxhash64(F.lit("shard"), F.col("id")), F.lit(shards)).cast("int")
    every = F.explode(F.sequence(F.lit(0), F.lit(shards - 1)))
    return _laid_out(documents, of_id, False).unionByName(_laid_out(seekers, every, True))


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


def _to_nearest(documents: DataFrame, seekers: DataFrame, router: Router) -> DataFrame:
    def place(batches: Batches) -> Batches:
        yield from router.documents(batches)

    def send(batches: Batches) -> Batches:
        yield from router.queries(batches)

    return documents.mapInArrow(place, _SENT).unionByName(seekers.mapInArrow(send, _SENT))


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


def merge_neighbours(old: DataFrame, new: DataFrame, k: int) -> DataFrame:
    """The best k of two searches of the same queries, in old and in new documents.

    Both have the columns `FOUND`, and so has the result: what one search of all documents gives.
    """
    both = old.select(*FOUND).unionByName(new.select(*FOUND))
    # A document that was searched twice counts once, with its higher cosine.
    once = both.groupBy("query_id", "target_lang", "doc_id").agg(F.max("cosine").alias("cosine"))
    rank = F.row_number().over(
        Window.partitionBy("query_id", "target_lang").orderBy(F.desc("cosine"), "doc_id")
    )
    return once.withColumn("rank", rank).where(F.col("rank") <= k).select(*FOUND)


def documents_of(forward: DataFrame) -> DataFrame:
    """The columns `LIST` of the other direction: each found document once for each language."""
    return forward.select(F.col("doc_id").alias("query_id"), "target_lang").distinct()


def as_seekers(lists: DataFrame, vectors: DataFrame) -> DataFrame:
    """The vectors of the lists' seekers, with all their columns, as queries of a search.

    ``lang`` becomes the target language: a document that was found from two languages comes twice,
    and `find_candidates` with ``within="lang"`` finds its nearest queries in each.
    """
    wanted = lists.select(F.col("query_id").alias("id"), "target_lang")
    return (
        vectors.join(wanted, on="id", how="inner")
        .drop("lang")
        .withColumnRenamed("target_lang", "lang")
    )


def add_margins(forward: DataFrame, backward: DataFrame) -> DataFrame:
    """`FOUND` of ``forward`` with ``margin, mutual``.

    ``backward`` has the columns `FOUND` of the other direction: ``query_id`` is a document and
    ``doc_id`` a query. Both must be merged over the whole corpus before: the neighbours that one
    shard finds are not the corpus's, and a margin from them is too high.

    A cosine alone says little: some documents are near to everything. The margin is the cosine over
    the mean of both neighbourhoods' (Artetxe and Schwenk 2019, arXiv 1811.01136, "ratio"); null
    where that isn't above 0. Mutual: each is the other's nearest.
    """
    from_query = Window.partitionBy("query_id", "target_lang").rowsBetween(
        Window.unboundedPreceding, Window.unboundedFollowing
    )
    from_document = backward.groupBy(F.col("query_id").alias("doc_id"), "target_lang").agg(
        _mean(F.collect_list("cosine")).alias("backward"),
        F.max(F.when(F.col("rank") == 1, F.col("doc_id"))).alias("nearest"),
    )
    return (
        forward.withColumn("forward", _mean(F.collect_list("cosine").over(from_query)))
        .join(from_document, on=["doc_id", "target_lang"], how="left")
        .select(
            *FOUND,
            margin("cosine", "forward", "backward").alias("margin"),
            F.coalesce(
                (F.col("rank") == 1) & (F.col("nearest") == F.col("query_id")), F.lit(False)
            ).alias("mutual"),
        )
    )


def margin(cosine: str, forward: str, backward: str) -> Column:
    """The ratio of three columns: cosine, and the mean cosines over the k nearest of both ends.

    Null where a mean is, or where their sum isn't above 0.
    """
    total = F.col(forward) + F.col(backward)
    return F.when(total > 0, 2 * F.col(cosine) / total).cast("float")


def _mean(cosines: Column) -> Column:
    """Summed from the lowest up: sums in the order of arrival differ in their last bits."""
    total = F.aggregate(F.array_sort(cosines), F.lit(0.0), lambda total, cosine: total + cosine)
    return total / F.size(cosines)


def find_backward(
    forward: DataFrame,
    queries: DataFrame,
    corpus: DataFrame,
    search: Search,
    shards: int,
    router: Router | None = None,
    exclude: Sequence[str] = (),
) -> DataFrame:
    """`FOUND` of the other direction: the best k queries of each document that was found."""
    documents = as_seekers(documents_of(forward), corpus)
    return merge_candidates(
        find_candidates(documents, queries, search, shards, router, "lang", exclude), search.k
    )


def limit_uses(neighbours: DataFrame, most: int) -> DataFrame:
    """The rows that are left if each document serves at most ``most`` queries of a language.

    A document keeps its rows with the highest margin, then cosine, then the lowest query_id,
    whatever becomes of the other rows of those queries: apply thresholds before, and rank after.
    """
    order = Window.partitionBy("doc_id", "target_lang").orderBy(
        F.desc_nulls_last("margin"), F.desc("cosine"), "query_id"
    )
    return (
        neighbours.withColumn("nth_use", F.row_number().over(order))
        .where(F.col("nth_use") <= most)
        .drop("nth_use")
    )


def recall_at_k(found: DataFrame, exact: DataFrame, k: int) -> DataFrame:
    """``n_queries, n_expected, n_found, recall``: one row, over the queries of ``exact``.

    Recall is the share of exact's best k that ``found`` has among its own best k; null without any.
    """
    expected = exact.where(F.col("rank") <= k).select("query_id", "target_lang", "doc_id")
    hits = found.where(F.col("rank") <= k).select(
        "query_id", "target_lang", "doc_id", F.lit(1).alias("hit")
    )
    return (
        expected.join(hits, on=["query_id", "target_lang", "doc_id"], how="left")
        .agg(
            F.countDistinct("query_id", "target_lang").alias("n_queries"),
            F.count("*").alias("n_expected"),
            F.count("hit").alias("n_found"),
        )
        .withColumn("recall", F.try_divide("n_found", "n_expected"))
    )


def load_router(quantizer: bytes, shards: int, nprobe: int, threads: int = 1) -> Router:
    """A router from the bytes that `train_quantizer` gave."""
    return Router.of(Quantizer.from_bytes(quantizer), shards, nprobe, threads)
