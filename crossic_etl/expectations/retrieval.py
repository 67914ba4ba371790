"""Expectations of vectors, and of the neighbours that were found with them."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from crossic_etl.expectations.expectation import Expectation, of_every_row
from crossic_etl.kernels.search.vectors import row_lengths
from crossic_etl.schemas import DOCUMENTS, EMBEDDINGS, NEIGHBOURS, PAGES, REVERSE_NEIGHBOURS
from crossic_etl.transforms.arrow import Batches
from crossic_etl.transforms.source_ids import page_source_id

# Rounding to half precision changes a length by 0.0005 at most.
TOLERANCE = 0.001

_ENCODER = ("model", "revision")
_LIST = ("doc_id", "target_lang", *_ENCODER)


def embedded_texts(embeddings: DataFrame, pages: DataFrame, documents: DataFrame) -> DataFrame:
    """Embeddings with ``hash_there``: the text hash of their page or document, null without one.

    Pages and documents are unique by id.
    """
    page_id = page_source_id(F.col("lang"), "page_id")
    texts = pages.select(
        F.lit("page").alias("kind"), page_id.alias("id"), "lang", "text_hash"
    ).unionByName(
        documents.select(
            F.lit("document").alias("kind"), F.col("doc_id").alias("id"), "lang", "text_hash"
        )
    )
    there = texts.withColumnRenamed("text_hash", "hash_there")
    embedded = embeddings.select(*EMBEDDINGS.key, "kind", "lang", "text_hash")
    return embedded.join(there, on=["kind", "id", "lang"], how="left")


def measure_vectors(embeddings: DataFrame) -> DataFrame:
    """The key of ``embeddings``, ``n_forms`` (columns that hold the vector) and its ``length``."""
    schema = ", ".join(f"{name} string" for name in EMBEDDINGS.key) + ", n_forms int, length double"

    def run(batches: Batches) -> Batches:
        import pyarrow as pa
        import pyarrow.compute as pc

        for batch in batches:
            forms = [batch.column(name) for name in ("vector", "half_vector")]
            lengths = [row_lengths(form) for form in forms]
            present = [pc.cast(pc.is_valid(form), pa.int32()) for form in forms]
            keys = [batch.column(name) for name in EMBEDDINGS.key]
            measured = [pc.add(*present), pc.coalesce(*lengths)]
            names = [*EMBEDDINGS.key, "n_forms", "length"]
            yield pa.RecordBatch.from_arrays([*keys, *measured], names=names)

    return embeddings.select(*EMBEDDINGS.key, "vector", "half_vector").mapInArrow(run, schema)


def order_neighbours(neighbours: DataFrame) -> DataFrame:
    """``query_id, model, revision, ranks``: a query's ranks, in order of its neighbours' cosines.

    The highest cosine comes first; of equal ones the lower ``doc_id``.
    """
    entry = F.struct((-F.col("cosine")).alias("distance"), "doc_id", "rank")
    ordered = F.array_sort(F.collect_list(entry))
    return neighbours.groupBy("query_id", *_ENCODER).agg(ordered["rank"].alias("ranks"))


def neighbours_with_vectors(neighbours: DataFrame, embeddings: DataFrame) -> DataFrame:
    """The key of ``neighbours`` with ``has_query`` and ``has_doc``: true if the id has a vector."""
    ids = _embedded_ids(embeddings)
    joined = neighbours.select(*NEIGHBOURS.key)
    for end in ("query", "doc"):
        there = ids.select(
            F.col("id").alias(f"{end}_id"), *_ENCODER, F.lit(True).alias(f"has_{end}")
        )
        joined = joined.join(there, on=[f"{end}_id", *_ENCODER], how="left")
    return joined


def reverse_with_vectors(reverse: DataFrame, embeddings: DataFrame) -> DataFrame:
    """A row for each ``id`` in a row of ``reverse_neighbours``; ``is_there`` if it has a vector."""
    of_queries = F.transform("queries", lambda query: query["query_id"])
    every = F.explode(F.concat(F.array("doc_id"), of_queries))
    there = _embedded_ids(embeddings).withColumn("is_there", F.lit(True))
    named = reverse.select(*REVERSE_NEIGHBOURS.key, every.alias("id"))
    return named.join(there, on=["id", *_ENCODER], how="left")


def compare_documents(reverse: DataFrame, neighbours: DataFrame) -> DataFrame:
    """The documents of either table, with ``in_reverse`` and ``in_neighbours``, true or null."""
    held = reverse.select(*_LIST, F.lit(True).alias("in_reverse"))
    found = neighbours.select(*_LIST).distinct().withColumn("in_neighbours", F.lit(True))
    return held.join(found, on=list(_LIST), how="full")


def _embedded_ids(embeddings: DataFrame) -> DataFrame:
    """``id, model, revision``, unique: a text may be embedded by several span rules."""
    return embeddings.select("id", *_ENCODER).distinct()


EMBEDDING_EXPECTATIONS = (
    of_every_row(EMBEDDINGS, {}),
    Expectation(
        {"its text is there, with that hash": "hash_there = text_hash"},
        EMBEDDINGS.key,
        (EMBEDDINGS, PAGES, DOCUMENTS),
        embedded_texts,
    ),
    Expectation(
        {
            "it has one of vector and half_vector": "n_forms = 1",
            "its vector has unit length": f"length IS NULL OR abs(length - 1) <= {TOLERANCE}",
        },
        EMBEDDINGS.key,
        (EMBEDDINGS,),
        measure_vectors,
    ),
)

NEIGHBOUR_EXPECTATIONS = (
    of_every_row(NEIGHBOURS, {}),
    Expectation(
        {"its query and its document have vectors": "has_query AND has_doc"},
        NEIGHBOURS.key,
        (NEIGHBOURS, EMBEDDINGS),
        neighbours_with_vectors,
    ),
    Expectation(
        {
            "ranks of a query are 1 to n, by cosine": (
                "forall(transform(ranks, (rank, i) -> rank = i + 1), fits -> fits)"
            )
        },
        ("query_id", *_ENCODER),
        (NEIGHBOURS,),
        order_neighbours,
    ),
)

REVERSE_EXPECTATIONS = (
    of_every_row(
        REVERSE_NEIGHBOURS,
        {
            "its queries are in order, by cosine": (
                "transform(queries, q -> struct(-q.cosine AS distance, q.query_id AS id))"
                " = array_sort("
                "transform(queries, q -> struct(-q.cosine AS distance, q.query_id AS id)))"
            )
        },
    ),
    Expectation(
        {"its document and its queries have vectors": "is_there"},
        (*REVERSE_NEIGHBOURS.key, "id"),
        (REVERSE_NEIGHBOURS, EMBEDDINGS),
        reverse_with_vectors,
    ),
    Expectation(
        {"its documents are those of neighbours": "in_reverse AND in_neighbours"},
        _LIST,
        (REVERSE_NEIGHBOURS, NEIGHBOURS),
        compare_documents,
    ),
)
