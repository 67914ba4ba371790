"""What a search must look at again: vectors that are new, and lists that lost an entry.

A *list* is the best k of a seeker: of a query among documents, or of a found document among the
queries of a language. Its rows have the columns `FOUND`, whichever way it looks. A list that was
complete and lost nothing needs new targets only, for the best k of a union are the best k of the
best k of its parts; one that lost an entry doesn't know what comes after its last.

Vectors are numbered by generations: one for each run that met new ones. A target language is
*covered* up to a generation; vectors of later ones, or of none yet, are new to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from crossic_etl.schemas import REVERSE_NEIGHBOURS, SEARCHED_VECTORS
from crossic_etl.transforms.changes import GONE, NEW, SAME
from crossic_etl.transforms.neighbours import FOUND, LIST

ENGLISH = "en"

Covered = Mapping[str, int]


def plan_vectors(vectors: DataFrame, searched: DataFrame, langs: Sequence[str]) -> DataFrame:
    """``id, lang, fingerprint, generation, change``: all vectors, and those that are gone.

    ``vectors`` have ``id, lang, vector, text_hash, url``; ``searched`` are rows of
    ``searched_vectors`` of one encoder. Ids are unique in both. ``same`` rows are equal in all that
    a search reads, and keep their generation; ``new`` and changed ones have none yet. Rows of
    ``searched`` in other languages than ``langs`` are nobody's concern here, and stay.
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
    """Whether the lists of a language took account of a vector."""
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
    """`FOUND` with ``is_valid, is_bereft``: the rows of the lists whose seekers are as they were.

    An entry is valid where its target is as it was, too. A list is bereft where it was full and has
    an entry that isn't: what would follow its last valid entry is not known.
    """
    generations = plan.select("id", "generation")
    seekers = generations.select(F.col("id").alias("query_id"), F.col("generation").alias("of"))
    targets = generations.select(F.col("id").alias("doc_id"), F.col("generation").alias("at"))
    lang = F.col("target_lang")
    whole = Window.partitionBy(*LIST).rowsBetween(
        Window.unboundedPreceding, Window.unboundedFollowing
    )
    n_valid = F.count(F.when(F.col("is_valid"), 1)).over(whole)
    is_full = F.count("*").over(whole) == k
    return (
        stored.select(*FOUND)
        .join(seekers, on="query_id", how="inner")
        .where(is_covered(F.col("of"), lang, covered))
        .join(targets, on="doc_id", how="left")
        .withColumn("is_valid", is_covered(F.col("at"), lang, covered))
        .withColumn("is_bereft", is_full & (n_valid < k))
        .select(*FOUND, "is_valid", "is_bereft")
    )


def select_kept(entries: DataFrame) -> DataFrame:
    """`FOUND`: the entries that new ones are merged with."""
    return entries.where(F.col("is_valid") & ~F.col("is_bereft")).select(*FOUND)


def choose_seekers(wanted: DataFrame, held: DataFrame, entries: DataFrame) -> DataFrame:
    """``wanted`` with ``in_all``: whether a list must be searched for among all targets.

    Others need the new targets only: they are held, and not bereft. The columns `LIST` are unique
    in ``wanted`` and in ``held``.
    """
    bereft = entries.where("is_bereft").select(*LIST).distinct()
    complete = held.select(*LIST).join(bereft, on=list(LIST), how="left_anti")
    known = complete.withColumn("is_complete", F.lit(True))
    return wanted.join(known, on=list(LIST), how="left").select(
        *LIST, F.col("is_complete").isNull().alias("in_all")
    )


def queries_of(plan: DataFrame) -> DataFrame:
    """The columns `LIST` of every query."""
    is_query = (F.col("change") != GONE) & (F.col("lang") != ENGLISH)
    return plan.where(is_query).select(
        F.col("id").alias("query_id"), F.col("lang").alias("target_lang")
    )


def select_covered(lists: DataFrame, plan: DataFrame, covered: Covered) -> DataFrame:
    """Those of the lists whose seekers are as they were."""
    seekers = plan.select(F.col("id").alias("query_id"), F.col("generation").alias("of"))
    known = is_covered(F.col("of"), F.col("target_lang"), covered)
    return lists.join(seekers, on="query_id", how="inner").where(known).select(*LIST)


def unpack_lists(reverse: DataFrame) -> DataFrame:
    """`FOUND` of rows of ``reverse_neighbours``: ``query_id`` is a document, ``doc_id`` a query."""
    entries = reverse.select(
        F.col("doc_id").alias("query_id"), "target_lang", F.posexplode("queries").alias("at", "one")
    )
    return entries.select(
        *LIST,
        F.col("one.query_id").alias("doc_id"),
        (F.col("at") + 1).alias("rank"),
        F.col("one.cosine").alias("cosine"),
    )


def pack_lists(found: DataFrame, seekers: DataFrame, model: str, revision: str) -> DataFrame:
    """``reverse_neighbours``: a row for each seeker, also where nothing was found for it.

    The columns `LIST` are unique in ``seekers``.
    """
    entry = F.struct("rank", F.col("doc_id").alias("query_id"), "cosine")
    lists = found.groupBy(*LIST).agg(F.array_sort(F.collect_list(entry)).alias("entries"))
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
    return seekers.join(lists, on=list(LIST), how="left").select(
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
