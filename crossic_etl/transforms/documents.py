"""Documents of crawls: records filtered, exact copies merged, one kept of near duplicates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import groupby

import pyarrow as pa
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from crossic_etl.kernels.crawl.documents import (
    DOCUMENT,
    DUPLICATE,
    NEAR_DUPLICATE,
    DocumentRules,
    filter_records,
    read_line,
    read_row,
)
from crossic_etl.kernels.crawl.records import BrokenRecord, RawDocument, read_json_lines, read_wet
from crossic_etl.schemas import CRAWL_FILES, DOCUMENTS, MAX_URLS, STAGED_DOCUMENTS
from crossic_etl.transforms.arrow import Batches, Row, to_batches
from crossic_etl.transforms.outcomes import count_outcomes

ROW = ("file", "number", "text", "url", "source_id", "date", "lang", "lang_score", "dump",
       "named_file")  # fmt: skip
_FILTERED = [
    name for name in DOCUMENTS.columns if name not in ("n_copies", "urls", "n_near_copies")
]
Records = Iterable[RawDocument | BrokenRecord]


def filter_rows(rows: DataFrame, rules: DocumentRules, dump: str) -> DataFrame:
    """Staged rows of a columnar source (`ROW`, ``text`` in bytes)."""
    return _filter(rows.select(*ROW), lambda *values: [read_row(*values)], rules, dump)


def filter_lines(
    lines: DataFrame, fields: Mapping[str, str], rules: DocumentRules, dump: str
) -> DataFrame:
    """Staged rows of JSON lines (``value, file``; the lines in bytes)."""
    paths = dict(fields)

    def read(line: bytes, file: str) -> Records:
        return [read_line(line, paths, file)]

    return _filter(lines.select("value", "file"), read, rules, dump)


def filter_json_files(
    files: DataFrame, fields: Mapping[str, str], rules: DocumentRules, dump: str
) -> DataFrame:
    """Staged rows of whole JSON Lines files (``content, file``), each read by one task."""
    read = partial(read_json_lines, fields=dict(fields))
    return _filter(files.select("content", "file"), read, rules, dump)


def filter_wet_files(files: DataFrame, rules: DocumentRules, dump: str) -> DataFrame:
    """Staged rows of whole WET files (``content, file``), each read by one task."""
    return _filter(files.select("content", "file"), read_wet, rules, dump)


def _filter(
    frame: DataFrame, read: Callable[..., Records], rules: DocumentRules, dump: str
) -> DataFrame:
    at = frame.columns.index("file")

    def filtered(batches: Batches) -> Iterator[Row]:
        for file, rows in groupby(_rows(batches), key=lambda values: values[at]):
            records = (record for values in rows for record in read(*values))
            for row in filter_records(records, rules, dump):
                yield row | {"read_from": file}

    def run(batches: Batches) -> Batches:
        yield from to_batches(filtered(batches), STAGED_DOCUMENTS)

    return frame.mapInArrow(run, STAGED_DOCUMENTS)


def _rows(batches: Batches) -> Iterator[tuple[object, ...]]:
    """The values of each row, one row at a time; the content of a whole file as a stream."""
    for batch in batches:
        is_content = [name == "content" for name in batch.schema.names]
        for i in range(batch.num_rows):
            yield tuple(
                pa.BufferReader(column[i].as_buffer()) if stream else column[i].as_py()
                for column, stream in zip(batch.columns, is_content, strict=True)
            )


def select_distinct(staged: DataFrame) -> DataFrame:
    """The staged documents without exact copies, as `merge_copies` chooses them."""
    return merge_copies(
        staged.where(F.col("outcome") == DOCUMENT).withColumns(
            {"n_copies": F.lit(1).cast("long"), "urls": F.array_compact(F.array("url"))}
        )
    )


def merge_copies(texts: DataFrame) -> DataFrame:
    """Unique ``doc_id``, with ``n_copies`` and ``urls`` of all rows that have it.

    Of the copies, whose texts differ in white space, case or width at most, one row stays: the
    shortest text, then the first by url (those with one before those without), dump, source id,
    file, date, hash of the text, languages and scores. So it is the same whether copies are merged
    at once or some before others.
    """
    order: list[Column | str] = [
        "n_chars",
        *map(F.asc_nulls_last, ("url", "dump", "source_id", "file", "date")),
        "text_hash",
        "lang",
        "lang_score",
        "crawl_lang",
        "crawl_lang_score",
    ]
    first = _first(texts.select(*_FILTERED), ["doc_id"], order)
    counts = texts.groupBy("doc_id").agg(F.sum("n_copies").alias("n_copies"))
    counted = first.join(counts, on="doc_id", how="inner")
    joined = counted.join(_collect_urls(texts), on="doc_id", how="left")
    urls = F.coalesce("urls", F.array().cast("array<string>")).alias("urls")
    return joined.select(*_FILTERED, "n_copies", urls)


def _collect_urls(texts: DataFrame) -> DataFrame:
    """``doc_id, urls``: cut before they are gathered, so that no row grows with the copies."""
    urls = texts.select("doc_id", F.explode("urls").alias("url")).distinct()
    few = _first(urls, ["doc_id"], ["url"], MAX_URLS)
    return few.groupBy("doc_id").agg(F.array_sort(F.collect_list("url")).alias("urls"))


def _first(frame: DataFrame, keys: list[str], order: list[Column | str], n: int = 1) -> DataFrame:
    numbered = frame.withColumn(
        "nth", F.row_number().over(Window.partitionBy(*keys).orderBy(*order))
    )
    return numbered.where(F.col("nth") <= n).drop("nth")


def mark_first(distinct: DataFrame, known: DataFrame) -> DataFrame:
    """Adds ``is_first``: no row of ``known`` has the ``doc_id``, which is unique in both."""
    is_known = known.select("doc_id", F.lit(True).alias("is_known"))
    joined = distinct.join(is_known, on="doc_id", how="left")
    return joined.withColumn("is_first", F.col("is_known").isNull()).drop("is_known")


def choose_copies(texts: DataFrame, members: DataFrame) -> DataFrame:
    """``doc_id, stays, n_near_copies`` for each document that has near duplicates.

    ``members`` (``node, root``) are the documents of clusters, each once. Of a cluster the longest
    text stays, since a cut copy has lost some, then the lowest ``doc_id``. ``texts`` may have
    several copies of one, of which the shortest counts (`merge_copies`).
    """
    of_cluster = Window.partitionBy("root")
    best = of_cluster.orderBy(F.desc("n_chars"), "doc_id")
    ids = members.withColumnRenamed("node", "doc_id")
    copies = ids.join(texts.select("doc_id", "n_chars"), on="doc_id", how="inner")
    clusters = copies.groupBy("doc_id", "root").agg(F.min("n_chars").alias("n_chars"))
    return clusters.select(
        "doc_id",
        (F.row_number().over(best) == 1).alias("stays"),
        (F.count("*").over(of_cluster) - 1).alias("n_near_copies"),
    )


def resolve_documents(
    texts: DataFrame, copies: DataFrame, held: DataFrame, batch: int
) -> DataFrame:
    """``doc_id, is_new, stays, n_near_copies, is_changed`` for each id of texts or documents.

    ``texts`` are rows of ``crawl_texts``, ``held`` those of ``documents``, ``copies`` what
    `choose_copies` gave; ids are unique in both. ``is_new`` texts came first in this batch. Where
    ``is_changed`` is false, ``documents`` is as it should be: it has the id with as many near
    copies, and no copy came in this batch; or it hasn't, and shouldn't.
    """
    is_read = F.col("batch") == batch
    ids = texts.groupBy("doc_id").agg(
        F.bool_or(is_read).alias("is_read"), F.bool_or(is_read & F.col("is_first")).alias("is_new")
    )
    there = held.select("doc_id", F.col("n_near_copies").alias("held"))
    joined = ids.join(copies, on="doc_id", how="left").join(there, on="doc_id", how="full")
    stays = F.col("is_read").isNotNull() & F.coalesce("stays", F.lit(True))
    n_near_copies = F.coalesce("n_near_copies", F.lit(0)).cast("long")
    is_other = F.col("is_read") | ~n_near_copies.eqNullSafe(F.col("held"))
    return joined.select(
        "doc_id",
        F.coalesce("is_new", F.lit(False)).alias("is_new"),
        stays.alias("stays"),
        n_near_copies.alias("n_near_copies"),
        F.when(stays, is_other).otherwise(F.col("held").isNotNull()).alias("is_changed"),
    )


def count_documents(staged: DataFrame, resolved: DataFrame) -> DataFrame:
    """``outcome, rows``: what became of every record that was staged.

    Of the copies of a new text one record is the document, or a near duplicate of another; all
    other copies are duplicates.
    """
    outcome = F.when(F.col("outcome") == DOCUMENT, DUPLICATE).otherwise(F.col("outcome"))
    filtered = count_outcomes(staged.withColumn("outcome", outcome))
    resolved_as = F.when(F.col("stays"), DOCUMENT).otherwise(NEAR_DUPLICATE)
    new = resolved.where("is_new").groupBy(resolved_as.alias("outcome"))
    firsts = new.agg(F.count("*").alias("rows"))
    no_copies = firsts.select(F.lit(DUPLICATE).alias("outcome"), (-F.col("rows")).alias("rows"))
    counts = filtered.unionByName(firsts).unionByName(no_copies)
    return counts.groupBy("outcome").agg(F.sum("rows").alias("rows"))


def select_documents(texts: DataFrame, resolved: DataFrame) -> DataFrame:
    """``documents``: those that stay and are changed, of all batches' rows of ``crawl_texts``."""
    wanted = resolved.where("stays AND is_changed").select("doc_id", "n_near_copies")
    copies = texts.join(wanted.select("doc_id"), on="doc_id", how="left_semi")
    merged = merge_copies(copies).join(wanted, on="doc_id", how="inner")
    return merged.select(DOCUMENTS.columns)


def select_held(held: DataFrame, resolved: DataFrame) -> DataFrame:
    """The rows of ``documents`` that may have to change."""
    changed = resolved.where("is_changed").select("doc_id")
    return held.join(changed, on="doc_id", how="left_semi").select(DOCUMENTS.columns)


def count_files(staged: DataFrame) -> DataFrame:
    """``path, counts``: the records of each file that was read, by outcome."""
    of_file = staged.groupBy(F.col("read_from").alias("path"), "outcome")
    rows = of_file.agg(F.sum("n").cast("long").alias("rows"))
    entries = F.array_sort(F.collect_list(F.struct("outcome", "rows")))
    return rows.groupBy("path").agg(F.map_from_entries(entries).alias("counts"))


def finish_files(files: DataFrame, counts: DataFrame, n_documents: int) -> DataFrame:
    """``crawl_files``: a batch's rows as they are when ``documents`` has all that they gave.

    ``counts`` is what `count_files` gave; a file without any record has none.
    """
    none = F.map_from_arrays(F.array().cast("array<string>"), F.array().cast("array<bigint>"))
    joined = files.drop("counts").join(counts, on="path", how="left")
    values = {
        "is_done": F.lit(True),
        "n_documents": F.lit(n_documents).cast("long"),
        "counts": F.coalesce("counts", none),
    }
    return joined.withColumns(values).select(CRAWL_FILES.columns)
