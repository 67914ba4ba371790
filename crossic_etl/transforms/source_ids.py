"""Page ids in tables that also have web documents: embeddings, neighbours, samples."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F


def page_source_id(lang: Column, page_id: str) -> Column:
    """``lang:page_id``; it can't equal a ``doc_id``, which has no colon."""
    return F.concat_ws(":", lang, F.col(page_id).cast("string"))
