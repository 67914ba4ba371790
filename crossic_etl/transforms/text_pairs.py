"""Which two texts make samples, in which arrangements, and for which split.

Text pairs are rows of ``pair_id, target_lang, origin, en_source_id, target_source_id, split,
reason``. The reason says why a row makes no sample; it is null where the row makes one. A source id
is a page's ``lang:page_id``, or a ``doc_id``. Texts are rows of `TEXT`, with unique source ids; a
fingerprint is a hash of the text and its title, URL, revision and licence.
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


def wikipedia_text_pairs(pairs: DataFrame, validation_share: float, seed: int) -> DataFrame:
    """The text pairs of rows of ``pairs``; a hash of the English page decides the split."""
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


def retrieved_text_pairs(
    accepted: DataFrame, pairs: DataFrame, validation_share: float, seed: int
) -> DataFrame:
    """The text pairs of accepted rows of one model's ``neighbours``.

    The best document of each query has no reason, the others have `NOT_BEST`. A query that is in
    ``pairs`` (text pairs with unique target ids) has the split of that pair, so that its English
    article and its web document are in the same split. Any other query has the split of its own id.
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
    """``validation`` for this share of all source ids, chosen by a hash; ``train`` otherwise."""
    hashed = F.xxhash64(F.lit(seed), F.lit(VALIDATION), source_id)
    is_taken = F.pmod(hashed, F.lit(2**31)) < F.lit(round(2**31 * validation_share))
    return F.when(is_taken, VALIDATION).otherwise(TRAIN)


def filter_text_pairs(
    text_pairs: DataFrame,
    english: DataFrame,
    target: DataFrame,
    min_chars: int,
    contaminated: DataFrame | None = None,
) -> DataFrame:
    """Text pairs with a reason where one of the texts is too short, missing, or contaminated.

    Such a pair makes no sample in any arrangement, so that all arrangements hold the same
    documents. ``contaminated`` has unique source ids. A reason that is there already stays.
    """
    sized = join_text(text_pairs, english.select("source_id", "n_chars"), "en")
    sized = join_text(sized, target.select("source_id", "n_chars"), "target")
    least = F.least(F.coalesce("en_n_chars", F.lit(0)), F.coalesce("target_n_chars", F.lit(0)))
    reason = F.when(least < min_chars, TOO_SHORT)
    if contaminated is not None:
        sized = mark_contaminated(sized, contaminated)
        reason = reason.when(F.col("is_contaminated"), CONTAMINATED)
    return sized.withColumn("reason", F.coalesce("reason", reason)).select(text_pairs.columns)


def arrange_pairs(filtered: DataFrame, arrangements: Sequence[str], seed: int) -> DataFrame:
    """Text pairs with the ``arrangements`` to make of each; two rows each where one is ``random``.

    ``random`` gives each pair the English page of the next pair of its language and split, in the
    order of a hash with the seed. That is a permutation without a fixed point, unless a language
    and split has a single pair.
    """
    aligned = [name for name in arrangements if name != "random"]
    chosen = filtered.withColumn("arrangements", _names(aligned))
    if "random" not in arrangements:
        return chosen
    order = [F.xxhash64(F.lit(seed), F.lit("random"), F.col("pair_id")), F.col("pair_id")]
    fits = F.col("reason").isNull()
    following = Window.partitionBy("target_lang", "split", fits).orderBy(order)
    around = following.rowsBetween(Window.unboundedPreceding, Window.unboundedFollowing)
    permuted = filtered.withColumn(
        "en_source_id",
        F.coalesce(F.lead("en_source_id").over(following), F.first("en_source_id").over(around)),
    ).withColumn("arrangements", _names(["random"]))
    return chosen.unionByName(permuted) if aligned else permuted


def arrange_retrieved(filtered: DataFrame, seed: int) -> DataFrame:
    """Text pairs for ``retrieved``: each document makes samples of one split only.

    Of the queries without a reason that found a document, the one with the lowest hash decides its
    split, over all languages of the run. Its pairs of the other split get `STRADDLES_SPLIT`.
    """
    place = F.xxhash64(F.lit(seed), F.lit("side"), F.col("target_source_id"))
    query = F.struct(place.alias("place"), "target_source_id", "split")
    uses = Window.partitionBy("en_source_id").rowsBetween(
        Window.unboundedPreceding, Window.unboundedFollowing
    )
    decided = F.min(F.when(F.col("reason").isNull(), query)).over(uses)["split"]
    straddles = F.when(decided != F.col("split"), STRADDLES_SPLIT)
    return filtered.withColumn("reason", F.coalesce("reason", straddles)).withColumn(
        "arrangements", _names([RETRIEVED])
    )


def join_text(text_pairs: DataFrame, texts: DataFrame, side: str) -> DataFrame:
    """Adds the columns of the text of a side, with its name as a prefix; null where it is missing.

    ``side`` is ``en`` or ``target``; ``source_id`` is unique in ``texts``.
    """
    renamed = texts.select([F.col(name).alias(f"{side}_{name}") for name in texts.columns])
    return text_pairs.join(renamed, on=f"{side}_source_id", how="left")


def select_paired_texts(texts: DataFrame, frames: Sequence[DataFrame]) -> DataFrame:
    """The texts that are in a row of any of these frames of text pairs."""
    ids = [
        text_pairs.select(F.col(f"{side}_source_id").alias("source_id"))
        for text_pairs in frames
        for side in ("en", "target")
    ]
    return texts.join(reduce(DataFrame.unionByName, ids), on="source_id", how="left_semi")


def _names(names: Sequence[str]) -> Column:
    return F.array([F.lit(name) for name in names])
