"""Expectations of what was read from files: pages, links, pairs and documents."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from crossic_etl.expectations.expectation import Expectation, of_every_row
from crossic_etl.schemas import DOCUMENTS, LINKS, MAX_URLS, PAGES, PAIRS, REDIRECTS
from crossic_etl.transforms.source_ids import page_source_id

_TEXT_RULES = {
    "text_hash is the SHA-256 of text": "text_hash = sha2(text, 256)",
    "n_chars is the length of text": "n_chars = char_length(text)",
}


def mark_redirects(pages: DataFrame, redirects: DataFrame) -> DataFrame:
    """``lang, page_id, is_redirect``: true if a redirect has the title of the page."""
    titles = redirects.select("lang", "title", F.lit(True).alias("is_redirect"))
    named = pages.select("lang", "page_id", "title").join(titles, on=["lang", "title"], how="left")
    return named.select(
        "lang", "page_id", F.coalesce("is_redirect", F.lit(False)).alias("is_redirect")
    )


def links_by_item(links: DataFrame, pages: DataFrame) -> DataFrame:
    """Links made from a shared Wikidata item, with ``is_there``: true if ``pages`` has their page.

    Links read from a dump may come from a page that no dump has; the job ``pairs`` drops those.
    """
    there = pages.select("lang", "page_id", F.lit(True).alias("is_there"))
    by_item = links.where(F.col("evidence") == "qid").select(*LINKS.key)
    return by_item.join(there, on=["lang", "page_id"], how="left")


def pairs_with_pages(pairs: DataFrame, pages: DataFrame) -> DataFrame:
    """Pairs with the title and ``is_disambiguation`` of both pages in ``pages``, or nulls."""
    ends = {"en": F.lit("en"), "target": F.col("target_lang")}
    columns = (
        "pair_id",
        "target_lang",
        *(f"{end}_{c}" for end in ends for c in ("page_id", "title")),
    )
    joined = pairs.select(*columns)
    for end, lang in ends.items():
        there = pages.select(
            F.col("lang").alias(f"{end}_lang"),
            F.col("page_id").alias(f"{end}_page_id"),
            F.col("title").alias(f"{end}_there"),
            F.col("is_disambiguation").alias(f"{end}_is_disambiguation"),
        )
        on = [f"{end}_lang", f"{end}_page_id"]
        joined = joined.withColumn(f"{end}_lang", lang).join(there, on=on, how="left")
    return joined


def count_uses(pairs: DataFrame) -> DataFrame:
    """``target_lang, page, n_pairs``: pairs that name a page, English or not."""

    def of(lang: Column, column: str) -> DataFrame:
        page = page_source_id(lang, column).alias("page")
        return pairs.groupBy("target_lang", page).agg(F.count("*").alias("n_pairs"))

    return of(F.lit("en"), "en_page_id").unionByName(of(F.col("target_lang"), "target_page_id"))


PAGE_EXPECTATIONS = (
    of_every_row(PAGES, _TEXT_RULES),
    Expectation(
        {"no page is a redirect too": "NOT is_redirect"},
        PAGES.key,
        (PAGES, REDIRECTS),
        mark_redirects,
    ),
)

LINK_EXPECTATIONS = (
    of_every_row(
        LINKS,
        {
            "evidence is langlink or qid": "evidence IN ('langlink', 'qid')",
            "one of its ends is English": "(lang = 'en') <> (target_lang = 'en')",
        },
    ),
    Expectation(
        {"a link by item comes from a page that is there": "is_there"},
        LINKS.key,
        (LINKS, PAGES),
        links_by_item,
    ),
)

_TO, _FROM = "concat('en->', target_lang)", "concat(target_lang, '->en')"

PAIR_EXPECTATIONS = (
    of_every_row(
        PAIRS,
        {
            "evidence is a sorted set of what there may be": (
                "size(evidence) > 0 AND evidence = array_sort(array_distinct(evidence))"
                f" AND size(array_except(evidence, array({_TO}, {_FROM}, 'qid'))) = 0"
            ),
            "both_directions is what evidence says": (
                f"both_directions = (array_contains(evidence, {_TO})"
                f" AND array_contains(evidence, {_FROM}))"
            ),
            "n_links has one for each evidence": "n_links >= size(evidence)",
        },
    ),
    Expectation(
        {
            "both its pages are there, with those titles": (
                "en_title = en_there AND target_title = target_there"
            ),
            "neither of its pages is a disambiguation": (
                "NOT coalesce(en_is_disambiguation OR target_is_disambiguation, false)"
            ),
        },
        PAIRS.key,
        (PAIRS, PAGES),
        pairs_with_pages,
    ),
    Expectation(
        {"a page is in one pair of a target language": "n_pairs = 1"},
        ("target_lang", "page"),
        (PAIRS,),
        count_uses,
    ),
)

DOCUMENT_EXPECTATIONS = (
    of_every_row(
        DOCUMENTS,
        {
            **_TEXT_RULES,
            "n_copies counts itself": "n_copies >= 1 AND n_near_copies >= 0",
            "urls are a sorted set of those of its copies": (
                "urls = array_sort(array_distinct(urls))"
                f" AND size(urls) <= least(n_copies, {MAX_URLS})"
            ),
        },
    ),
)
