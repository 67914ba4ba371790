"""Finds crawl files on any Hadoop file system, and reads them."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from crossic_etl.config import ConfigError
from crossic_etl.config.crawl import CrawlSource
from crossic_etl.driver_files import escaped
from crossic_etl.inputs.driver_reading import FileStamp, list_tree
from crossic_etl.inputs.errors import InputError
from crossic_etl.inputs.files import plain_path
from crossic_etl.kernels.crawl.records import FIELDS
from crossic_etl.spark_errors import missing

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CrawlFiles:
    """The files of a source by path: sizes in bytes, and modification times in ms since 1970."""

    source: CrawlSource
    sizes: Mapping[str, int]
    times: Mapping[str, int]

    @property
    def reading(self) -> str:
        """The source's settings that determine how a file is read, as JSON."""
        settings = {
            "format": self.source.format,
            "fields": dict(self.fields) if self.source.format != "wet" else {},
            "dump": self.source.dump,
        }
        return json.dumps(settings, sort_keys=True, ensure_ascii=False)

    def only(self, paths: Collection[str]) -> CrawlFiles:
        """The same source with these files only."""
        return replace(self, sizes={p: n for p, n in self.sizes.items() if p in paths})

    @property
    def fields(self) -> Mapping[str, str]:
        """Where the source has our fields: field to key paths."""
        fields = self.source.fields
        return FIELDS[fields] if isinstance(fields, str) else fields


def find_files(spark: SparkSession, source: CrawlSource) -> CrawlFiles:
    """The files of a source that are not empty, including subfolders.

    Raises:
        InputError: its path doesn't exist.
    """
    found = list_tree(spark, source.path)
    if found is None:
        found = _list_by_spark(spark, source)
    if not found:
        log.info("documents: no files, or only empty ones, at %s", source.path)
    return CrawlFiles(
        source,
        {path: stamp.length for path, stamp in found.items()},
        {path: stamp.modified for path, stamp in found.items()},
    )


def _list_by_spark(spark: SparkSession, source: CrawlSource) -> dict[str, FileStamp]:
    listing = spark.read.format("binaryFile").option("recursiveFileLookup", "true")
    try:
        found = listing.load(source.path)
        modified = F.unix_millis("modificationTime").alias("modified")
        rows = found.select("path", "length", modified).collect()
    except AnalysisException as error:
        if missing(error):
            raise InputError(f"crawl.sources: {source.path} isn't there") from None
        raise
    return {plain_path(row.path): FileStamp(row.length, row.modified) for row in rows}


def find_sources(spark: SparkSession, configured: Sequence[CrawlSource]) -> list[CrawlFiles]:
    """The files of all sources. A file that two sources read alike belongs to the first one.

    Raises:
        ConfigError: no source is configured.
        InputError: a source doesn't exist.
    """
    if not configured:
        raise ConfigError("crawl.sources", (), "at least one source")
    sources: list[CrawlFiles] = []
    for source in configured:
        files = find_files(spark, source)
        alike = [other.sizes for other in sources if other.reading == files.reading]
        sources.append(files.only(files.sizes.keys() - set().union(*alike)))
    return sources


def read_rows(
    spark: SparkSession,
    paths: Sequence[str],
    fields: Mapping[str, str],
    like: str | None = None,
) -> DataFrame:
    """Rows of Parquet files in the columns of `transforms.documents.ROW`.

    The file ``like`` determines columns and types, so that they are the same for every chunk. By
    default it is the first file, as in Spark.

    Texts are bytes. Parquet doesn't check that they are UTF-8, and an invalid one would fail its
    whole batch.

    Raises:
        InputError: there is no column with the text.
    """
    told_from = spark.read.parquet(escaped(like or min(paths)))
    frame = spark.read.schema(told_from.schema).parquet(*[escaped(path) for path in paths])
    found = {name: _column(frame.schema, path) for name, path in fields.items()}
    text = found.pop("text")
    if text is None:
        raise InputError(
            f"{paths[0]} has no column {fields['text']}, but {', '.join(frame.columns)}: "
            "set crawl.sources.fields"
        )
    names = {name: name for name in ("url", "source_id", "date", "lang", "lang_score", "dump")}
    columns = [
        _string(found.get(name)).alias(ours)
        for ours, name in {**names, "named_file": "file"}.items()
    ]
    return frame.select(
        _file_read(),
        F.col("_metadata.row_index").alias("number"),
        text.cast("binary").alias("text"),
        *columns,
    )


def _string(value: Column | None) -> Column:
    return F.lit(None).cast("string") if value is None else F.make_valid_utf8(value)


def _column(schema: T.StructType, path: str) -> Column | None:
    """A field as a string: the first of its path's alternatives that exists, or None."""
    choices = [keys for choice in path.split("|") if _has(schema, keys := choice.split("."))]
    # Cast before the choice: coalesce of a number and an address casts the address to a number.
    columns = [F.col(".".join(map(_quoted, keys))).cast("string") for keys in choices]
    return F.coalesce(*columns) if columns else None


def _quoted(name: str) -> str:
    return f"`{name.replace('`', '``')}`"


def _has(schema: T.DataType, keys: Sequence[str]) -> bool:
    if not keys:
        return True
    first, *rest = keys
    if not isinstance(schema, T.StructType) or first not in schema.fieldNames():
        return False
    return _has(schema[first].dataType, rest)


def read_files(spark: SparkSession, paths: Sequence[str]) -> DataFrame:
    """``content, file``: one row for each whole file."""
    files = spark.read.format("binaryFile").load([escaped(path) for path in paths])
    return files.select("content", F.regexp_replace("path", "^file:/+", "file:/").alias("file"))


def read_lines(spark: SparkSession, paths: Sequence[str]) -> DataFrame:
    """``value, file``: lines of files (plain, gzip or bzip2), in bytes."""
    lines = spark.read.text([escaped(path) for path in paths], lineSep="\n")
    return lines.select(F.col("value").cast("binary").alias("value"), _file_read())


def _file_read() -> Column:
    """``file``: the path as in `plain_path`; Spark's is URL-encoded, except for ``+``."""
    path = F.url_decode(F.replace(F.col("_metadata.file_path"), F.lit("+"), F.lit("%2B")))
    return F.regexp_replace(path, "^file:/+", "file:/").alias("file")
