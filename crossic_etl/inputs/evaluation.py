"""Evaluation sets and block lists: small files that the driver reads whole."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from crossic_etl.inputs.driver_reading import list_tree
from crossic_etl.inputs.errors import InputError
from crossic_etl.inputs.files import plain_path
from crossic_etl.kernels.crawl.url_blocks import UrlBlockList
from crossic_etl.kernels.fingerprint import fingerprint
from crossic_etl.kernels.text.contamination import MAX_EVALUATION_BYTES, NgramIndex, read_evaluation
from crossic_etl.spark_errors import missing

# Limit for all files of one key together: the driver reads them whole, and each task holds them.
MAX_PACKED_BYTES = 2**28

# Name and content of each file, sorted by name.
Contents = Sequence[tuple[str, bytes]]


def index_evaluation(contents: Contents) -> NgramIndex | None:
    """The index of all evaluation texts, for documents and for pages; None without files.

    Raises:
        InputError: a file has no text, or can't be read to its end.
    """
    texts = []
    for name, content in contents:
        try:
            found = read_evaluation(name, content, max_bytes=MAX_EVALUATION_BYTES)
        except ValueError as error:
            raise InputError(f"crawl.evaluation: {error}") from None
        if not any(text.strip() for text in found):
            raise InputError(f"crawl.evaluation: {name} holds no text")
        texts.extend(found)
    return NgramIndex.of(texts) if texts else None


def fingerprint_contents(contents: Contents) -> str:
    """Fingerprint of the files' contents, independent of their names; empty without files."""
    hashes = [hashlib.sha256(content).hexdigest() for _, content in contents]
    return fingerprint("".join(hashes)) if hashes else ""


def block_list(contents: Contents) -> UrlBlockList:
    """The block list of the hosts and address prefixes in the lines of all files."""
    texts = (content.decode("utf-8", "replace") for _, content in contents)
    return UrlBlockList.of(line for text in texts for line in text.splitlines())


def read_whole(spark: SparkSession, key: str, path: str) -> Contents:
    """The files at a path, folder or glob on any Hadoop file system, by name.

    Raises:
        InputError: there is none, all are empty, or they are larger than `MAX_PACKED_BYTES`.
    """
    if (found := list_tree(spark, path)) is not None:
        _check_size(key, path, sum(stamp.length for stamp in found.values()))
        return sorted((name, Path(name.removeprefix("file:")).read_bytes()) for name in found)
    try:
        files = spark.read.format("binaryFile").load(path)
        n_bytes = files.agg(F.sum("length").alias("n")).collect()[0].n
    except AnalysisException as error:
        if missing(error):
            raise InputError(f"{key}: {path} isn't there") from None
        raise
    _check_size(key, path, n_bytes)
    rows = files.select("path", "content").collect()
    return sorted((plain_path(row.path), bytes(row.content)) for row in rows)


def _check_size(key: str, path: str, n_bytes: int | None) -> None:
    if not n_bytes:
        raise InputError(f"{key}: {path} is empty")
    if n_bytes > MAX_PACKED_BYTES:
        raise InputError(f"{key}: {path} has {n_bytes} bytes, and {MAX_PACKED_BYTES} at most fit")
