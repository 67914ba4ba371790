"""Selects the vectors of queries and corpus, and accepts or rejects the neighbours found."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from crossic_etl.kernels.search.calibration import ALL_LANGUAGES
from crossic_etl.schemas import NEIGHBOURS
from crossic_etl.transforms.neighbours import limit_uses


def select_vectors(embeddings: DataFrame, half: bool) -> DataFrame:
    """``id, kind, lang, text_hash, vector`` of ``embeddings``, in one of the two precisions."""
    vector = F.col("half_vector" if half else "vector")
    columns = ("id", "kind", "lang", "text_hash")
    return embeddings.where(vector.isNotNull()).select(*columns, vector.alias("vector"))


def add_urls(vectors: DataFrame, documents: DataFrame) -> DataFrame:
    """Adds ``url`` to the vectors of documents; ``documents`` has unique ids."""
    urls = documents.select(F.col("doc_id").alias("id"), "url")
    return vectors.join(urls, on="id", how="left")


def select_queries(vectors: DataFrame, queries: str) -> DataFrame:
    """Vectors of pages or documents of the target languages, as ``retrieved.queries`` says."""
    kind = "page" if queries == "pages" else "document"
    return vectors.where((F.col("kind") == kind) & (F.col("lang") != "en"))


def select_corpus(vectors: DataFrame) -> DataFrame:
    """Vectors of English documents."""
    return vectors.where((F.col("kind") == "document") & (F.col("lang") == "en"))


def accept_neighbours(
    scored: DataFrame, thresholds: Mapping[str, float], max_uses: int
) -> DataFrame:
    """``scored`` with ``accepted``.

    A neighbour is acceptable if its margin reaches its language's threshold. In a language without
    one it is acceptable if it is mutual. Each document keeps its ``max_uses`` best acceptable
    neighbours of a language.
    """
    acceptable = scored.where(_reaches(thresholds))
    keys = ("query_id", "target_lang", "doc_id")
    taken = limit_uses(acceptable, max_uses).select(*keys, F.lit(True).alias("taken"))
    joined = scored.join(taken, on=list(keys), how="left")
    return joined.withColumn("accepted", F.coalesce("taken", F.lit(False))).drop("taken")


def _reaches(thresholds: Mapping[str, float]) -> Column:
    chosen = F.lit(thresholds.get(ALL_LANGUAGES)).cast("float")
    for lang, least in sorted(thresholds.items()):
        if lang != ALL_LANGUAGES:
            chosen = F.when(F.col("target_lang") == lang, F.lit(least).cast("float")).otherwise(
                chosen
            )
    reaches = F.col("margin") >= chosen
    return F.when(chosen.isNull(), F.col("mutual")).otherwise(F.coalesce(reaches, F.lit(False)))


def select_neighbours(accepted: DataFrame, queries: str, model: str, revision: str) -> DataFrame:
    """``neighbours``: the rows of `accept_neighbours` in the table's columns."""
    kind = "page" if queries == "pages" else "document"
    values = {
        "query_kind": F.lit(kind),
        "model": F.lit(model),
        "revision": F.lit(revision),
    }
    return accepted.select(
        [
            values.get(field.name, F.col(field.name)).cast(field.dataType).alias(field.name)
            for field in NEIGHBOURS.schema
        ]
    )


def count_queries(queries: DataFrame, neighbours: DataFrame) -> DataFrame:
    """``outcome, n``: queries with an accepted neighbour, with rejected ones only, with none."""
    best = neighbours.groupBy(F.col("query_id").alias("id"), F.col("target_lang").alias("lang"))
    found = best.agg(F.max("accepted").alias("accepted"))
    joined = queries.select("id", "lang").join(found, on=["id", "lang"], how="left")
    outcome = (
        F.when(F.col("accepted"), "accepted")
        .when(F.col("accepted").isNotNull(), "none_accepted")
        .otherwise("no_neighbour")
    )
    return joined.select(outcome.alias("outcome"), F.lit(1).cast("long").alias("n"))
