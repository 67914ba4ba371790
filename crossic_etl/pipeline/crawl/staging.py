"""The one expensive pass over crawl files: records to staged rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pyspark.sql import DataFrame, SparkSession

from crossic_etl.inputs.crawl import CrawlFiles, read_files, read_lines, read_rows
from crossic_etl.inputs.damage import stage_readable
from crossic_etl.inputs.errors import InputError
from crossic_etl.kernels.crawl.documents import DAMAGED_FILE, READ, DocumentRules, reject_row
from crossic_etl.schemas import STAGED_DOCUMENTS
from crossic_etl.tables import Chunk, Tables
from crossic_etl.tables.chunks import make_chunks, stage_chunks
from crossic_etl.transforms.documents import (
    filter_json_files,
    filter_lines,
    filter_rows,
    filter_wet_files,
)
from crossic_etl.transforms.frames import union

# A larger JSON Lines file that Hadoop's codecs can unpack is read line by line, a plain one by
# several tasks; damaged lines lose their number, so smaller ones are read whole.
WHOLE_BYTES = 2**28
# Of a whole file a task holds the bytes in the JVM and in Python: what binaryFile could read,
# 2 GiB, would be more than most executors have.
MOST_BYTES = 2**30
# Ours, of a chunk: some minutes of two cores.
LEAST_BYTES = 2**31
_NOT_OURS = (".zst", ".zstd")  # Hadoop needs a native library for them


def stage_documents(
    tables: Tables,
    sources: Sequence[CrawlFiles],
    rules: DocumentRules,
    whole_bytes: int = WHOLE_BYTES,
) -> DataFrame:
    """Stages every record of all sources: documents that are kept, broken ones, and counts.

    Chunks are of some files each. A Parquet file that Spark can't read is one reject, and costs one
    more pass over the others of its chunk, since nothing of it may stay. A JSON Lines file that
    Hadoop's codecs can't read is read whole.

    Raises:
        InputError: a source lacks its text, or has a file that is too large.
    """
    sizes = {path: size for files in sources for path, size in files.sizes.items()}
    chunks = make_chunks(dict(sorted(sizes.items())), LEAST_BYTES)

    def stage(paths: Collection[str], chunk: Chunk | None) -> DataFrame:
        def build(damaged: frozenset[str]) -> DataFrame:
            frames = [_damaged_files(tables.spark, part, damaged)]
            for files, all_files in zip(part, sources, strict=True):
                like = min(all_files.sizes.keys() - damaged, default=None)
                frames += _read_source(tables.spark, files, like, rules, damaged, whole_bytes)
            return union(frames)

        part = [files.only(paths) for files in sources]
        return stage_readable(tables, "documents", build, "salvage", chunk)

    of_files = [[files.reading, files.sizes, files.times] for files in sources]
    return stage_chunks(tables, "documents", [rules.digest(), of_files], chunks, stage)


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
            frames.append(filter_rows(rows, rules, source.dump))
        return frames
    by_lines = {path for path in files.sizes if _is_by_lines(files, path, damaged, whole_bytes)}
    whole = sorted(files.sizes.keys() - by_lines)
    _refuse_too_large(files, whole)
    if whole and source.format == "wet":
        frames.append(filter_wet_files(read_files(spark, whole), rules, source.dump))
    elif whole:
        read = read_files(spark, whole)
        frames.append(filter_json_files(read, files.fields, rules, source.dump))
    if by_lines:
        lines = read_lines(spark, sorted(by_lines))
        frames.append(filter_lines(lines, files.fields, rules, source.dump))
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
