"""Documents of crawls: judged as they are read, one row for each text, one for each cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

import pyarrow as pa
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from crossic_etl.kernels.crawl_records import (
    BrokenRecord,
    RawDocument,
    read_json_lines,
    read_wet,
)
from crossic_etl.kernels.documents import (
    DOCUMENT,
    DROPPED,
    DUPLICATE,
    NEAR_DUPLICATE,
    READ,
    REJECTED,
    DocumentRules,
    judge_records,
    read_line,
    read_row,
)
from crossic_etl.schemas import DOCUMENTS, MAX_URLS, STAGED_DOCUMENTS
from crossic_etl.transforms.arrow import Batches, to_batches
from crossic_etl.transforms.outcomes import count_outcomes

OUTCOMES = (READ, DOCUMENT, *DROPPED, *REJECTED)
ROW = ("file", "number", "text", "url", "source_id", "date", "lang", "lang_score", "dump",
       "named_file")  # fmt: skip
_JUDGED = [name for name in DOCUMENTS.columns if name not in ("n_copies", "urls", "n_near_copies")]
Records = Iterable[RawDocument | BrokenRecord]


def judge_rows(rows: DataFrame, rules: DocumentRules, dump: str) -> DataFrame:
    """Staged rows of a columnar source (`ROW`, ``text`` in bytes)."""
    return _judge(rows.select(*ROW), lambda *values: [read_row(*values)], rules, dump)


def judge_lines(
    lines: DataFrame, fields: Mapping[str, str], rules: DocumentRules, dump: str
) -> DataFrame:
    """Staged rows of JSON lines (``value, file``; the lines in bytes)."""
    paths = dict(fields)

    def read(line: bytes, file: str) -> Records:
        return [read_line(line, paths, file)]

    return _judge(lines.select("value", "file"), read, rules, dump)


def judge_json_files(
    files: DataFrame, fields: Mapping[str, str], rules: DocumentRules, dump: str
) -> DataFrame:
    """Staged rows of whole JSON Lines files (``content, file``), each read by one task."""
    read = partial(read_json_lines, fields=dict(fields))
    return _judge(files.select("content", "file"), read, rules, dump)


def judge_wet_files(files: DataFrame, rules: DocumentRules, dump: str) -> DataFrame:
    """Staged rows of whole WET files (``content, file``), each read by one task."""
    return _judge(files.select("content", "file"), read_wet, rules, dump)


def _judge(
    frame: DataFrame, read: Callable[..., Records], rules: DocumentRules, dump: str
) -> DataFrame:
    def run(batches: Batches) -> Batches:
        records = (record for values in _rows(batches) for record in read(*values))
        yield from to_batches(judge_records(records, rules, dump), STAGED_DOCUMENTS)

    return frame.mapInArrow(run, STAGED_DOCUMENTS)


def _rows(batches: Batches) -> Iterator[tuple[object, ...]]:
    """The values of each row, one row at a time; of a whole file's content a stream, not a copy."""
    for batch in batches:
        is_content = [name == "content" for name in batch.schema.names]
        for i in range(batch.num_rows):
            yield tuple(
                pa.BufferReader(column[i].as_buffer()) if stream else column[i].as_py()
                for column, stream in zip(batch.columns, is_content, strict=True)
            )


def select_distinct(staged: DataFrame) -> DataFrame:
    """The documents without exact copies: unique ``doc_id``, with ``n_copies`` and ``urls``.

    Of the copies, whose texts differ in white space, case or width at most, one row stays: the
    shortest text, then the first by url (those with one before those without), dump, source id,
    file, date and hash of the text.
    """
    documents = staged.where(F.col("outcome") == DOCUMENT)
    order: list[Column | str] = [
        "n_chars",
        *map(F.asc_nulls_last, ("url", "dump", "source_id", "file", "date")),
    ]
    first = _first(documents.select(*_JUDGED), ["doc_id"], [*order, "text_hash"])
    counts = documents.groupBy("doc_id").agg(F.count("*").alias("n_copies"))
    counted = first.join(counts, on="doc_id", how="inner")
    joined = counted.join(_collect_urls(documents), on="doc_id", how="left")
    urls = F.coalesce("urls", F.array().cast("array<string>")).alias("urls")
    return joined.select(*_JUDGED, "n_copies", urls)


def _collect_urls(documents: DataFrame) -> DataFrame:
    """``doc_id, urls``: cut before they are gathered, so that no row grows with the copies."""
    urls = documents.where(F.col("url").isNotNull()).select("doc_id", "url").distinct()
    few = _first(urls, ["doc_id"], ["url"], MAX_URLS)
    return few.groupBy("doc_id").agg(F.array_sort(F.collect_list("url")).alias("urls"))


def _first(frame: DataFrame, keys: list[str], order: list[Column | str], n: int = 1) -> DataFrame:
    numbered = frame.withColumn(
        "nth", F.row_number().over(Window.partitionBy(*keys).orderBy(*order))
    )
    return numbered.where(F.col("nth") <= n).drop("nth")


def choose_copies(distinct: DataFrame, members: DataFrame) -> DataFrame:
    """``doc_id, stays, n_near_copies`` for each document that has near copies.

    ``members`` (``node, root``) are the documents of clusters, each once. Of a cluster the longest
    text stays, since a cut copy has lost some, then the lowest ``doc_id``.
    """
    sizes = distinct.select("doc_id", "n_chars")
    of_cluster = Window.partitionBy("root")
    best = of_cluster.orderBy(F.desc("n_chars"), "doc_id")
    clusters = members.withColumnRenamed("node", "doc_id").join(sizes, on="doc_id", how="inner")
    return clusters.select(
        "doc_id",
        (F.row_number().over(best) == 1).alias("stays"),
        (F.count("*").over(of_cluster) - 1).alias("n_near_copies"),
    )


def count_documents(staged: DataFrame, distinct: DataFrame, copies: DataFrame) -> DataFrame:
    """``outcome, rows``: what became of every record, dropped copies too."""
    judged = count_outcomes(staged.where(F.col("outcome") != DOCUMENT))
    extra = F.sum(F.col("n_copies") - 1).cast("long").alias("rows")
    repeated = distinct.agg(F.lit(DUPLICATE).alias("outcome"), extra)
    outcome = F.when(F.col("stays"), DOCUMENT).otherwise(NEAR_DUPLICATE)
    settled = _settle(distinct.select("doc_id"), copies).groupBy(outcome.alias("outcome"))
    return judged.unionByName(repeated).unionByName(settled.agg(F.count("*").alias("rows")))


def select_documents(distinct: DataFrame, copies: DataFrame) -> DataFrame:
    """``documents``: the distinct ones but for near copies of others."""
    return _settle(distinct, copies).where("stays").select(DOCUMENTS.columns)


def _settle(documents: DataFrame, copies: DataFrame) -> DataFrame:
    """Adds ``stays, n_near_copies``; both frames have unique ``doc_id``."""
    return documents.join(copies, on="doc_id", how="left").withColumns(
        {
            "stays": F.coalesce("stays", F.lit(True)),
            "n_near_copies": F.coalesce("n_near_copies", F.lit(0)).cast("long"),
        }
    )
