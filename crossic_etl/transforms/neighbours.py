"""Lists of neighbours: merged, scored by margins of both directions, limited, and compared.

A frame of neighbours has the columns `NEIGHBOUR_COLUMNS`. Its neighbour lists have the key
`LIST_KEY`: one list for each query, or in the other direction one for each found document and
language, where ``query_id`` is the document and ``doc_id`` a query.
"""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from crossic_etl.transforms.candidates import SearchRequest, find_candidates, merge_candidates

NEIGHBOUR_COLUMNS = ("query_id", "target_lang", "doc_id", "rank", "cosine")
LIST_KEY = ("query_id", "target_lang")


def merge_neighbours(old: DataFrame, new: DataFrame, k: int) -> DataFrame:
    """The best k of two searches of the same queries, in old and in new documents.

    All three frames have `NEIGHBOUR_COLUMNS`. The result is that of one search of all documents.
    """
    both = old.select(*NEIGHBOUR_COLUMNS).unionByName(new.select(*NEIGHBOUR_COLUMNS))
    # A document that was searched twice counts once, with its higher cosine.
    once = both.groupBy("query_id", "target_lang", "doc_id").agg(F.max("cosine").alias("cosine"))
    rank = F.row_number().over(
        Window.partitionBy("query_id", "target_lang").orderBy(F.desc("cosine"), "doc_id")
    )
    return once.withColumn("rank", rank).where(F.col("rank") <= k).select(*NEIGHBOUR_COLUMNS)


def documents_of(forward: DataFrame) -> DataFrame:
    """`LIST_KEY` of the other direction: each found document once for each language."""
    return forward.select(F.col("doc_id").alias("query_id"), "target_lang").distinct()


def as_queries(lists: DataFrame, vectors: DataFrame) -> DataFrame:
    """The vectors of the neighbour lists' queries, with all their columns.

    ``lang`` becomes the target language. A document that was found from two languages comes twice,
    and `find_candidates` with ``within="lang"`` finds its nearest queries in each.
    """
    wanted = lists.select(F.col("query_id").alias("id"), "target_lang")
    return (
        vectors.join(wanted, on="id", how="inner")
        .drop("lang")
        .withColumnRenamed("target_lang", "lang")
    )


def add_margins(forward: DataFrame, backward: DataFrame) -> DataFrame:
    """`NEIGHBOUR_COLUMNS` of ``forward`` with ``margin, mutual``.

    ``backward`` has `NEIGHBOUR_COLUMNS` of the other direction: ``query_id`` is a document and
    ``doc_id`` a query. Both must be merged over the whole corpus: a margin from the neighbours of
    one shard is too high.

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
            *NEIGHBOUR_COLUMNS,
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
    forward: DataFrame, queries: DataFrame, corpus: DataFrame, request: SearchRequest
) -> DataFrame:
    """`NEIGHBOUR_COLUMNS` of the other direction: the best k queries of each found document."""
    documents = as_queries(documents_of(forward), corpus)
    candidates = find_candidates(documents, queries, request, within="lang")
    return merge_candidates(candidates, request.search.k)


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
