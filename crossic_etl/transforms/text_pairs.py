"""Chooses the text pairs that make samples, with their arrangements and splits.

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

from crossic_etl.kernels.samples.rows import TOO_SHORT
from crossic_etl.kernels.splits import TRAIN, VALIDATION
from crossic_etl.schemas import LONG, STRING
from crossic_etl.transforms.contamination import mark_contaminated
from crossic_etl.transforms.english_swaps import swap_english
from crossic_etl.transforms.source_ids import page_source_id

WIKIPEDIA, CRAWL = "wikipedia", "crawl"
RETRIEVED = "retrieved"
CONTAMINATED = "contaminated"
NOT_BEST, STRADDLES_SPLIT = "not_best", "straddles_split"
NONE_NEAR = "none_near"

# Of the English text, for `arrange_pairs`.
_ENGLISH = ("en_n_chars", "en_text_hash")
TEXT = ("source_id", "title", "url", "revision_id", "licence", "text", "n_chars", "fingerprint")


def page_texts(pages: DataFrame) -> DataFrame:
    """``pages`` as texts."""
    described = pages.withColumns(
        {
            "source_id": page_source_id(F.col("lang"), "page_id"),
            "fingerprint": F.xxhash64("text_hash", "title", "url", "revision_id", "licence"),
        }
    )
    return described.select(*TEXT, "text_hash")


def document_texts(documents: DataFrame) -> DataFrame:
    """``documents`` as texts; they have no title and no revision."""
    return documents.select(
        F.col("doc_id").alias("source_id"),
        F.lit(None).cast(STRING).alias("title"),
        "url",
        F.lit(None).cast(LONG).alias("revision_id"),
        "licence",
        "text",
        "n_chars",
        F.xxhash64("text_hash", "url", "licence").alias("fingerprint"),
        "text_hash",
    )


def wikipedia_text_pairs(pairs: DataFrame, validation_share: float, seed: int) -> DataFrame:
    """The text pairs of ``pairs``; a hash of the English page determines the split."""
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
    """The text pairs of one model's accepted rows of ``neighbours``.

    The best document of each query has no reason, the others have `NOT_BEST`. A query that is in
    ``pairs`` (text pairs with unique target ids) has that pair's split, so that its English article
    and its web document are in the same split. Any other query gets a split by its own id.
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
    """``validation`` for this share of all source ids, chosen by a hash; else ``train``."""
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

    Such a pair makes no sample in any arrangement, so that all arrangements have the same
    documents, except for `NONE_NEAR`. ``contaminated`` has unique source ids. An earlier reason is
    kept. The English text's ``en_n_chars`` and ``en_text_hash`` are added, for `arrange_pairs`.
    """
    sized = join_text(text_pairs, english.select("source_id", "n_chars", "text_hash"), "en")
    sized = join_text(sized, target.select("source_id", "n_chars"), "target")
    least = F.least(F.coalesce("en_n_chars", F.lit(0)), F.coalesce("target_n_chars", F.lit(0)))
    reason = F.when(least < min_chars, TOO_SHORT)
    if contaminated is not None:
        sized = mark_contaminated(sized, contaminated)
        reason = reason.when(F.col("is_contaminated"), CONTAMINATED)
    reasoned = sized.withColumn("reason", F.coalesce("reason", reason))
    return reasoned.select(*text_pairs.columns, *_ENGLISH)


def arrange_pairs(filtered: DataFrame, arrangements: Sequence[str], seed: int) -> DataFrame:
    """`filter_text_pairs`' rows with the ``arrangements`` to make; two rows each with ``random``.

    ``random`` combines each pair's target page with the English page of another pair of the same
    language and split that is near in length, in the order of a hash with the seed. A pair without
    another one near gets `NONE_NEAR` there, so a language's only pair does. See `english_swaps`.
    """
    aligned = [name for name in arrangements if name != "random"]
    chosen = filtered.drop(*_ENGLISH).withColumn("arrangements", _names(aligned))
    if "random" not in arrangements:
        return chosen
    swapped = _swapped(filtered, seed).withColumn("arrangements", _names(["random"]))
    return chosen.unionByName(swapped) if aligned else swapped


def _swapped(filtered: DataFrame, seed: int) -> DataFrame:
    """Each pair with another's English page; a pair that has a reason or gets one keeps its own."""
    fits = F.col("reason").isNull()
    other = F.col("other_en_source_id")
    swapped = swap_english(filtered.where(fits), seed).withColumns(
        {
            "reason": F.when(other.isNull(), NONE_NEAR),
            "en_source_id": F.coalesce(other, "en_source_id"),
        }
    )
    others = filtered.where(~fits)
    return swapped.drop("other_en_source_id").unionByName(others).drop(*_ENGLISH)


def arrange_retrieved(filtered: DataFrame, seed: int) -> DataFrame:
    """Text pairs for ``retrieved``: all samples of a document are in one split.

    A document may be found by several queries without a reason. The query with the lowest hash
    determines the document's split, over all languages of the run. Pairs of the document in the
    other split get `STRADDLES_SPLIT`.
    """
    place = F.xxhash64(F.lit(seed), F.lit("side"), F.col("target_source_id"))
    query = F.struct(place.alias("place"), "target_source_id", "split")
    uses = Window.partitionBy("en_source_id").rowsBetween(
        Window.unboundedPreceding, Window.unboundedFollowing
    )
    decided = F.min(F.when(F.col("reason").isNull(), query)).over(uses)["split"]
    straddles = F.when(decided != F.col("split"), STRADDLES_SPLIT)
    reasoned = filtered.withColumn("reason", F.coalesce("reason", straddles))
    return reasoned.drop(*_ENGLISH).withColumn("arrangements", _names([RETRIEVED]))


def join_text(text_pairs: DataFrame, texts: DataFrame, side: str) -> DataFrame:
    """Adds the text's columns with ``side`` as their prefix; null where the text is missing.

    ``side`` is ``en`` or ``target``; ``source_id`` is unique in ``texts``.
    """
    renamed = texts.select([F.col(name).alias(f"{side}_{name}") for name in texts.columns])
    return text_pairs.join(renamed, on=f"{side}_source_id", how="left")


def select_paired_texts(texts: DataFrame, frames: Sequence[DataFrame]) -> DataFrame:
    """The texts that occur in any of these frames of text pairs."""
    ids = [
        text_pairs.select(F.col(f"{side}_source_id").alias("source_id"))
        for text_pairs in frames
        for side in ("en", "target")
    ]
    return texts.join(reduce(DataFrame.unionByName, ids), on="source_id", how="left_semi")


def _names(names: Sequence[str]) -> Column:
    return F.array([F.lit(name) for name in names])
