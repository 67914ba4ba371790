"""Frames that are no tables: staged rows, and what workers say of files that they wrote."""

from __future__ import annotations

from pyspark.sql import types as T

from crossic_etl.schemas.crawl import DOCUMENTS, EMBEDDINGS
from crossic_etl.schemas.samples import SAMPLES
from crossic_etl.schemas.table import BOOLEAN, LONG, STRING, Table, columns
from crossic_etl.schemas.wikipedia import LINKS, PAGES


def _staged(*extra: tuple[str, T.DataType], of: Table) -> T.StructType:
    """A table's columns, all nullable, behind the outcome of the row that was read."""
    named = [("outcome", STRING), *[(f.name, f.dataType) for f in of.schema], *extra]
    return T.StructType([T.StructField(name, kind, True) for name, kind in named])


# One expensive pass gives rows for several tables: it is staged once, with an outcome for each row.
# ``key`` and ``detail`` are what ``rejects`` needs; ``n`` is how many input rows a row stands for.
# Readers add rows with the outcome ``read``, counted before anything is parsed: the other side of
# the balance. (``DataFrame.observe`` loses its counts in a write through Delta's catalog.)
STAGED_PAGES = _staged(
    ("target_title", STRING), ("n", LONG), ("key", STRING), ("detail", STRING), of=PAGES
)
STAGED_LINKS = _staged(("n", LONG), ("key", STRING), ("detail", STRING), of=LINKS)
STAGED_SAMPLES = _staged(("n", LONG), ("key", STRING), ("detail", STRING), of=SAMPLES)
# ``read_from``: the file that was read, where ``file`` is the one that a record names.
STAGED_DOCUMENTS = _staged(
    ("n", LONG), ("key", STRING), ("detail", STRING), ("read_from", STRING), of=DOCUMENTS
)
# ``stale``: ``embeddings`` holds a row with this id that is of another text.
STAGED_EMBEDDINGS = _staged(
    ("n", LONG), ("key", STRING), ("detail", STRING), ("stale", BOOLEAN), of=EMBEDDINGS
)

# What a worker says of each file of an export that it wrote.
EXPORTED_FILES = columns(
    split=STRING,  # empty for the attribution
    path=STRING,  # in the export
    part=STRING,  # its name until then
    bytes=LONG,
    sha256=STRING,
    windows=LONG,
    tokens=LONG,
    repeated_tokens=LONG,
    token_sum=LONG,
    lowest_id=LONG,
    highest_id=LONG,
)
