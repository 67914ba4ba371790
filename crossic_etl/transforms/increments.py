"""What an incremental search must look at: new vectors, and neighbour lists that lost an entry.

A neighbour list is the best k targets of a query: of a text among the English documents, or in the
other direction of a found document among the queries of a language. Its rows have the columns
`NEIGHBOUR_COLUMNS`. A list that lost nothing is compared with new targets only, since the best k of
a union are the best k of its parts' best k. A full list that lost an entry is searched for among
all targets, since the target after its last entry isn't known.

Each run that meets new vectors gives them a number, their generation. A target language is covered
up to a generation; vectors of later generations, or without one yet, are new to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from crossic_etl.schemas import REVERSE_NEIGHBOURS, SEARCHED_VECTORS
from crossic_etl.transforms.changes import GONE, NEW, SAME
from crossic_etl.transforms.neighbours import LIST_KEY, NEIGHBOUR_COLUMNS

ENGLISH = "en"

Covered = Mapping[str, int]


def plan_vectors(vectors: DataFrame, searched: DataFrame, langs: Sequence[str]) -> DataFrame:
    """``id, lang, fingerprint, generation, change``: all vectors, and those that are gone.

    ``vectors`` have ``id, lang, vector, text_hash, url``; ``searched`` are rows of
    ``searched_vectors`` of one encoder. Ids are unique in both. ``same`` rows are equal in all that
    a search reads, and keep their generation; ``new`` and changed ones have none yet. Rows of
    ``searched`` in other languages than ``langs`` are left out, and so stay as they are.
    """
    fingerprint = F.xxhash64(
        "lang", F.coalesce("text_hash", F.lit("")), F.coalesce("url", F.lit("")), "vector"
    )
    now = vectors.select("id", "lang", fingerprint.alias("fingerprint"))
    joined = now.alias("now").join(searched.alias("old"), on="id", how="full")
    is_there = F.col("now.fingerprint").isNotNull()
    is_same = F.col("now.fingerprint").eqNullSafe(F.col("old.fingerprint"))
    return joined.where(is_there | F.col("old.lang").isin(list(langs))).select(
        "id",
        F.coalesce("now.lang", "old.lang").alias("lang"),
        F.col("now.fingerprint").alias("fingerprint"),
        F.when(is_same, F.col("old.generation")).alias("generation"),
        F.when(~is_there, GONE).when(is_same, SAME).otherwise(NEW).alias("change"),
    )


def count_plan(plan: DataFrame) -> DataFrame:
    """One row: ``n_queries, n_documents``, how many of both are ``n_new``, what is ``n_gone``, and
    the ``newest`` generation, 0 without any.
    """
    is_there, is_english = F.col("change") != GONE, F.col("lang") == ENGLISH
    return plan.agg(
        F.count_if(is_there & ~is_english).alias("n_queries"),
        F.count_if(is_there & is_english).alias("n_documents"),
        F.count_if(F.col("change") == NEW).alias("n_new"),
        F.count_if(~is_there).alias("n_gone"),
        F.coalesce(F.max("generation"), F.lit(0)).alias("newest"),
    )


def is_covered(generation: Column, lang: Column, covered: Covered) -> Column:
    """Whether the neighbour lists of a language have been compared with a vector."""
    if not covered:
        return F.lit(False)
    pairs = [F.lit(value) for pair in sorted(covered.items()) for value in pair]
    return F.coalesce(generation <= F.create_map(*pairs)[lang], F.lit(False))


def select_fresh(plan: DataFrame, covered: Covered, english: bool) -> DataFrame:
    """``id`` of each English document, or of each query, that some covered language hasn't seen."""
    is_fresh = F.col("generation").isNull() | (F.col("generation") > min(covered.values()))
    is_wanted = (F.col("lang") == ENGLISH) == F.lit(english)
    return plan.where((F.col("change") != GONE) & is_fresh & is_wanted).select("id")


def flag_entries(stored: DataFrame, plan: DataFrame, covered: Covered, k: int) -> DataFrame:
    """`NEIGHBOUR_COLUMNS` with ``is_valid, is_incomplete``: rows of lists whose query is unchanged.

    An entry is valid where its target is unchanged as well. A list is incomplete where it was full
    and has an invalid entry: which target follows its last valid entry is not known.
    """
    generations = plan.select("id", "generation")
    queries = generations.select(F.col("id").alias("query_id"), F.col("generation").alias("of"))
    targets = generations.select(F.col("id").alias("doc_id"), F.col("generation").alias("at"))
    lang = F.col("target_lang")
    whole = Window.partitionBy(*LIST_KEY).rowsBetween(
        Window.unboundedPreceding, Window.unboundedFollowing
    )
    n_valid = F.count(F.when(F.col("is_valid"), 1)).over(whole)
    is_full = F.count("*").over(whole) == k
    return (
        stored.select(*NEIGHBOUR_COLUMNS)
        .join(queries, on="query_id", how="inner")
        .where(is_covered(F.col("of"), lang, covered))
        .join(targets, on="doc_id", how="left")
        .withColumn("is_valid", is_covered(F.col("at"), lang, covered))
        .withColumn("is_incomplete", is_full & (n_valid < k))
        .select(*NEIGHBOUR_COLUMNS, "is_valid", "is_incomplete")
    )


def select_kept(entries: DataFrame) -> DataFrame:
    """`NEIGHBOUR_COLUMNS` of the valid entries of lists that are not incomplete."""
    return entries.where(F.col("is_valid") & ~F.col("is_incomplete")).select(*NEIGHBOUR_COLUMNS)


def choose_queries(wanted: DataFrame, held: DataFrame, entries: DataFrame) -> DataFrame:
    """``wanted`` with ``in_all``: whether a list must be searched for among all targets.

    A list that is held and not incomplete is compared with new targets only. `LIST_KEY` is unique
    in ``wanted`` and in ``held``.
    """
    incomplete = entries.where("is_incomplete").select(*LIST_KEY).distinct()
    complete = held.select(*LIST_KEY).join(incomplete, on=list(LIST_KEY), how="left_anti")
    known = complete.withColumn("is_complete", F.lit(True))
    return wanted.join(known, on=list(LIST_KEY), how="left").select(
        *LIST_KEY, F.col("is_complete").isNull().alias("in_all")
    )


def queries_of(plan: DataFrame) -> DataFrame:
    """`LIST_KEY` of every query of the plan."""
    is_query = (F.col("change") != GONE) & (F.col("lang") != ENGLISH)
    return plan.where(is_query).select(
        F.col("id").alias("query_id"), F.col("lang").alias("target_lang")
    )


def select_covered(lists: DataFrame, plan: DataFrame, covered: Covered) -> DataFrame:
    """`LIST_KEY` of the lists whose query is unchanged."""
    queries = plan.select(F.col("id").alias("query_id"), F.col("generation").alias("of"))
    known = is_covered(F.col("of"), F.col("target_lang"), covered)
    return lists.join(queries, on="query_id", how="inner").where(known).select(*LIST_KEY)


def unpack_lists(reverse: DataFrame) -> DataFrame:
    """`NEIGHBOUR_COLUMNS` of ``reverse_neighbours``, with documents as ``query_id``."""
    entries = reverse.select(
        F.col("doc_id").alias("query_id"), "target_lang", F.posexplode("queries").alias("at", "one")
    )
    return entries.select(
        *LIST_KEY,
        F.col("one.query_id").alias("doc_id"),
        (F.col("at") + 1).alias("rank"),
        F.col("one.cosine").alias("cosine"),
    )


def pack_lists(found: DataFrame, wanted: DataFrame, model: str, revision: str) -> DataFrame:
    """``reverse_neighbours``: a row for each list of ``wanted``, also where nothing was found.

    `LIST_KEY` is unique in ``wanted``.
    """
    entry = F.struct("rank", F.col("doc_id").alias("query_id"), "cosine")
    lists = found.groupBy(*LIST_KEY).agg(F.array_sort(F.collect_list(entry)).alias("entries"))
    queries = F.transform(
        "entries", lambda e: F.struct(e["query_id"].alias("query_id"), e["cosine"].alias("cosine"))
    )
    nothing = F.array().cast(REVERSE_NEIGHBOURS.schema["queries"].dataType.simpleString())
    values = {
        "doc_id": F.col("query_id"),
        "target_lang": F.col("target_lang"),
        "model": F.lit(model),
        "revision": F.lit(revision),
        "queries": F.coalesce(queries, nothing),
    }
    return wanted.join(lists, on=list(LIST_KEY), how="left").select(
        [values[name].alias(name) for name in REVERSE_NEIGHBOURS.columns]
    )


def select_searched(plan: DataFrame, model: str, revision: str, generation: int) -> DataFrame:
    """The columns of ``searched_vectors`` and ``change``, of a plan."""
    values = {
        "model": F.lit(model),
        "revision": F.lit(revision),
        "generation": F.coalesce("generation", F.lit(generation)),
    }
    columns = [
        values.get(field.name, F.col(field.name)).cast(field.dataType).alias(field.name)
        for field in SEARCHED_VECTORS.schema
    ]
    return plan.select(*columns, "change")
