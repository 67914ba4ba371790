"""Expectations of samples."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from crossic_etl.expectations.expectation import Expectation, of_every_row
from crossic_etl.schemas import DOCUMENTS, PAGES, PAIRS, SAMPLES
from crossic_etl.transforms.source_ids import page_source_id
from crossic_etl.transforms.text_pairs import CRAWL, RETRIEVED, WIKIPEDIA

SIDES = ("en", "target")
# The grain of a pair of texts in one arrangement; in ``mix`` each of its texts is by itself.
_DOCUMENTS = (
    "arrangement", "tokenizer", "origin", "pair_id", "en_source_id", "target_source_id",
)  # fmt: skip
# Samples of a language that one run made: separator and split token are the same in all.
_RECIPE = ("arrangement", "target_lang", "tokenizer", "split_token", "has_both")
_NO_REVISION = -1


def compare_tokens(samples: DataFrame) -> DataFrame:
    """``sample_id, extra, usual_extra``: tokens that belong to neither text, and their mode.

    The mode is taken over all samples of one `_RECIPE`.
    """
    extra = F.col("n_tokens").cast("long") - F.col("n_en_tokens") - F.col("n_target_tokens")
    has_both = (F.col("n_en_tokens") > 0) & (F.col("n_target_tokens") > 0)
    counted = samples.withColumns({"has_both": has_both, "extra": extra}).select(
        "sample_id", *_RECIPE, "extra"
    )
    usual = counted.groupBy(*_RECIPE).agg(F.mode("extra", deterministic=True).alias("usual_extra"))
    return counted.join(F.broadcast(usual), on=list(_RECIPE), how="left")


def join_segments(
    samples: DataFrame, pairs: DataFrame, pages: DataFrame, documents: DataFrame
) -> DataFrame:
    """One row for each `_DOCUMENTS`: its segments joined, and its pages, documents and pair.

    ``segments`` are their numbers in order; ``fewest`` and ``most`` the range of ``n_segments``;
    ``unmatched`` the number of segments that were dropped. Prefixed by ``en_`` or ``target_``:
    ``hash`` of the joined text without white space, ``oldest`` and ``newest`` revision, ``there``
    and ``revision`` (hash and revision in ``pages`` or ``documents``, null without one) and
    ``pair`` (the page in ``pairs``).
    """
    texts = [F.struct("segment", *(f"{side}_text" for side in SIDES))]
    held = samples.groupBy(*_DOCUMENTS).agg(
        F.array_sort(F.collect_list(*texts)).alias("parts"),
        F.min("n_segments").alias("fewest"),
        F.max("n_segments").alias("most"),
        F.max(F.coalesce("n_unmatched", F.lit(0))).alias("unmatched"),
        *(
            of(_revision(f"{side}_revision_id")).alias(f"{side}_{name}")
            for side in SIDES
            for name, of in (("oldest", F.min), ("newest", F.max))
        ),
    )
    joined = held.select(
        *_DOCUMENTS,
        "fewest",
        "most",
        "unmatched",
        F.col("parts")["segment"].alias("segments"),
        *(_joined_hash(side) for side in SIDES),
        *(f"{side}_{name}" for side in SIDES for name in ("oldest", "newest")),
    ).join(_pages_of(pairs), on="pair_id", how="left")
    there = _texts(pages, documents)
    for side in SIDES:
        renamed = there.select([F.col(name).alias(f"{side}_{name}") for name in there.columns])
        joined = joined.join(renamed, on=f"{side}_source_id", how="left")
    return joined


def _joined_hash(side: str) -> Column:
    return _hash(F.array_join(F.col("parts")[f"{side}_text"], "")).alias(f"{side}_hash")


def _hash(text: Column) -> Column:
    """Of all but white space, as Python has it: what stands between segments is in none."""
    return F.sha2(F.regexp_replace(text, r"(?U)[\s\x1c-\x1f]+", ""), 256)


def _revision(column: str) -> Column:
    return F.coalesce(column, F.lit(_NO_REVISION))


def _pages_of(pairs: DataFrame) -> DataFrame:
    return pairs.select(
        "pair_id",
        page_source_id(F.lit("en"), "en_page_id").alias("en_pair"),
        page_source_id(F.col("target_lang"), "target_page_id").alias("target_pair"),
    )


def _texts(pages: DataFrame, documents: DataFrame) -> DataFrame:
    """``source_id, there, revision``: hash and revision of every page and document."""
    hashed = _hash(F.col("text")).alias("there")
    return pages.select(
        page_source_id(F.col("lang"), "page_id").alias("source_id"),
        hashed,
        _revision("revision_id").alias("revision"),
    ).unionByName(
        documents.select(
            F.col("doc_id").alias("source_id"),
            hashed,
            F.lit(_NO_REVISION).cast("long").alias("revision"),
        )
    )


def find_splits(samples: DataFrame) -> DataFrame:
    """``source_id, first_split, last_split``: least and greatest split of a document's samples."""
    ids = F.explode(F.array(*(f"{side}_source_id" for side in SIDES)))
    named = samples.select(ids.alias("source_id"), "split").where(F.col("source_id").isNotNull())
    return named.groupBy("source_id").agg(
        F.min("split").alias("first_split"), F.max("split").alias("last_split")
    )


_HOLDS_SIDES = """
CASE arrangement
    WHEN 'mix' THEN (en_source_id IS NULL) <> (target_source_id IS NULL)
    WHEN 'target-only' THEN en_source_id IS NULL AND target_source_id IS NOT NULL
    ELSE en_source_id IS NOT NULL AND target_source_id IS NOT NULL
END
"""
# Dropped segments leave gaps.
_ARE_ALL = (
    "fewest = most AND size(segments) + unmatched = most AND segments[0] >= 0"
    " AND element_at(segments, -1) < most AND size(array_distinct(segments)) = size(segments)"
)
_ARE_WHOLE = f"unmatched = 0 AND {_ARE_ALL}"


def _of_both(condition: str) -> str:
    return " AND ".join(f"({condition.format(side=side)})" for side in SIDES)


SAMPLE_EXPECTATIONS = (
    of_every_row(
        SAMPLES,
        {
            "split is train or validation": "split IN ('train', 'validation')",
            "origin is that of its arrangement": (
                f"origin = IF(arrangement = '{RETRIEVED}', '{CRAWL}', '{WIKIPEDIA}')"
            ),
            "it has the sides of its arrangement": _HOLDS_SIDES,
            "a side that it doesn't have is empty": _of_both(
                "{side}_source_id IS NOT NULL OR ({side}_text = '' AND n_{side}_tokens = 0"
                " AND {side}_title IS NULL AND {side}_url IS NULL AND {side}_revision_id IS NULL)"
            ),
            "n_tokens is the number of input_ids": "n_tokens = size(input_ids)",
        },
    ),
    Expectation(
        {
            "its tokens are the sides', the separator's and the split token's": (
                "extra > 0 AND extra = usual_extra"
            )
        },
        SAMPLES.key,
        (SAMPLES,),
        compare_tokens,
    ),
    Expectation(
        {
            "segments are 0 to n_segments - 1, once each but those dropped": _ARE_ALL,
            "its documents are there": _of_both(
                "{side}_source_id IS NULL OR {side}_there IS NOT NULL"
            ),
            "its segments, joined, are the texts": f"NOT ({_ARE_WHOLE}) OR "
            + f"({_of_both('{side}_there IS NULL OR {side}_hash = {side}_there')})",
            "its revisions are the pages'": _of_both(
                "{side}_there IS NULL OR ({side}_oldest = {side}_revision"
                " AND {side}_newest = {side}_revision)"
            ),
            "its pair is there, with those pages": (
                f"origin <> '{WIKIPEDIA}' OR (en_pair IS NOT NULL"
                " AND (en_source_id IS NULL"
                " OR (en_source_id = en_pair) = (arrangement <> 'random'))"
                " AND (target_source_id IS NULL OR target_source_id = target_pair))"
            ),
        },
        _DOCUMENTS,
        (SAMPLES, PAIRS, PAGES, DOCUMENTS),
        join_segments,
    ),
    Expectation(
        {"no document is on both sides of the split": "first_split = last_split"},
        ("source_id",),
        (SAMPLES,),
        find_splits,
    ),
)
