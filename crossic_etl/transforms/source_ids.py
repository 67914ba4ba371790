"""Ids of pages in tables that hold web documents too: embeddings, neighbours, samples."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F


def page_source_id(lang: Column, page_id: str) -> Column:
    """``lang:page_id`` of a language and the column ``page_id``; a ``doc_id`` has no colon."""
    return F.concat_ws(":", lang, F.col(page_id).cast("string"))
