"""Pages and redirects of Wikipedia dumps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql import types as T

from crossic_etl.kernels.pages import DROPPED, REJECTED, extract_page, plain_text_row
from crossic_etl.kernels.salvage import salvage_records
from crossic_etl.kernels.wikis import Wiki
from crossic_etl.schemas import PAGES, REDIRECTS, STAGED_PAGES
from crossic_etl.transforms.arrow import Row, each_row

HEADS = T.StructType([T.StructField("head", T.BinaryType())])
OUTCOMES = ("page", "redirect", *DROPPED, *REJECTED)


def extract_pages(records: DataFrame, wikis: Mapping[str, Wiki], max_page_bytes: int) -> DataFrame:
    """One staged row for each record (``lang, dump_date, value``) that holds a page."""

    def kernel(lang: str, dump_date: str, record: bytes) -> Iterator[Row]:
        if b"<page" in record:
            yield {"outcome": "read", "lang": lang, "n": 1}
        yield from extract_page(record, wikis[lang], dump_date, max_page_bytes)

    run = each_row(kernel, STAGED_PAGES, "lang", "dump_date", "value")
    return records.mapInArrow(run, STAGED_PAGES)


def salvage_pages(files: DataFrame, wiki: Wiki, dump_date: str, max_page_bytes: int) -> DataFrame:
    """Staged rows of damaged files (``path, content``): what can be read, and a reject a damage."""

    def kernel(path: str, content: bytes) -> Iterator[Row]:
        for record, error in salvage_records(content, b"</page>"):
            if error or b"<page" in record:
                yield {"outcome": "read", "lang": wiki.lang, "n": 1}
            if error is None:
                yield from extract_page(record, wiki, dump_date, max_page_bytes)
            else:
                name = path.rsplit("/", 1)[-1]
                yield damage_row(wiki.lang, f"{name} {error}", record)

    return files.mapInArrow(each_row(kernel, STAGED_PAGES, "path", "content"), STAGED_PAGES)


def salvage_heads(files: DataFrame) -> DataFrame:
    """``head``: the first record of each damaged dump (``path, content``), or what is left."""

    def kernel(content: bytes) -> Iterator[Row]:
        for record, _ in salvage_records(content, b"</page>"):
            yield {"head": record}
            return

    return files.mapInArrow(each_row(kernel, HEADS, "content"), HEADS)


def damage_row(lang: str, key: str, raw: bytes) -> Row:
    """The staged row that stands for a part of a file that could not be read."""
    detail = raw[:500].decode("utf-8", "replace")
    return {"outcome": "damaged_file", "n": 1, "lang": lang, "key": key, "detail": detail}


def import_plain_text(frame: DataFrame, wiki: Wiki) -> DataFrame:
    """Staged rows of plain-text Wikipedia (``id, url, title, text``, the Hugging Face form)."""

    def kernel(page_id: str, url: str, title: str, text: str) -> Iterator[Row]:
        yield {"outcome": "read", "lang": wiki.lang, "n": 1}
        yield plain_text_row(page_id, url, title, text, wiki)

    columns = ("id", "url", "title", "text")
    rows = frame.select([F.col(name).cast("string").alias(name) for name in columns])
    return rows.mapInArrow(each_row(kernel, STAGED_PAGES, *columns), STAGED_PAGES)


def collect_props(staged: DataFrame) -> DataFrame:
    """``lang, page_id, qid, is_disambiguation``, unique by page, of staged ``page_props`` rows."""
    props = staged.where(F.col("outcome") == "prop").groupBy("lang", "page_id")
    return props.agg(
        F.min("qid").alias("qid"), F.bool_or("is_disambiguation").alias("is_disambiguation")
    )


def select_pages(staged: DataFrame, props: DataFrame) -> DataFrame:
    """``pages``: staged pages with what ``page_props`` says of them; the newest revision of each.

    ``props`` (``lang, page_id, qid, is_disambiguation``) has unique ``lang, page_id``.
    """
    newest = Window.partitionBy("lang", "page_id").orderBy(
        F.desc_nulls_last("revision_id"), "text_hash"
    )
    pages = staged.where(F.col("outcome") == "page").drop("qid").alias("page")
    joined = pages.join(props.alias("props"), on=["lang", "page_id"], how="left")
    flagged = F.col("page.is_disambiguation") | F.coalesce("props.is_disambiguation", F.lit(False))
    return (
        joined.withColumn("disambiguation", flagged)
        .withColumn("nth", F.row_number().over(newest))
        .where(F.col("nth") == 1)
        .drop("is_disambiguation")
        .withColumnRenamed("disambiguation", "is_disambiguation")
        .select(PAGES.columns)
    )


def select_redirects(staged: DataFrame) -> DataFrame:
    """``redirects``: one for each title, the lowest page id where a dump has several."""
    lowest = Window.partitionBy("lang", "title").orderBy("page_id")
    redirects = staged.where(F.col("outcome") == "redirect")
    numbered = redirects.withColumn("nth", F.row_number().over(lowest))
    return numbered.where(F.col("nth") == 1).select(REDIRECTS.columns)
