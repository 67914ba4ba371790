"""Which two texts make samples, in which arrangements, and for which split.

Sides are rows of ``pair_id, target_lang, origin, en_source_id, target_source_id, split, reason``;
the reason says why a row makes no sample, and is null where it does. A source id is a page's
``lang:page_id``, or a ``doc_id``. Texts are rows of `TEXT`, with unique source ids; a fingerprint
is of the text and all that is said of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from crossic_etl.kernels.splits import TRAIN, VALIDATION
from crossic_etl.schemas import LONG, STRING
from crossic_etl.transforms.contamination import mark_contaminated
from crossic_etl.transforms.source_ids import page_source_id

WIKIPEDIA, CRAWL = "wikipedia", "crawl"
RETRIEVED = "retrieved"
TOO_SHORT, CONTAMINATED = "too_short", "contaminated"
NOT_BEST, STRADDLES_SPLIT = "not_best", "straddles_split"

TEXT = ("source_id", "title", "url", "revision_id", "licence", "text", "n_chars", "fingerprint")


def page_texts(pages: DataFrame) -> DataFrame:
    """The texts of rows of ``pages``."""
    described = pages.withColumns(
        {
            "source_id": page_source_id(F.col("lang"), "page_id"),
            "fingerprint": F.xxhash64("text_hash", "title", "url", "revision_id", "licence"),
        }
    )
    return described.select(*TEXT)


def document_texts(documents: DataFrame) -> DataFrame:
    """The texts of rows of ``documents``, which have no title and no revision."""
    return documents.select(
        F.col("doc_id").alias("source_id"),
        F.lit(None).cast(STRING).alias("title"),
        "url",
        F.lit(None).cast(LONG).alias("revision_id"),
        "licence",
        "text",
        "n_chars",
        F.xxhash64("text_hash", "url", "licence").alias("fingerprint"),
    )


def pair_sides(pairs: DataFrame, validation_share: float, seed: int) -> DataFrame:
    """The sides of rows of ``pairs``: the English page decides the split."""
    english = page_source_id(F.lit("en"), "en_page_id")
    return pairs.select(
        "pair_id",
        "target_lang",
        F.lit(WIKIPEDIA).alias("origin"),
        english.alias("en_source_id"),
        page_source_id(F.col("target_lang"), "target_page_id").alias("target_source_id"),
        split_of(english, validation_share, seed).alias("split"),
        F.lit(None).cast(STRING).alias("reason"),
    )


def retrieved_sides(
    accepted: DataFrame, pairs: DataFrame, validation_share: float, seed: int
) -> DataFrame:
    """The sides of accepted rows of ``neighbours``, of one model; each query's best has no reason.

    A page with a pair has the split of that pair (``pairs`` are sides with unique target ids), or
    its English article could be on the other side; any other query the split of its own id.
    """
    best = Window.partitionBy("query_id").orderBy(
        F.desc_nulls_last("margin"), F.desc("cosine"), "doc_id"
    )
    own = split_of(F.col("target_source_id"), validation_share, seed)
    taken = accepted.select(
        F.concat_ws(" ", "query_id", "doc_id").alias("pair_id"),
        "target_lang",
        F.lit(CRAWL).alias("origin"),
        F.col("doc_id").alias("en_source_id"),
        F.col("query_id").alias("target_source_id"),
        F.when(F.row_number().over(best) > 1, NOT_BEST).alias("reason"),
    )
    splits = pairs.select("target_source_id", F.col("split").alias("split_of_pair"))
    joined = taken.join(splits, on="target_source_id", how="left")
    return joined.select(*taken.columns, F.coalesce("split_of_pair", own).alias("split"))


def split_of(source_id: Column, validation_share: float, seed: int) -> Column:
    """``validation`` for this share of all source ids, chosen by a hash, else ``train``."""
    hashed = F.xxhash64(F.lit(seed), F.lit(VALIDATION), source_id)
    is_taken = F.pmod(hashed, F.lit(2**31)) < F.lit(round(2**31 * validation_share))
    return F.when(is_taken, VALIDATION).otherwise(TRAIN)


def judge_sides(
    sides: DataFrame,
    english: DataFrame,
    target: DataFrame,
    min_chars: int,
    contaminated: DataFrame | None = None,
) -> DataFrame:
    """Sides with their reason, where one of the texts is too short, missing, or contaminated.

    They fit no arrangement then, so that all arrangements hold the same documents. ``contaminated``
    has unique source ids.
    """
    sized = join_text(sides, english.select("source_id", "n_chars"), "en")
    sized = join_text(sized, target.select("source_id", "n_chars"), "target")
    least = F.least(F.coalesce("en_n_chars", F.lit(0)), F.coalesce("target_n_chars", F.lit(0)))
    reason = F.when(least < min_chars, TOO_SHORT)
    if contaminated is not None:
        sized = mark_contaminated(sized, contaminated)
        reason = reason.when(F.col("is_contaminated"), CONTAMINATED)
    return sized.withColumn("reason", F.coalesce("reason", reason)).select(sides.columns)


def arrange_pairs(judged: DataFrame, arrangements: Sequence[str], seed: int) -> DataFrame:
    """Sides with the ``arrangements`` to make of them; twice where ``random`` is among these.

    ``random`` gives each pair the English page of the next pair of its language and split, in an
    order set by a hash with the seed: a permutation without a fixed point, unless they have a
    single pair.
    """
    aligned = [name for name in arrangements if name != "random"]
    chosen = judged.withColumn("arrangements", _names(aligned))
    if "random" not in arrangements:
        return chosen
    order = [F.xxhash64(F.lit(seed), F.lit("random"), F.col("pair_id")), F.col("pair_id")]
    fits = F.col("reason").isNull()
    following = Window.partitionBy("target_lang", "split", fits).orderBy(order)
    around = following.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    permuted = judged.withColumn(
        "en_source_id",
        F.coalesce(F.lead("en_source_id").over(following), F.first("en_source_id").over(around)),
    ).withColumn("arrangements", _names(["random"]))
    return chosen.unionByName(permuted) if aligned else permuted


def arrange_retrieved(judged: DataFrame, seed: int) -> DataFrame:
    """Sides for ``retrieved``: a document that serves queries of both splits is kept on one.

    Among the queries that it makes samples with, the one with the lowest hash decides, over all
    languages of the run; those of the other split are dropped.
    """
    place = F.xxhash64(F.lit(seed), F.lit("side"), F.col("target_source_id"))
    query = F.struct(place.alias("place"), "target_source_id", "split")
    uses = Window.partitionBy("en_source_id").rowsBetween(
        Window.unboundedPreceding, Window.unboundedFollowing
    )
    decided = F.min(F.when(F.col("reason").isNull(), query)).over(uses)["split"]
    straddles = F.when(decided != F.col("split"), STRADDLES_SPLIT)
    return judged.withColumn("reason", F.coalesce("reason", straddles)).withColumn(
        "arrangements", _names([RETRIEVED])
    )


def join_text(sides: DataFrame, texts: DataFrame, side: str) -> DataFrame:
    """Adds the columns of the text of a side, ``en`` or ``target``, prefixed by it, or nulls."""
    renamed = texts.select([F.col(name).alias(f"{side}_{name}") for name in texts.columns])
    return sides.join(renamed, on=f"{side}_source_id", how="left")


def select_texts(texts: DataFrame, all_sides: Sequence[DataFrame]) -> DataFrame:
    """Those of the texts that are a side of a row in any of these frames."""
    ids = [
        sides.select(F.col(f"{side}_source_id").alias("source_id"))
        for sides in all_sides
        for side in ("en", "target")
    ]
    return texts.join(reduce(DataFrame.unionByName, ids), on="source_id", how="left_semi")


def _names(names: Sequence[str]) -> Column:
    return F.array([F.lit(name) for name in names])
