"""Crawl files on any Hadoop file system to staged rows: the one expensive pass over them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from crossic_etl.config import Config, ConfigError
from crossic_etl.config_crawl import CrawlSource
from crossic_etl.damage import stage_readable
from crossic_etl.kernels.crawl_records import FIELDS
from crossic_etl.kernels.documents import DAMAGED_FILE, READ, DocumentRules, reject_row
from crossic_etl.schemas import STAGED_DOCUMENTS
from crossic_etl.sources import InputError, escaped, plain_path, union
from crossic_etl.tables import Tables, Unit, missing
from crossic_etl.transforms.documents import (
    judge_json_files,
    judge_lines,
    judge_rows,
    judge_wet_files,
)
from crossic_etl.units import cut, stage_units

# A larger JSON Lines file that Hadoop's codecs can unpack is read line by line, a plain one by
# several tasks; damaged lines lose their number, so smaller ones are read whole.
WHOLE_BYTES = 2**28
# Of a whole file a task holds the bytes in the JVM and in Python: what binaryFile could read,
# 2 GiB, would be more than most executors have.
MOST_BYTES = 2**30
# Ours, of a unit: some minutes of two cores.
LEAST_BYTES = 2**31
_NOT_OURS = (".zst", ".zstd")  # Hadoop needs a native library for them


@dataclass(frozen=True)
class CrawlFiles:
    """The files of a source, by name: sizes in bytes, and when changed, in ms since 1970."""

    source: CrawlSource
    sizes: Mapping[str, int]
    times: Mapping[str, int]

    @property
    def reading(self) -> str:
        """What of the source decides what is read from a file, as JSON."""
        settings = {
            "format": self.source.format,
            "fields": dict(self.fields) if self.source.format != "wet" else {},
            "dump": self.source.dump,
        }
        return json.dumps(settings, sort_keys=True, ensure_ascii=False)

    def only(self, paths: Collection[str]) -> CrawlFiles:
        """The same source with no files but these."""
        return replace(self, sizes={p: n for p, n in self.sizes.items() if p in paths})

    @property
    def fields(self) -> Mapping[str, str]:
        """Where the source has our fields."""
        fields = self.source.fields
        return FIELDS[fields] if isinstance(fields, str) else fields


def find_files(spark: SparkSession, source: CrawlSource) -> CrawlFiles:
    """The files of a source that are not empty, in folders of folders too.

    Raises:
        InputError: there is nothing at its path.
    """
    listing = spark.read.format("binaryFile").option("recursiveFileLookup", "true")
    try:
        found = listing.load(source.path)
        modified = F.unix_millis("modificationTime").alias("modified")
        rows = found.select("path", "length", modified).collect()
    except AnalysisException as error:
        if missing(error):
            raise InputError(f"crawl.sources: {source.path} isn't there") from None
        raise
    if not rows:
        print(f"documents: no files, or only empty ones, at {source.path}", flush=True)
    return CrawlFiles(
        source,
        {plain_path(row.path): row.length for row in rows},
        {plain_path(row.path): row.modified for row in rows},
    )


def find_sources(spark: SparkSession, config: Config) -> list[CrawlFiles]:
    """The files of all sources; one that two sources read alike is the first one's.

    Raises:
        ConfigError: no source is configured.
        InputError: a source isn't there.
    """
    if not config.crawl.sources:
        raise ConfigError("crawl.sources", (), "at least one source")
    sources: list[CrawlFiles] = []
    for source in config.crawl.sources:
        files = find_files(spark, source)
        alike = [other.sizes for other in sources if other.reading == files.reading]
        sources.append(files.only(files.sizes.keys() - set().union(*alike)))
    return sources


def stage_documents(
    tables: Tables,
    sources: Sequence[CrawlFiles],
    rules: DocumentRules,
    whole_bytes: int = WHOLE_BYTES,
) -> DataFrame:
    """Stages every record of all sources: documents that are kept, broken ones, and counts.

    Units are of some files each. A Parquet file that Spark can't read is one reject, and costs one
    more pass over the others of its unit, since nothing of it may stay. A JSON Lines file that
    Hadoop's codecs can't read is read whole.

    Raises:
        InputError: a source lacks its text, or has a file that is too large.
    """
    sizes = {path: size for files in sources for path, size in files.sizes.items()}
    units = cut(dict(sorted(sizes.items())), LEAST_BYTES)

    def stage(paths: Collection[str], unit: Unit | None) -> DataFrame:
        def build(damaged: frozenset[str]) -> DataFrame:
            frames = [_damaged_files(tables.spark, part, damaged)]
            for files, all_files in zip(part, sources, strict=True):
                like = min(all_files.sizes.keys() - damaged, default=None)
                frames += _read_source(tables.spark, files, like, rules, damaged, whole_bytes)
            return union(frames)

        part = [files.only(paths) for files in sources]
        return stage_readable(tables, "documents", build, "salvage", unit)

    of_files = [[files.reading, files.sizes, files.times] for files in sources]
    return stage_units(tables, "documents", [rules.digest(), of_files], units, stage)


def _read_source(
    spark: SparkSession,
    files: CrawlFiles,
    like: str | None,
    rules: DocumentRules,
    damaged: frozenset[str],
    whole_bytes: int,
) -> list[DataFrame]:
    source, frames = files.source, []
    if source.format == "parquet":
        if paths := [path for path in files.sizes if path not in damaged]:
            rows = read_rows(spark, paths, files.fields, like)
            frames.append(judge_rows(rows, rules, source.dump))
        return frames
    by_lines = {path for path in files.sizes if _is_by_lines(files, path, damaged, whole_bytes)}
    whole = sorted(files.sizes.keys() - by_lines)
    _refuse_too_large(files, whole)
    if whole and source.format == "wet":
        frames.append(judge_wet_files(read_files(spark, whole), rules, source.dump))
    elif whole:
        read = read_files(spark, whole)
        frames.append(judge_json_files(read, files.fields, rules, source.dump))
    if by_lines:
        lines = read_lines(spark, sorted(by_lines))
        frames.append(judge_lines(lines, files.fields, rules, source.dump))
    return frames


def _is_by_lines(files: CrawlFiles, path: str, damaged: Collection[str], whole_bytes: int) -> bool:
    is_large = files.source.format == "jsonl" and files.sizes[path] > whole_bytes
    return is_large and path not in damaged and not path.endswith(_NOT_OURS)


def _refuse_too_large(files: CrawlFiles, paths: Sequence[str]) -> None:
    for path in paths:
        if files.sizes[path] > MOST_BYTES:
            raise InputError(
                f"{path} has {files.sizes[path]} bytes, and can only be read whole, up to "
                f"{MOST_BYTES}: cut it in parts, or pack JSON Lines with gzip"
            )


def _damaged_files(
    spark: SparkSession, sources: Sequence[CrawlFiles], damaged: frozenset[str]
) -> DataFrame:
    """A reject for each file of which nothing could be read, and as many records read."""
    lost = sorted(
        path
        for files in sources
        for path in damaged & files.sizes.keys()
        if files.source.format == "parquet"
    )
    detail = "can't be read as Parquet: damaged, cut short, or of other types than the others"
    rows: list[dict[str, object]] = []
    for path in lost:
        broken = reject_row(DAMAGED_FILE, path, detail)
        rows += [row | {"read_from": path} for row in ({"outcome": READ, "n": 1}, broken)]
    names = STAGED_DOCUMENTS.fieldNames()
    return spark.createDataFrame([[r.get(n) for n in names] for r in rows], STAGED_DOCUMENTS)


def read_rows(
    spark: SparkSession,
    paths: Sequence[str],
    fields: Mapping[str, str],
    like: str | None = None,
) -> DataFrame:
    """Rows of Parquet files in the columns of `transforms.documents.ROW`.

    Of which columns and types they should be is told from a file that they are ``like``, the same
    for every unit: by default from the first, as Spark does.

    Texts as bytes: Parquet doesn't check that they are UTF-8, and one that isn't would fail its
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
    """A field as a string: the first choice of its path that is there; None where none is."""
    choices = [keys for choice in path.split("|") if _has(schema, keys := choice.split("."))]
    # As strings before one is chosen: a number beside an address would have the address be one.
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
    """``content, file``: whole files, each one row."""
    files = spark.read.format("binaryFile").load([escaped(path) for path in paths])
    return files.select("content", F.regexp_replace("path", "^file:/+", "file:/").alias("file"))


def read_lines(spark: SparkSession, paths: Sequence[str]) -> DataFrame:
    """``value, file``: the lines of files, plain or packed with gzip or bzip2, in bytes."""
    lines = spark.read.text([escaped(path) for path in paths], lineSep="\n")
    return lines.select(F.col("value").cast("binary").alias("value"), _file_read())


def _file_read() -> Column:
    """``file``: the path as `plain_path` has it; Spark's has escapes of a URL, but + for itself."""
    path = F.url_decode(F.replace(F.col("_metadata.file_path"), F.lit("+"), F.lit("%2B")))
    return F.regexp_replace(path, "^file:/+", "file:/").alias("file")
