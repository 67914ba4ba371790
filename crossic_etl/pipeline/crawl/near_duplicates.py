"""Copies among all texts that were ever read: what a batch of files adds to them."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from crossic_etl.config import Config
from crossic_etl.pipeline.crawl.batches import Plan
from crossic_etl.pipeline.crawl.components import stage_components
from crossic_etl.schemas import CRAWL_TEXTS, NEAR_COPY_LINKS
from crossic_etl.tables import Tables
from crossic_etl.transforms.components import MEMBERS
from crossic_etl.transforms.documents import mark_first, select_distinct
from crossic_etl.transforms.near_duplicates import (
    SIGNED,
    add_links,
    link_near_copies,
    list_bands,
    sign_documents,
)

JOB = "documents"


def add_texts(tables: Tables, staged: DataFrame, plan: Plan, config: Config) -> DataFrame:
    """Writes what a batch gives to ``crawl_texts``; its rows of this batch and those that hold.

    Texts that no earlier batch has are signed, where near copies are looked for.
    """
    known = tables.select_or_create(CRAWL_TEXTS, {"batch": plan.done}).where("is_first")
    distinct = mark_first(select_distinct(staged), known)
    threshold = config.crawl.near_duplicates
    if threshold:
        signed = sign_documents(distinct, threshold, config.seed, only="is_first")
    else:
        nothing = {field.name: F.lit(None).cast(field.dataType) for field in SIGNED}
        signed = distinct.withColumns(nothing)
    numbered = signed.withColumn("batch", F.lit(plan.batch).cast("long"))
    tables.replace(CRAWL_TEXTS, numbered.select(CRAWL_TEXTS.columns), plan.scope)
    return tables.select(CRAWL_TEXTS, {"batch": [*plan.done, plan.batch]})


def add_near_copies(
    tables: Tables, texts: DataFrame, plan: Plan, config: Config
) -> tuple[DataFrame, int]:
    """Writes the links among all texts, and stages ``node, root``, the documents of each cluster.

    Only buckets in which a text is new are looked at. Also returns how many pairs are linked.
    """
    threshold = config.crawl.near_duplicates
    held = tables.select_or_create(NEAR_COPY_LINKS, {"batch": plan.done[-1:]})
    if not threshold:
        return tables.stage(f"{JOB}_members", tables.spark.createDataFrame([], MEMBERS)), 0
    signed = texts.where("is_first").select("doc_id", "signature", "bands", "batch")
    if plan.is_full:
        links = link_near_copies(signed, threshold)
    else:
        touched = list_bands(signed.where(F.col("batch") == plan.batch))
        links = add_links(held, link_near_copies(signed, threshold, touched), touched)
    numbered = links.withColumn("batch", F.lit(plan.batch).cast("long"))
    tables.replace(NEAR_COPY_LINKS, numbered.select(NEAR_COPY_LINKS.columns), plan.stale)
    written = tables.select(NEAR_COPY_LINKS, {"batch": [plan.batch]})
    return stage_components(tables, JOB, written.select("a", "b").distinct(), are_stored=True)
