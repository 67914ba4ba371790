"""Adds a batch's texts and their near-duplicate links to the tables."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from crossic_etl.pipeline.crawl.batches import CrawlPlan
from crossic_etl.pipeline.crawl.components import stage_components
from crossic_etl.schemas import CRAWL_TEXTS, NEAR_DUPLICATE_LINKS
from crossic_etl.tables import Tables
from crossic_etl.transforms.components import MEMBERS
from crossic_etl.transforms.documents import mark_first, select_distinct
from crossic_etl.transforms.near_duplicates import (
    SIGNED,
    add_links,
    link_near_duplicates,
    list_bands,
    sign_documents,
)

JOB = "documents"


def add_texts(
    tables: Tables, staged: DataFrame, plan: CrawlPlan, *, threshold: float, seed: int
) -> DataFrame:
    """Writes the batch's rows of ``crawl_texts``; returns them with those of completed batches.

    Texts that no earlier batch has get a signature. With a ``threshold`` of 0 they get none, and no
    near duplicates are searched for.
    """
    known = tables.select_if_there(CRAWL_TEXTS, {"batch": plan.done}).where("is_first")
    distinct = mark_first(select_distinct(staged), known)
    if threshold:
        signed = sign_documents(distinct, threshold, seed, only="is_first")
    else:
        nothing = {field.name: F.lit(None).cast(field.dataType) for field in SIGNED}
        signed = distinct.withColumns(nothing)
    numbered = signed.withColumn("batch", F.lit(plan.batch).cast("long"))
    tables.replace(CRAWL_TEXTS, numbered.select(CRAWL_TEXTS.columns), plan.scope)
    return tables.select(CRAWL_TEXTS, {"batch": [*plan.done, plan.batch]})


def add_near_duplicates(
    tables: Tables, texts: DataFrame, plan: CrawlPlan, *, threshold: float
) -> tuple[DataFrame, int]:
    """Writes the batch's rows of ``near_duplicate_links``: the links among all texts so far.

    Stages and returns ``node, root`` (the documents of each cluster), and the number of links. Only
    buckets with a new text are linked again. With a ``threshold`` of 0 there are no clusters.
    """
    held = tables.select_if_there(NEAR_DUPLICATE_LINKS, {"batch": plan.done[-1:]})
    if not threshold:
        tables.create(NEAR_DUPLICATE_LINKS)
        return tables.stage(f"{JOB}_members", tables.spark.createDataFrame([], MEMBERS)), 0
    signed = texts.where("is_first").select("doc_id", "signature", "bands", "batch")
    if plan.is_full:
        links = link_near_duplicates(signed, threshold)
    else:
        touched = list_bands(signed.where(F.col("batch") == plan.batch))
        links = add_links(held, link_near_duplicates(signed, threshold, touched), touched)
    numbered = links.withColumn("batch", F.lit(plan.batch).cast("long"))
    tables.replace(NEAR_DUPLICATE_LINKS, numbered.select(NEAR_DUPLICATE_LINKS.columns), plan.stale)
    written = tables.select(NEAR_DUPLICATE_LINKS, {"batch": [plan.batch]})
    return stage_components(tables, JOB, written.select("a", "b").distinct(), are_stored=True)
