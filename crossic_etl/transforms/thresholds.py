"""Margins of calibration pairs, right and wrong ones, computed as the neighbour search does.

The wrong document of a query is by default the best that a search of all documents gives it. A
search has no pages among its documents, so the counterpart is absent, but for near copies, which
are left out. The right pair has the margin that it would have if the counterpart were there too.

A pair has ``target_lang, query_id, doc_id``: a page of a target language and an English page. A
query is in one pair of its language. An English page may be in one pair of each language.
"""

from __future__ import annotations

import pyarrow as pa
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from crossic_etl.kernels.search.calibration import wrong_partners
from crossic_etl.kernels.search.vectors import inner_products, to_matrix
from crossic_etl.transforms.arrow import Batches
from crossic_etl.transforms.embeddings import choose_calibration_pairs
from crossic_etl.transforms.neighbours import (
    NEIGHBOUR_COLUMNS,
    add_margins,
    margin,
    merge_neighbours,
)

# Ours: a document with this cosine to an English page is a near copy of it, and so no wrong answer.
# Copies with a notice before them, without their beginning or with other digits have 0.94 to 1.0.
COPY_COSINE = 0.9
KNOWN, CALIBRATED = "known", "calibrated"
PAIR = ("target_lang", "query_id", "doc_id")

_PAIR = "target_lang string, query_id string, doc_id string"
_COSINES = f"{_PAIR}, is_right boolean, cosine float"


def filter_pairs(pairs: DataFrame, vectors: DataFrame, seed: int) -> DataFrame:
    """A row for each of ``pairs``: `PAIR` and ``outcome``, `KNOWN` or why the pair is left out.

    ``over_the_limit``: the language has more pairs than are embedded for calibration.
    ``no_vector``: a page could not be embedded, or isn't yet. ``same_text``: both pages have the
    same text, which a search excludes. ``vectors`` has unique ids.
    """
    pages = vectors.where(F.col("kind") == "page")
    en = pages.select(F.col("id").alias("en_id"), F.col("text_hash").alias("en_hash"))
    target = pages.select(F.col("id").alias("target_id"), F.col("text_hash").alias("target_hash"))
    return (
        choose_calibration_pairs(pairs, seed)
        .join(en, on="en_id", how="left")
        .join(target, on="target_id", how="left")
        .select(
            "target_lang",
            F.col("target_id").alias("query_id"),
            F.col("en_id").alias("doc_id"),
            F.when(~F.col("chosen"), "over_the_limit")
            .when(F.col("en_hash").isNull() | F.col("target_hash").isNull(), "no_vector")
            .when(F.col("en_hash") == F.col("target_hash"), "same_text")
            .otherwise(KNOWN)
            .alias("outcome"),
        )
    )


def select_ends(known: DataFrame, vectors: DataFrame) -> tuple[DataFrame, DataFrame]:
    """The vectors of the pairs' queries, and of their English pages; each vector once."""
    of_queries, of_documents = known.select("query_id"), known.select("doc_id")
    return (
        vectors.join(of_queries, on=F.col("id") == F.col("query_id"), how="left_semi"),
        vectors.join(of_documents, on=F.col("id") == F.col("doc_id"), how="left_semi"),
    )


def choose_nearest(known: DataFrame, found: DataFrame) -> DataFrame:
    """`PAIR` of each query with the nearest English page in ``found`` that isn't its own.

    ``found`` has at least the best two of each query among the pages of its language's pairs.
    """
    nearest = F.row_number().over(Window.partitionBy("target_lang", "query_id").orderBy("rank"))
    return (
        _beside_own(known, found)
        .withColumn("place", nearest)
        .where(F.col("place") == 1)
        .select(*PAIR)
    )


def find_copies(
    known: DataFrame, found: DataFrame, vectors: DataFrame, dimension: int
) -> DataFrame:
    """`PAIR` of each query with documents that are copies of its own English page.

    ``found`` has neighbours of the queries; ``vectors`` has both the documents and the pages.
    """
    candidates = _beside_own(known, found).select(
        "target_lang", F.col("right_id").alias("query_id"), "doc_id", F.lit(False).alias("is_right")
    )
    cosines = add_cosines(candidates.distinct(), vectors, vectors, dimension)
    copies = cosines.where(F.col("cosine") >= COPY_COSINE).select(
        "target_lang", F.col("query_id").alias("right_id"), F.col("doc_id").alias("copy_id")
    )
    own = known.select("target_lang", "query_id", F.col("doc_id").alias("right_id"))
    return copies.join(own, on=["target_lang", "right_id"], how="inner").select(
        "target_lang", "query_id", F.col("copy_id").alias("doc_id")
    )


def leave_out_copies(copies: DataFrame, found: DataFrame, k: int) -> DataFrame:
    """The best k of each query's neighbours in ``found`` that are no copies of its English page.

    `NEIGHBOUR_COLUMNS`, with ranks from 1. ``copies`` has `PAIR`, and ``found`` more than k
    neighbours of each query.
    """
    left = found.join(copies.select(*PAIR), on=list(PAIR), how="left_anti")
    best = F.row_number().over(Window.partitionBy("target_lang", "query_id").orderBy("rank"))
    return left.withColumn("rank", best).where(F.col("rank") <= k).select(*NEIGHBOUR_COLUMNS)


def add_right(right: DataFrame, without: DataFrame, k: int) -> DataFrame:
    """The best k of each query if its own English page were among the documents.

    ``right`` has `PAIR` and ``cosine``, ``without`` the neighbours without it.
    """
    own = right.select(*PAIR, F.lit(1).alias("rank"), "cosine")
    return merge_neighbours(without, own, k)


def _beside_own(known: DataFrame, found: DataFrame) -> DataFrame:
    """``found`` and ``right_id``, without the rows of the known pairs themselves."""
    right = known.select("target_lang", "query_id", F.col("doc_id").alias("right_id"))
    both = found.join(right, on=["target_lang", "query_id"], how="inner")
    return both.where(F.col("doc_id") != F.col("right_id"))


def score_absent(without: DataFrame, backward: DataFrame) -> DataFrame:
    """``target_lang, query_id, is_right, margin`` of the best wrong document of each query.

    ``without`` is the result of `leave_out_copies`: the mean of a query's neighbourhood is that of
    a search in which its counterpart is absent. A search accepts any of its neighbours, so the
    best is the one with the highest margin.
    """
    best = add_margins(without, backward).groupBy("target_lang", "query_id")
    return best.agg(F.max("margin").alias("margin")).select(
        "target_lang", "query_id", F.lit(False).alias("is_right"), "margin"
    )


def choose_random(known: DataFrame, seed: int) -> DataFrame:
    """`PAIR` of each query with an English page of another pair of its language, by hash.

    A group has one language's known pairs, at most `CALIBRATION_PAIRS`.
    """

    def pick(pairs: pa.Table) -> pa.Table:
        return choose_partners(pairs, seed)

    return known.select(*PAIR).groupBy("target_lang").applyInArrow(pick, _PAIR)


def choose_partners(pairs: pa.Table, seed: int) -> pa.Table:
    """The rows of `PAIR` with a wrong document each; no row if every document is right.

    ``pairs`` are the known pairs of one language.
    """
    queries, documents = pairs.column("query_id").to_pylist(), pairs.column("doc_id").to_pylist()
    partners = wrong_partners(queries, documents, seed)
    found = partners[:, 0].tolist() if partners.shape[1] else [-1] * len(queries)
    rows = zip(pairs.column("target_lang").to_pylist(), queries, found, strict=True)
    return pa.Table.from_pylist(
        [
            dict(zip(PAIR, (lang, query, documents[at]), strict=True))
            for lang, query, at in rows
            if at >= 0
        ],
        schema=pairs.schema,
    )


def join_pairs(known: DataFrame, wrong: DataFrame) -> DataFrame:
    """`PAIR` and ``is_right`` of the known and the wrong pairs."""
    right = known.select(*PAIR, F.lit(True).alias("is_right"))
    return right.unionByName(wrong.select(*PAIR, F.lit(False).alias("is_right")))


def add_cosines(
    pairs: DataFrame, queries: DataFrame, documents: DataFrame, dimension: int
) -> DataFrame:
    """The pairs with ``cosine``, computed from both vectors; ids of vectors are unique."""
    of_query = queries.select(F.col("id").alias("query_id"), F.col("vector").alias("of_query"))
    of_doc = documents.select(F.col("id").alias("doc_id"), F.col("vector").alias("of_doc"))

    def run(batches: Batches) -> Batches:
        for batch in batches:
            columns = [batch.column(name) for name in (*PAIR, "is_right")]
            ends = [to_matrix(batch.column(name), dimension) for name in ("of_query", "of_doc")]
            cosines = pa.array(inner_products(*ends), pa.float32())
            yield pa.RecordBatch.from_arrays(
                [*columns, cosines], names=[*PAIR, "is_right", "cosine"]
            )

    return (
        pairs.join(of_query, on="query_id", how="inner")
        .join(of_doc, on="doc_id", how="inner")
        .select(*PAIR, "is_right", "of_query", "of_doc")
        .mapInArrow(run, _COSINES)
    )


def score_pairs(pairs: DataFrame, forward: DataFrame, backward: DataFrame) -> DataFrame:
    """``target_lang, query_id, is_right, margin`` of pairs with cosines.

    ``forward`` and ``backward`` are the best k of the queries and of the English pages, merged over
    all shards; they need not include the pairs. The margin is null where it isn't defined.
    """
    of_query = forward.groupBy("query_id", "target_lang").agg(F.avg("cosine").alias("forward"))
    of_doc = backward.groupBy(F.col("query_id").alias("doc_id"), "target_lang").agg(
        F.avg("cosine").alias("backward")
    )
    return (
        pairs.join(of_query, on=["query_id", "target_lang"], how="left")
        .join(of_doc, on=["doc_id", "target_lang"], how="left")
        .select(
            "target_lang",
            "query_id",
            "is_right",
            margin("cosine", "forward", "backward").alias("margin"),
        )
    )


def count_pairs(filtered: DataFrame, scores: DataFrame) -> DataFrame:
    """``outcome, n`` of every pair: `CALIBRATED`, ``no_margin``, or why it was left out."""
    dropped = filtered.where(F.col("outcome") != KNOWN).select("outcome")
    outcome = F.when(F.col("margin").isNull(), "no_margin").otherwise(CALIBRATED)
    used = scores.where("is_right").select(outcome.alias("outcome"))
    return dropped.unionByName(used).withColumn("n", F.lit(1).cast("long"))
