"""Copies among judged documents: exact ones gathered, near ones clustered, step by staged step."""

from __future__ import annotations

from pyspark.sql import DataFrame

from crossic_etl.components import stage_components
from crossic_etl.config import Config
from crossic_etl.tables import Tables
from crossic_etl.transforms.components import MEMBERS
from crossic_etl.transforms.documents import select_distinct
from crossic_etl.transforms.near_duplicates import link_near_copies, sign_documents

JOB = "documents"


def stage_distinct(tables: Tables, staged: DataFrame, config: Config) -> DataFrame:
    """Stages the documents without exact copies, signed where near copies are looked for."""
    distinct, threshold = select_distinct(staged), config.crawl.near_duplicates
    if threshold:
        distinct = sign_documents(distinct, threshold, config.seed)
    return tables.stage(f"{JOB}_distinct", distinct)


def stage_near_copies(tables: Tables, distinct: DataFrame, config: Config) -> tuple[DataFrame, int]:
    """Stages ``node, root``, the documents of each cluster of near copies; the links found."""
    threshold = config.crawl.near_duplicates
    if not threshold:
        return tables.stage(f"{JOB}_members", tables.spark.createDataFrame([], MEMBERS)), 0
    return stage_components(tables, JOB, link_near_copies(distinct, threshold))


def unstage_all(tables: Tables) -> None:
    """Empties the scratch tables: their rows are in the tables now."""
    for job in (JOB, f"{JOB}_distinct", f"{JOB}_members"):
        tables.unstage(job)
