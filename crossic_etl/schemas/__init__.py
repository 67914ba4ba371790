"""Every table's StructType with its key and its partition columns, and what is staged of them.

``TABLES`` has all tables in the order of the flow.
"""

from __future__ import annotations

from crossic_etl.schemas.crawl import (
    CRAWL_FILES,
    CRAWL_TEXTS,
    DOCUMENTS,
    EMBEDDINGS,
    MAX_URLS,
    NEAR_DUPLICATE_LINKS,
    NEIGHBOURS,
    POINT,
    QUANTIZERS,
    REVERSE_NEIGHBOURS,
    SEARCHED_VECTORS,
    SEARCHES,
    THRESHOLDS,
)
from crossic_etl.schemas.records import REJECTS, RUNS
from crossic_etl.schemas.samples import SAMPLES, WINDOWS
from crossic_etl.schemas.staged import (
    EXPORTED_FILES,
    STAGED_DOCUMENTS,
    STAGED_EMBEDDINGS,
    STAGED_LINKS,
    STAGED_PAGES,
    STAGED_SAMPLES,
)
from crossic_etl.schemas.table import (
    BOOLEAN,
    COUNTS,
    DOUBLE,
    INT,
    LONG,
    NAMES,
    STRING,
    TIMESTAMP,
    TOKENS,
    Table,
    columns,
    nullable,
)
from crossic_etl.schemas.wikipedia import LINKS, PAGES, PAIRS, REDIRECTS

__all__ = [
    "BOOLEAN",
    "COUNTS",
    "CRAWL_FILES",
    "CRAWL_TEXTS",
    "DOCUMENTS",
    "DOUBLE",
    "EMBEDDINGS",
    "EXPORTED_FILES",
    "INT",
    "LINKS",
    "LONG",
    "MAX_URLS",
    "NAMES",
    "NEAR_DUPLICATE_LINKS",
    "NEIGHBOURS",
    "PAGES",
    "PAIRS",
    "POINT",
    "QUANTIZERS",
    "REDIRECTS",
    "REJECTS",
    "REVERSE_NEIGHBOURS",
    "RUNS",
    "SAMPLES",
    "SEARCHED_VECTORS",
    "SEARCHES",
    "STAGED_DOCUMENTS",
    "STAGED_EMBEDDINGS",
    "STAGED_LINKS",
    "STAGED_PAGES",
    "STAGED_SAMPLES",
    "STRING",
    "TABLES",
    "THRESHOLDS",
    "TIMESTAMP",
    "TOKENS",
    "WINDOWS",
    "Table",
    "columns",
    "nullable",
]

TABLES = {
    table.name: table
    for table in (
        PAGES,
        REDIRECTS,
        LINKS,
        PAIRS,
        CRAWL_FILES,
        CRAWL_TEXTS,
        NEAR_DUPLICATE_LINKS,
        DOCUMENTS,
        EMBEDDINGS,
        QUANTIZERS,
        THRESHOLDS,
        NEIGHBOURS,
        REVERSE_NEIGHBOURS,
        SEARCHED_VECTORS,
        SEARCHES,
        SAMPLES,
        WINDOWS,
        REJECTS,
        RUNS,
    )
}
