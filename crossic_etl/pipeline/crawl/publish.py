"""Writes a batch's changes to the tables that other jobs read."""

from __future__ import annotations

from collections.abc import Collection

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from crossic_etl.kernels.crawl.documents import REJECTED
from crossic_etl.kernels.text.language_id import UNKNOWN
from crossic_etl.pipeline.crawl.batches import CrawlPlan
from crossic_etl.schemas import DOCUMENTS, REJECTS
from crossic_etl.tables import Tables
from crossic_etl.transforms.changes import GONE, NEW, mark_changes, select_gone, select_new
from crossic_etl.transforms.documents import select_documents, select_held
from crossic_etl.transforms.outcomes import merge_rejects, select_rejects

JOB = "documents"


def publish_documents(
    tables: Tables, texts: DataFrame, resolved: DataFrame, held: DataFrame
) -> tuple[int, int]:
    """Applies ``resolved`` to ``documents``; returns the numbers of rows written and removed."""
    marked = mark_changes(select_documents(texts, resolved), select_held(held, resolved), DOCUMENTS)
    changes = tables.stage(f"{JOB}_changes", marked)
    counts = {row.change: row["count"] for row in changes.groupBy("change").count().collect()}
    new, gone = select_new(changes, DOCUMENTS), select_gone(changes, DOCUMENTS)
    n_changes = counts.get(NEW, 0) + counts.get(GONE, 0)
    tables.merge(DOCUMENTS, new, gone, n_changes=n_changes)
    return counts.get(NEW, 0), counts.get(GONE, 0)


def publish_rejects(
    tables: Tables, staged: DataFrame, plan: CrawlPlan, reasons: Collection[str]
) -> None:
    """Adds a row to ``rejects`` for each broken record or file of the batch.

    If all files are read again, this batch's rows replace the others. ``reasons`` are the reasons
    for which this run dropped records.
    """
    scope = {"table": [JOB], "lang": [UNKNOWN]}
    held = tables.select_if_there(REJECTS, scope).select(REJECTS.columns)
    if set(REJECTED).isdisjoint(reasons) and (not plan.is_full or held.isEmpty()):
        return
    broken, key = select_rejects(staged, JOB, REJECTED), list(REJECTS.key)
    made = broken if plan.is_full else merge_rejects(held, broken)
    left = held if plan.is_full else held.where(F.lit(False))
    new = made.join(held, on=REJECTS.columns, how="left_anti")
    gone = left.select(key).join(made, on=key, how="left_anti")
    tables.merge(REJECTS, new, gone)


def unstage_all(tables: Tables) -> None:
    """Empties the scratch tables, once their rows are in the tables."""
    tables.unstage(JOB, f"{JOB}_members", f"{JOB}_changes")
