"""Pages and redirects of Wikipedia dumps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql import types as T

from crossic_etl.kernels.wiki.pages import extract_page, licence, plain_text_row
from crossic_etl.kernels.wiki.salvage import salvage_records
from crossic_etl.kernels.wikis import Wiki
from crossic_etl.kernels.wikitext.extract import DEFAULTS
from crossic_etl.kernels.wikitext.page import Options
from crossic_etl.schemas import PAGES, REDIRECTS, STAGED_PAGES
from crossic_etl.transforms.arrow import Row, each_row
from crossic_etl.transforms.changes import GONE, NEW
from crossic_etl.transforms.outcomes import damage_row

HEADS = T.StructType([T.StructField("head", T.BinaryType())])
UNCHANGED = "unchanged"

# The ids of page and revision are in a record's first bytes (export schemas 0.10 and 0.11).
HEAD_BYTES = 4096
IDS = (
    r"<id>(\d{1,18})</id>\s*(?:<redirect [^>]*/>\s*)?(?:<restrictions>[^<]*</restrictions>\s*)?"
    r"<revision>\s*<id>(\d{1,18})</id>"
)
REVISION = "<revision>"
# Bytes kept of a record that is too large. The first record has the dump's head, some kilobytes.
CUT_BYTES = 2**20
# Columns that are not compared: a page that differs in these alone is unchanged.
_IGNORED = ("dump_date", "left_out", "text")
# Largest number of revisions to broadcast, some 60 bytes each; more of them are joined by shuffle.
MOST_BROADCAST = 10_000_000


def select_known(pages: DataFrame, dates: Mapping[str, str]) -> DataFrame:
    """``lang, page_id, revision_id`` of the pages that need not be extracted again.

    A revision always gives the same row, with two exceptions. The licence depends on the dump's
    date; ``dates`` has the date of each language's dump in this run. A disambiguation may come from
    the text or from ``page_props``, and the row doesn't say from which.
    """
    same_licence = F.lit(False)
    for lang, date in sorted(dates.items()):
        of_date = (F.col("lang") == lang) & (F.col("licence") == licence(date))
        same_licence = same_licence | of_date
    known = pages.where(F.col("revision_id").isNotNull() & ~F.col("is_disambiguation"))
    return known.where(same_licence).select("lang", "page_id", "revision_id")


def mark_known(records: DataFrame, known: DataFrame) -> DataFrame:
    """Records (``lang, dump_date, value``) with ``page_id, revision_id``.

    ``value`` is null where ``known`` has these ids, so that no text is sent to a worker. A record
    of several revisions has the ids of its first one, and is never known: the newest may be any.
    """
    head = F.substring("value", 1, HEAD_BYTES).cast("string")
    text = F.col("value").cast("string")
    second = F.call_function("locate", F.lit(REVISION), text, F.locate(REVISION, text) + 1)
    numbered = records.withColumns(
        {
            "page_id": F.regexp_extract(head, IDS, 1).try_cast("long"),
            "revision_id": F.regexp_extract(head, IDS, 2).try_cast("long"),
            "has_several": second > 0,
        }
    )
    marked = known.withColumn("is_known", F.lit(True))
    joined = numbered.join(marked, on=["lang", "page_id", "revision_id"], how="left")
    value = F.when(F.col("is_known").isNull() | F.col("has_several"), F.col("value"))
    return joined.select("lang", "dump_date", value.alias("value"), "page_id", "revision_id")


def truncate_oversized(records: DataFrame, max_page_bytes: int) -> DataFrame:
    """Records with ``is_cut``: whether the record is longer than ``max_page_bytes``.

    Of several revisions, as in a history, the last alone counts there. A record that is too long is
    truncated to `CUT_BYTES`, which is enough for its reject. A record may have
    2 GB, and a worker would hold several copies of it.
    """
    too_large = F.octet_length("value") > max_page_bytes
    shorter = F.when(too_large, _last_revision(F.col("value"))).otherwise(F.col("value"))
    beginning = F.substring("value", 1, CUT_BYTES)
    return records.withColumn("value", shorter).withColumns(
        {
            "is_cut": F.coalesce(too_large, F.lit(False)),
            "value": F.when(too_large, beginning).otherwise(F.col("value")),
        }
    )


def _last_revision(record: Column) -> Column:
    """The record without its revisions before the last; dumps have them from old to new."""
    text = record.cast("string")
    head, last = (F.substring_index(text, REVISION, n) for n in (1, -1))
    has_any = F.locate(REVISION, text) > 0
    return F.when(has_any, F.concat(head, F.lit(REVISION), last).cast("binary")).otherwise(record)


def extract_pages(
    records: DataFrame,
    wikis: Mapping[str, Wiki],
    max_page_bytes: int,
    options: Options = DEFAULTS,
    known: DataFrame | None = None,
) -> DataFrame:
    """One staged row for each record (``lang, dump_date, value``) that has a page.

    A page in ``known`` (unique ``lang, page_id, revision_id``) gets only its ids and the outcome
    ``unchanged``.
    """

    def kernel(
        lang: str, dump_date: str, record: bytes | None, is_cut: bool, *ids: int
    ) -> Iterator[Row]:
        if record is None:
            page_id, revision_id = ids
            page = {"page_id": page_id, "revision_id": revision_id}
            yield {"outcome": "read", "lang": lang, "n": 1}
            yield {"outcome": UNCHANGED, "lang": lang, "n": 1} | page
            return
        if is_cut or b"<page" in record:
            yield {"outcome": "read", "lang": lang, "n": 1}
        limit = len(record) - 1 if is_cut else max_page_bytes
        yield from extract_page(record, wikis[lang], dump_date, limit, options)

    columns = ["lang", "dump_date", "value", "is_cut"]
    if known is not None:
        records = mark_known(records, known)
        columns += ["page_id", "revision_id"]
    records = truncate_oversized(records, max_page_bytes)
    return records.mapInArrow(each_row(kernel, STAGED_PAGES, *columns), STAGED_PAGES)


def salvage_pages(
    files: DataFrame,
    wiki: Wiki,
    dump_date: str,
    max_page_bytes: int,
    options: Options = DEFAULTS,
) -> DataFrame:
    """Staged rows of damaged files (``path, content``): each record that can be read, and a reject
    for each damage.
    """

    def kernel(path: str, content: bytes) -> Iterator[Row]:
        for record, error in salvage_records(content, b"</page>"):
            if error or b"<page" in record:
                yield {"outcome": "read", "lang": wiki.lang, "n": 1}
            if error is None:
                yield from extract_page(record, wiki, dump_date, max_page_bytes, options)
            else:
                name = path.rsplit("/", 1)[-1]
                yield damage_row(wiki.lang, f"{name} {error}", record)

    return files.mapInArrow(each_row(kernel, STAGED_PAGES, "path", "content"), STAGED_PAGES)


def salvage_heads(files: DataFrame) -> DataFrame:
    """``head``: the first record of each damaged dump (``path, content``), whole or partial."""

    def kernel(content: bytes) -> Iterator[Row]:
        for record, _ in salvage_records(content, b"</page>"):
            yield {"head": record}
            return

    return files.mapInArrow(each_row(kernel, HEADS, "content"), HEADS)


def import_plain_text(frame: DataFrame, wiki: Wiki) -> DataFrame:
    """Staged rows of plain-text Wikipedia (``id, url, title, text``, Hugging Face's format)."""

    def kernel(page_id: str, url: str, title: str, text: str) -> Iterator[Row]:
        yield {"outcome": "read", "lang": wiki.lang, "n": 1}
        yield plain_text_row(page_id, url, title, text, wiki)

    columns = ("id", "url", "title", "text")
    rows = frame.select([F.col(name).cast("string").alias(name) for name in columns])
    return rows.mapInArrow(each_row(kernel, STAGED_PAGES, *columns), STAGED_PAGES)


def collect_props(staged: DataFrame) -> DataFrame:
    """``lang, page_id, qid, is_disambiguation`` of staged ``page_props`` rows; one row a page."""
    props = staged.where(F.col("outcome") == "prop").groupBy("lang", "page_id")
    return props.agg(
        F.min("qid").alias("qid"), F.bool_or("is_disambiguation").alias("is_disambiguation")
    )


def select_pages(staged: DataFrame, props: DataFrame) -> DataFrame:
    """``pages``: the newest staged revision of each page, with the columns from ``page_props``.

    ``props`` (``lang, page_id, qid, is_disambiguation``) has unique ``lang, page_id``.
    """
    return _add_props(_newest(staged).where(F.col("outcome") == "page"), props)


def _newest(staged: DataFrame) -> DataFrame:
    """The newest revision of each page, which may be a redirect; files may have several."""
    newest = Window.partitionBy("lang", "page_id").orderBy(
        F.desc_nulls_last("revision_id"), "text_hash"
    )
    pages = staged.where(F.col("outcome").isin("page", UNCHANGED, "redirect"))
    return pages.withColumn("nth", F.row_number().over(newest)).where(F.col("nth") == 1)


def _add_props(pages: DataFrame, props: DataFrame) -> DataFrame:
    """``pages`` with the items of ``props``.

    A page is a disambiguation if ``pages`` or ``props`` says so.
    """
    joined = (
        pages.drop("qid")
        .alias("page")
        .join(props.alias("props"), on=["lang", "page_id"], how="left")
    )
    flagged = F.col("page.is_disambiguation") | F.coalesce("props.is_disambiguation", F.lit(False))
    return (
        joined.withColumn("disambiguation", flagged)
        .drop("is_disambiguation")
        .withColumnRenamed("disambiguation", "is_disambiguation")
        .select(PAGES.columns)
    )


def select_page_changes(staged: DataFrame, props: DataFrame, held: DataFrame) -> DataFrame:
    """The columns of ``pages`` and ``change``: the difference between the dump and the table.

    ``new`` pages are missing in ``held``, or differ there in the text or in ``page_props``.
    ``gone`` rows have the key alone.
    """
    key = ["lang", "page_id"]
    newest = _newest(staged).where(F.col("outcome") != "redirect")
    unchanged = newest.where(F.col("outcome") == UNCHANGED).select(key)
    kept = _add_props(held.join(unchanged, on=key, how="left_semi"), props)
    made = _add_props(newest.where(F.col("outcome") == "page"), props).unionByName(kept)
    compared = [name for name in PAGES.columns if name not in (*key, *_IGNORED)]
    before = held.select(*key, F.struct(*compared).alias("before"))
    joined = made.join(before, on=key, how="left")
    is_same = F.struct(*compared).eqNullSafe(F.col("before"))
    changed = joined.where(~is_same).select(*PAGES.columns, F.lit(NEW).alias("change"))
    gone = held.join(newest.select(key), on=key, how="left_anti").select(key)
    return changed.unionByName(gone.withColumn("change", F.lit(GONE)), allowMissingColumns=True)


def select_redirects(staged: DataFrame) -> DataFrame:
    """``redirects``: one row a title; of several the lowest page id is kept.

    A page whose newest revision is an article makes none.
    """
    lowest = Window.partitionBy("lang", "title").orderBy("page_id")
    redirects = _newest(staged).where(F.col("outcome") == "redirect")
    numbered = redirects.withColumn("nth", F.row_number().over(lowest))
    return numbered.where(F.col("nth") == 1).select(REDIRECTS.columns)
