"""Schemas of frames that are not tables: staged rows, and workers' reports of written files."""

from __future__ import annotations

from pyspark.sql import types as T

from crossic_etl.schemas.crawl import DOCUMENTS, EMBEDDINGS
from crossic_etl.schemas.samples import SAMPLES
from crossic_etl.schemas.table import BOOLEAN, LONG, STRING, Table, columns
from crossic_etl.schemas.wikipedia import LINKS, PAGES


def _staged(*extra: tuple[str, T.DataType], of: Table) -> T.StructType:
    """The outcome of a row, then a table's columns, all nullable."""
    named = [("outcome", STRING), *[(f.name, f.dataType) for f in of.schema], *extra]
    return T.StructType([T.StructField(name, kind, True) for name, kind in named])


# One expensive pass gives rows for several tables. It is staged once, with an outcome for each row.
# ``rejects`` needs ``key`` and ``detail``; ``n`` is the number of input rows that a row stands for.
# Readers add rows with the outcome ``read``, which count the input before anything is parsed, so
# that counts can be balanced. (``DataFrame.observe`` loses its counts in writes through Delta's
# catalog.)
STAGED_PAGES = _staged(
    ("target_title", STRING), ("n", LONG), ("key", STRING), ("detail", STRING), of=PAGES
)
STAGED_LINKS = _staged(("n", LONG), ("key", STRING), ("detail", STRING), of=LINKS)
# ``embedded``: characters that were embedded to cut the pair.
STAGED_SAMPLES = _staged(
    ("n", LONG), ("key", STRING), ("detail", STRING), ("embedded", LONG), of=SAMPLES
)
# ``read_from`` is the file that was read; ``file`` is the one that a record names.
STAGED_DOCUMENTS = _staged(
    ("n", LONG), ("key", STRING), ("detail", STRING), ("read_from", STRING), of=DOCUMENTS
)
# ``stale``: ``embeddings`` has a row of this id with another text.
STAGED_EMBEDDINGS = _staged(
    ("n", LONG), ("key", STRING), ("detail", STRING), ("stale", BOOLEAN), of=EMBEDDINGS
)

# A worker's report of each export file that it wrote.
EXPORTED_FILES = columns(
    split=STRING,  # empty for the attribution
    path=STRING,  # in the finished export
    part=STRING,  # its name while it is written
    bytes=LONG,
    sha256=STRING,
    windows=LONG,
    tokens=LONG,
    repeated_tokens=LONG,
    token_sum=LONG,
    lowest_id=LONG,
    highest_id=LONG,
)
