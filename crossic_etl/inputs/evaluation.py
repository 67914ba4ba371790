"""Evaluation sets and block lists: small files that the driver reads whole."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from crossic_etl.inputs.errors import InputError
from crossic_etl.inputs.files import plain_path
from crossic_etl.kernels.crawl.url_blocks import UrlBlockList
from crossic_etl.kernels.fingerprint import fingerprint
from crossic_etl.kernels.text.contamination import MAX_EVALUATION_BYTES, NgramIndex, read_evaluation
from crossic_etl.spark_errors import missing

# What the driver reads whole and each task holds: all files of one key together.
MAX_PACKED_BYTES = 2**28

# Name and content of each file, by name.
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
    """Fingerprint of what files say, whatever their names; empty without files."""
    hashes = [hashlib.sha256(content).hexdigest() for _, content in contents]
    return fingerprint("".join(hashes)) if hashes else ""


def block_list(contents: Contents) -> UrlBlockList:
    """The hosts and beginnings of addresses that the lines of all files name."""
    texts = (content.decode("utf-8", "replace") for _, content in contents)
    return UrlBlockList.of(line for text in texts for line in text.splitlines())


def read_whole(spark: SparkSession, key: str, path: str) -> Contents:
    """The files at a path, folder or glob on any Hadoop file system, by name.

    Raises:
        InputError: there is none, all are empty, or they are larger than the driver reads.
    """
    try:
        files = spark.read.format("binaryFile").load(path)
        n_bytes = files.agg(F.sum("length").alias("n")).collect()[0].n
    except AnalysisException as error:
        if missing(error):
            raise InputError(f"{key}: {path} isn't there") from None
        raise
    if not n_bytes:
        raise InputError(f"{key}: {path} is empty")
    if n_bytes > MAX_PACKED_BYTES:
        raise InputError(f"{key}: {path} has {n_bytes} bytes, and {MAX_PACKED_BYTES} at most fit")
    rows = files.select("path", "content").collect()
    return sorted((plain_path(row.path), bytes(row.content)) for row in rows)
