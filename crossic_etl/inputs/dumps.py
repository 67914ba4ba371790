"""Finds and reads raw input on any Hadoop file system: dump XML, SQL dumps, plain text."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from crossic_etl.config.etl import LATEST, Wikipedia
from crossic_etl.driver_files import escaped
from crossic_etl.inputs.driver_reading import read_start
from crossic_etl.inputs.dump_dates import find_latest
from crossic_etl.inputs.dump_names import (
    SERVICES_IN_ORDER,
    choose_page_files,
    choose_sql_file,
    content_folder,
    dump_folder,
    is_content,
    refuse_unreadable,
)
from crossic_etl.inputs.dump_search import (
    DumpListing,
    describe_missing,
    find_files,
    is_elsewhere,
    missing_parts,
)
from crossic_etl.inputs.errors import InputError, MissingDumpError
from crossic_etl.inputs.files import _stamps
from crossic_etl.kernels.fingerprint import fingerprint
from crossic_etl.kernels.wiki.sql_dump import columns_of, find_insert, has_rows
from crossic_etl.kernels.wiki_facts import database_of
from crossic_etl.spark_errors import missing
from crossic_etl.transforms.frames import union

log = logging.getLogger(__name__)

# mysqldump writes some 20 lines before CREATE TABLE, then one for each column and key.
HEAD_LINES = 100
# Of a line with rows, which may have a megabyte, only its beginning counts.
HEAD_LINE_CHARACTERS = 10_000
SQL_HEAD_BYTES = 2**16
# An XML dump's head names some forty namespaces, in 5 kB.
HEAD_CHARACTERS = 200_000
# As many, and the names in scripts whose characters have three bytes.
HEAD_BYTES = 3 * HEAD_CHARACTERS


@dataclass(frozen=True)
class WikiFiles:
    """The files of one wiki at one date; a missing SQL dump is None.

    ``stamps`` are the size and time of each file, by path.
    """

    lang: str
    date: str
    pages: tuple[str, ...]
    langlinks: str | None
    page_props: str | None
    stamps: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def is_content(self) -> bool:
        """Whether its pages are of the content service."""
        return any(map(is_content, self.pages))

    def sql_of(self, table: str) -> str | None:
        """Its SQL dump of ``langlinks`` or ``page_props``."""
        return {"langlinks": self.langlinks, "page_props": self.page_props}[table]

    def size_of(self, path: str) -> int:
        """The bytes of one of its files; 0 if they aren't known."""
        return int(self.stamps.get(path, "0").split()[0])

    def only(self, paths: Collection[str]) -> WikiFiles:
        """The same wiki with these files of pages and properties only."""
        pages = tuple(path for path in self.pages if path in paths)
        page_props = self.page_props if self.page_props in paths else None
        return replace(self, pages=pages, page_props=page_props)

    def without(self, damaged: Collection[str]) -> WikiFiles:
        """The same wiki without the damaged page files."""
        return replace(self, pages=tuple(path for path in self.pages if path not in damaged))


def find_wikis(spark: SparkSession, wikipedia: Wikipedia, langs: Sequence[str]) -> list[WikiFiles]:
    """The dump files of each language's wiki, in the order of ``langs``.

    Raises:
        InputError: a wiki has no folder, or neither page files nor plain text.
    """
    wikis = _find_wikis(wikipedia, langs, DumpListing.of_spark(spark, wikipedia.dumps))
    found = []
    for wiki in wikis:
        if path := wikipedia.plain_text.get(wiki.lang):
            stamps = {**wiki.stamps, **plain_text_stamps(spark, path)}
            wiki = replace(wiki, stamps=stamps)
        found.append(wiki)
    return found


def find_local_wikis(wikipedia: Wikipedia, langs: Sequence[str]) -> list[WikiFiles]:
    """Like `find_wikis` on this machine's disks, without Spark; wikis elsewhere are left out.

    Raises:
        InputError: a wiki has no folder, or neither page files nor plain text.
    """
    if is_elsewhere(wikipedia.dumps):
        return []
    return _find_wikis(wikipedia, langs, DumpListing.of_disks(wikipedia.dumps))


def _find_wikis(
    wikipedia: Wikipedia, langs: Sequence[str], listing: DumpListing
) -> list[WikiFiles]:
    if wikipedia.date == LATEST and wikipedia.dumps:
        wikipedia = replace(wikipedia, date=find_latest(wikipedia, langs, listing))
    found = []
    for lang in langs:
        try:
            files = find_files(wikipedia, lang, listing)
            chosen = choose_files(wikipedia, lang, files)
        except MissingDumpError as error:
            others = describe_missing(wikipedia, lang, listing)
            raise InputError(f"{error}; {others}") from None
        if chosen.is_content and (parts := missing_parts(wikipedia, lang, files, listing)):
            raise InputError(
                f"{content_folder(wikipedia, lang)} lacks {len(parts)} of the files that its list "
                f"names, {parts[0]} for one: run download, or wait until it is copied"
            )
        found.append(chosen)
    return found


def choose_files(wikipedia: Wikipedia, lang: str, files: Mapping[str, str]) -> WikiFiles:
    """Selects the files to read from a wiki's folders; ``files`` has their sizes and times.

    Raises:
        InputError: a page file is in a packing that Spark doesn't read.
        MissingDumpError: there is no page file, and the wiki isn't plain text.
    """
    is_plain_text = lang in wikipedia.plain_text
    if is_plain_text and not wikipedia.dumps:
        return WikiFiles(lang, "", (), None, None)
    wiki, date = database_of(lang), wikipedia.date_of(lang)
    pages = () if is_plain_text else choose_page_files(wikipedia, lang, files)
    if not is_plain_text:
        refuse_unreadable(wikipedia, lang, files, pages)
    if not pages and not is_plain_text:
        is_old = "dumps" in SERVICES_IN_ORDER[wikipedia.service]
        folder = (dump_folder if is_old else content_folder)(wikipedia, lang)
        raise MissingDumpError(
            f"no pages-articles dump of {lang} in {folder}, or an empty one: "
            "check wikipedia.dumps and wikipedia.date, or give wikipedia.plain_text"
        )
    any_date = any(map(is_content, pages))
    langlinks = choose_sql_file(wiki, date, "langlinks", files, any_date)
    page_props = choose_sql_file(wiki, date, "page_props", files, any_date)
    chosen = {path for path in (*pages, langlinks, page_props) if path}
    stamps = {path: stamp for path, stamp in files.items() if path in chosen}
    return WikiFiles(lang, date, pages, langlinks, page_props, stamps)


def plain_text_stamps(spark: SparkSession, path: str) -> dict[str, str]:
    """Sizes and times of the Parquet files of a plain-text wiki."""
    listing = spark.read.format("binaryFile").option("recursiveFileLookup", "true")
    try:
        return _stamps(listing.load(path))
    except AnalysisException as error:
        if missing(error):
            return {}  # `read_plain_text` reports it
        raise


def fingerprint_of(wikis: Sequence[WikiFiles]) -> str:
    """The fingerprint of all files' names, sizes and times."""
    stamps = sorted(item for files in wikis for item in files.stamps.items())
    return fingerprint(repr(stamps))


def read_head(spark: SparkSession, path: str) -> bytes:
    """The dump's first record, which has its ``<siteinfo>``; empty if the dump has no record."""
    start = read_start(spark, path, HEAD_BYTES) or b""
    if b"<siteinfo>" in (head := start.partition(b"</page>")[0]):
        return head
    heads = (
        _records(spark, [path])
        .where(F.col("value").contains("<siteinfo>"))
        .select(F.col("value").substr(1, HEAD_CHARACTERS).cast("binary").alias("head"))
        .head(1)
    )
    return bytes(heads[0].head) if heads else b""


def read_records(spark: SparkSession, wikis: Iterable[WikiFiles]) -> DataFrame:
    """Records of all dumps: ``lang, dump_date, value`` (bytes up to a ``</page>``).

    Hadoop's codec splits one bz2 file over all cores. The separator gives each page once, wherever
    the splits are.
    """
    frames = [
        _records(spark, files.pages).select(
            F.lit(files.lang).alias("lang"),
            F.lit(files.date).alias("dump_date"),
            # Bytes: a dump cut within a character would fail the decoding of a whole batch.
            F.col("value").cast("binary").alias("value"),
        )
        for files in wikis
        if files.pages
    ]
    return union(frames)


def _records(spark: SparkSession, paths: Sequence[str]) -> DataFrame:
    return spark.read.text([escaped(path) for path in paths], lineSep="</page>")


def read_plain_text(spark: SparkSession, path: str) -> DataFrame:
    """Plain-text Wikipedia: Parquet with ``id, url, title, text``.

    Raises:
        InputError: it doesn't exist, or lacks one of these columns.
    """
    try:
        frame = spark.read.parquet(path)
    except AnalysisException as error:
        raise InputError(
            f"{path} can't be read as Parquet: {' '.join(str(error).split())}"
        ) from None
    if absent := {"id", "url", "title", "text"} - set(frame.columns):
        raise InputError(f"{path} has no column {', '.join(sorted(absent))}")
    return frame


def read_sql(
    spark: SparkSession, path: str, wanted: Sequence[str]
) -> tuple[DataFrame, tuple[str, ...]]:
    """The INSERTs of an SQL dump (``value``, bytes), spread over the cores, and its columns.

    A record is one INSERT, with its rows on one line or on many, and other statements around it.
    Logs a warning where the dump has none.

    Raises:
        InputError: the file has no CREATE TABLE before its rows, or lacks a wanted column.
    """
    head, is_whole = _head_of_sql(spark, path)
    try:
        columns = columns_of(head)
    except ValueError as error:
        raise InputError(f"{path}: its columns are unknown: {error}") from None
    if absent := [name for name in wanted if name not in columns]:
        raise InputError(
            f"{path} is the dump of another table: it has no column {', '.join(absent)}, "
            f"but {', '.join(columns)}"
        )
    insert = find_insert(head)
    if is_whole and not has_rows(head):
        log.warning("%s has the columns of a table and no row: nothing is read of it", path)
    line_end = "\r\n" if "\r\n" in head else "\n"
    return _read_inserts(spark, path, insert, line_end).hint("rebalance"), columns


def _head_of_sql(spark: SparkSession, path: str) -> tuple[str, bool]:
    """The beginning of an SQL dump, and whether that is all of it."""
    start = read_start(spark, path, SQL_HEAD_BYTES)
    if start is not None:
        return start.decode("utf-8", "replace"), len(start) < SQL_HEAD_BYTES
    lines = spark.read.text(escaped(path), lineSep="\n").limit(HEAD_LINES)
    rows = lines.select(F.col("value").substr(1, HEAD_LINE_CHARACTERS).alias("value")).collect()
    return "\n".join(row.value for row in rows), len(rows) < HEAD_LINES


def _read_inserts(spark: SparkSession, path: str, insert: str, line_end: str) -> DataFrame:
    """Records of one INSERT each, which begins with ``insert``; the first has the dump's head.

    A value may hold any line's end, but hardly a statement's with the next one's beginning.
    """
    value = F.col("value")
    separator = f";{line_end}{insert}" if insert else "\n"
    records = spark.read.text(escaped(path), lineSep=separator)
    # The separator took the beginning of all INSERTs but the first.
    whole = F.when(value.rlike(r"(?i)^\s*(\(|VALUES\b)"), F.concat(F.lit(insert), value))
    return records.select(F.coalesce(whole, value).cast("binary").alias("value"))
