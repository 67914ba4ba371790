"""Interlanguage edges: langlinks in both directions, and Wikidata items that two pages share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from crossic_etl.kernels.wiki.links import (
    LINK_COLUMNS,
    PROP_COLUMNS,
    extract_links,
    extract_props,
)
from crossic_etl.kernels.wiki_facts import forms_of
from crossic_etl.kernels.wikis import Wiki
from crossic_etl.schemas import LINKS, STAGED_LINKS, STAGED_PAGES
from crossic_etl.transforms.sql import SqlTable


def langlinks_table(lang: str, dump_date: str, targets: Mapping[str, Wiki]) -> SqlTable:
    """Reads a wiki's ``langlinks``: staged links to the target wikis."""
    by_code = {code: wiki for target, wiki in targets.items() for code in forms_of(target)}
    extract = partial(extract_links, lang=lang, dump_date=dump_date, targets=by_code)
    return SqlTable(lang, LINK_COLUMNS, extract, STAGED_LINKS)


def page_props_table(lang: str) -> SqlTable:
    """Reads a wiki's ``page_props``: staged items and disambiguation marks."""
    return SqlTable(lang, PROP_COLUMNS, partial(extract_props, lang=lang), STAGED_PAGES)


def link_shared_items(pages: DataFrame, languages: Sequence[str]) -> DataFrame:
    """Staged edges between English and target pages with the same Wikidata item.

    An edge goes from each page to the other wiki's page with the lowest id. An item should name one
    page of a wiki; if it names several, all of the other wiki's pages point to that one.
    """
    items = pages.where(F.col("qid").isNotNull()).select(
        "lang", "page_id", "title", "qid", "dump_date"
    )
    first = Window.partitionBy("lang", "qid").orderBy("page_id")
    named = items.withColumn("nth", F.row_number().over(first)).where(F.col("nth") == 1)
    others = named.select(
        F.col("lang").alias("target_lang"), F.col("title").alias("target_title"), "qid"
    )
    across = (F.col("lang") == "en") & F.col("target_lang").isin(list(languages)) | (
        F.col("lang").isin(list(languages)) & (F.col("target_lang") == "en")
    )
    values = {"outcome": F.lit("qid"), "n": F.lit(1), "evidence": F.lit("qid")}
    joined = items.join(others, on="qid", how="inner").where(across)
    edges = joined.select(
        [
            (values.get(f.name, F.col(f.name) if f.name in joined.columns else F.lit(None)))
            .cast(f.dataType)
            .alias(f.name)
            for f in STAGED_LINKS
        ]
    )
    read = edges.agg(F.lit("read").alias("outcome"), F.count("*").alias("n"))
    return edges.unionByName(read, allowMissingColumns=True)


def select_links(staged: DataFrame) -> DataFrame:
    """``links``: staged edges; if a broken dump repeats a key, the first title is kept."""
    edges = staged.where(F.col("outcome").isin("langlink", "qid"))
    first = edges.groupBy("lang", "page_id", "target_lang", "evidence")
    return first.agg(
        F.min("target_title").alias("target_title"), F.min("dump_date").alias("dump_date")
    ).select(LINKS.columns)
