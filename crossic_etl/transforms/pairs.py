"""Pairs an English article with its article in a target language, one to one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql import types as T

from crossic_etl.kernels.wiki.matching import match_greedily
from crossic_etl.schemas import LONG, PAIRS, STRING
from crossic_etl.transforms.arrow import Batches, Row, to_batches

# Rounds over all edges that conflict. One task resolves the few edges that are open after them.
ROUNDS = 2
# Candidates whose conflicts one task resolves at once, over all languages; some hundred bytes each.
CANDIDATES_AT_ONCE = 300_000
BOTH, ITEM, ONE = 0, 1, 2
WALKED = T.StructType(
    [
        T.StructField("target_lang", STRING),
        T.StructField("en_page_id", LONG),
        T.StructField("target_page_id", LONG),
        T.StructField("walked", STRING),
    ]
)

# The outcome of an edge that may become a pair.
CANDIDATE = "candidate"


def _over(column: Column, end: str) -> Column:
    """An aggregate over all candidates with the same ``en_page_id`` or ``target_page_id``."""
    return column.over(Window.partitionBy("target_lang", end))


def find_candidates(links: DataFrame, pages: DataFrame, ends: DataFrame) -> DataFrame:
    """One row for each (target_lang, English page, target page) that an edge connects.

    Edges without two such pages are counted in one row for each reason and language, so that
    ``n_links`` sums to the number of edges. Titles are joined by equality of canonical forms.
    ``ends`` are those of `resolve_redirects`.
    """
    source = pages.select("lang", "page_id", "title", "qid", "is_disambiguation").alias("source")
    target = _titles(pages, ends).alias("target")
    edges = links.alias("edge")
    joined = edges.join(
        source,
        on=(F.col("edge.lang") == F.col("source.lang"))
        & (F.col("edge.page_id") == F.col("source.page_id")),
        how="left",
    ).join(
        target,
        on=(F.col("edge.target_lang") == F.col("target.lang"))
        & (F.col("edge.target_title") == F.col("target.name")),
        how="left",
    )
    outcome = _edge_outcome()
    is_candidate = outcome == CANDIDATE
    from_english = F.col("edge.lang") == "en"

    def end(english: bool, column: str) -> Column:
        near, far = (f"source.{column}", f"target.{column}")
        value = F.when(from_english == english, F.col(near)).otherwise(F.col(far))
        return F.when(is_candidate, value)

    evidence = F.when(F.col("edge.evidence") == "qid", "qid").otherwise(
        F.concat("edge.lang", F.lit("->"), "edge.target_lang")
    )
    return (
        joined.select(
            outcome.alias("outcome"),
            F.when(from_english, F.col("edge.target_lang"))
            .otherwise(F.col("edge.lang"))
            .alias("target_lang"),
            end(True, "page_id").alias("en_page_id"),
            end(True, "title").alias("en_title"),
            end(False, "page_id").alias("target_page_id"),
            end(False, "title").alias("target_title"),
            (F.col("source.qid") != F.col("target.qid")).alias("items_differ"),
            evidence.alias("evidence"),
        )
        .groupBy(
            "outcome", "target_lang", "en_page_id", "en_title", "target_page_id", "target_title"
        )
        .agg(
            F.sort_array(F.collect_set("evidence")).alias("evidence"),
            F.coalesce(F.bool_or("items_differ"), F.lit(False)).alias("items_differ"),
            F.count("*").cast("int").alias("n_links"),
        )
    )


def _titles(pages: DataFrame, ends: DataFrame) -> DataFrame:
    """Every title that leads to an article or into a redirect cycle; unique ``lang, name``.

    Of several rows with one name an article is kept before a redirect, then the lower page id.
    """
    articles = pages.select(
        "lang", F.col("title").alias("name"), "page_id", "title", "qid", "is_disambiguation"
    )
    on = (F.col("redirect.lang") == F.col("article.lang")) & (
        F.col("redirect.final_title") == F.col("article.name")
    )
    redirected = (
        ends.alias("redirect")
        .join(articles.alias("article"), on=on, how="left")
        .select(
            "redirect.lang",
            F.col("redirect.title").alias("name"),
            "article.page_id",
            "article.title",
            "article.qid",
            "article.is_disambiguation",
            F.col("redirect.final_title").isNull().alias("is_cycle"),
            F.lit(1).alias("hops"),
        )
    )
    everything = articles.select(
        "*", F.lit(False).alias("is_cycle"), F.lit(0).alias("hops")
    ).unionByName(redirected.where(F.col("page_id").isNotNull() | F.col("is_cycle")))
    first = Window.partitionBy("lang", "name").orderBy("hops", "page_id")
    return everything.withColumn("nth", F.row_number().over(first)).where(F.col("nth") == 1)


def _edge_outcome() -> Column:
    return (
        F.when(F.col("source.page_id").isNull(), "source_missing")
        .when(F.col("source.is_disambiguation"), "source_disambiguation")
        .when(F.col("target.is_cycle"), "target_cycle")
        .when(F.col("target.page_id").isNull(), "target_missing")
        .when(F.col("target.is_disambiguation"), "target_disambiguation")
        .otherwise(CANDIDATE)
    )


def rounds_for(n_candidates: int) -> int:
    """The number of rounds for so many candidates, before one task resolves the rest.

    None where a task can hold all of them, since a round costs some shuffles. The number of rounds
    doesn't change the result of `resolve_candidates`.
    """
    return ROUNDS if n_candidates > CANDIDATES_AT_ONCE else 0


def resolve_candidates(candidates: DataFrame, rounds: int = ROUNDS) -> DataFrame:
    """Candidates with their ``outcome``, ``pair`` or ``conflict``: a greedy one-to-one matching.

    Order: both directions, then a shared item, then one direction; then the lower English page id,
    then the lower target page id. A candidate whose pages are in no other candidate is a pair at
    once. The rounds process the others, which are few. Each round takes every edge that is the best
    open edge of both its pages. Long chains of conflicts remain open after the rounds; one task
    resolves those of each language in memory.
    """
    links = F.array_size(F.filter("evidence", lambda e: e != "qid"))
    strength = (
        F.when(links == 2, BOTH).when(F.array_contains("evidence", "qid"), ITEM).otherwise(ONE)
    )
    open_ones = candidates.where(F.col("outcome") == CANDIDATE).withColumn(
        "rank", F.struct(strength.alias("strength"), F.col("en_page_id"), F.col("target_page_id"))
    )
    counted = open_ones.withColumn("of_english", _over(F.count("*"), "en_page_id")).withColumn(
        "of_target", _over(F.count("*"), "target_page_id")
    )
    alone = (F.col("of_english") == 1) & (F.col("of_target") == 1)
    crowded = counted.where(~alone).withColumn("state", F.lit("open"))
    for _ in range(rounds):
        crowded = _one_round(crowded)
    resolved = _resolve_rest(crowded).unionByName(
        counted.where(alone).withColumn("outcome", F.lit("pair")), allowMissingColumns=True
    )
    dropped = candidates.where(F.col("outcome") != CANDIDATE)
    return resolved.unionByName(dropped, allowMissingColumns=True).select(
        *candidates.columns, F.col("rank.strength").alias("strength")
    )


def _one_round(edges: DataFrame) -> DataFrame:
    is_open = F.col("state") == "open"
    rank_if_open = F.when(is_open, F.col("rank"))
    taken = F.coalesce(
        is_open
        & (F.col("rank") == F.col("best_english"))
        & (F.col("rank") == _over(F.min(rank_if_open), "target_page_id")),
        F.lit(False),
    )
    return (
        edges.withColumn("best_english", _over(F.min(rank_if_open), "en_page_id"))
        .withColumn("taken", taken)
        .withColumn("target_taken", _over(F.max("taken"), "target_page_id"))
        .withColumn("english_taken", _over(F.max("taken"), "en_page_id"))
        .withColumn(
            "state",
            F.when(F.col("taken"), "pair")
            .when(is_open & (F.col("target_taken") | F.col("english_taken")), "conflict")
            .otherwise(F.col("state")),
        )
        .drop("best_english", "taken", "target_taken", "english_taken")
    )


def _resolve_rest(edges: DataFrame) -> DataFrame:
    """Edges with ``outcome``: the result of the rounds; open edges are matched greedily."""
    columns = ["target_lang", "rank.strength", "en_page_id", "target_page_id"]
    rest = edges.where(F.col("state") == "open").select(columns).repartition("target_lang")
    walked = rest.mapInArrow(_walk, WALKED)
    on = ["target_lang", "en_page_id", "target_page_id"]
    joined = edges.join(walked, on=on, how="left")
    return joined.withColumn("outcome", F.coalesce("walked", "state"))


def _walk(batches: Batches) -> Batches:
    rows = [row for batch in batches for row in zip(*batch.to_pydict().values(), strict=True)]

    def resolved() -> Iterator[Row]:
        for lang, edges in groupby(sorted(rows), key=itemgetter(0)):
            for (english, target), wins in match_greedily(edge[1:] for edge in edges):
                walked = "pair" if wins else "conflict"
                yield dict(zip(WALKED.names, (lang, english, target, walked), strict=True))

    yield from to_batches(resolved(), WALKED)


def select_pairs(resolved: DataFrame) -> DataFrame:
    """``pairs``: the resolved candidates with the outcome ``pair``."""
    identity = F.concat_ws("\x1f", F.lit("pair"), "target_lang", "en_page_id", "target_page_id")
    return (
        resolved.where(F.col("outcome") == "pair")
        .withColumn("pair_id", F.substring(F.sha2(identity, 256), 1, 32))
        .withColumn("both_directions", F.col("strength") == BOTH)
        .select(PAIRS.columns)
    )


def select_cycles(ends: DataFrame) -> DataFrame:
    """Redirects that lead into a cycle, as staged rejects; see `resolve_redirects`."""
    return ends.where(F.col("final_title").isNull()).select(
        F.lit("redirect_cycle").alias("outcome"),
        F.lit(0).alias("n"),
        "lang",
        F.col("title").alias("key"),
        F.lit("its chain of redirects doesn't end").alias("detail"),
    )


def pair_metrics(resolved: DataFrame) -> DataFrame:
    """One row: numbers of agreements and conflicts among the resolved candidates."""
    won, lost = F.col("outcome") == "pair", F.col("outcome") == "conflict"
    strength, has_item = F.col("strength"), F.array_contains("evidence", "qid")
    conditions = {
        "both_directions": won & (strength == BOTH),
        "item_first": won & (strength == ITEM),
        "one_direction": won & (strength == ONE),
        "links_and_item_agree": won & (F.size("evidence") > 1) & has_item,
        "items_differ": won & F.col("items_differ"),
        "candidates_refused": lost,
    }
    return resolved.agg(
        *[F.count_if(condition).alias(name) for name, condition in conditions.items()]
    )


def merged_links(resolved: DataFrame) -> DataFrame:
    """``outcome, n``: one edge of each pair counts as ``pair``, its other edges as ``merged``."""
    others = resolved.where(F.col("outcome") == "pair").select(
        F.lit("merged").alias("outcome"), (F.col("n_links") - 1).cast("long").alias("n")
    )
    size = F.when(F.col("outcome") == "pair", 1).otherwise(F.col("n_links")).cast("long")
    return resolved.select("outcome", size.alias("n")).unionByName(others)
