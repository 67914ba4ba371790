"""Evaluation sets and block lists: small files that the driver reads whole."""

from __future__ import annotations

import hashlib

from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from crossic_etl.config import Config
from crossic_etl.inputs.errors import InputError
from crossic_etl.inputs.files import plain_path
from crossic_etl.kernels.crawl.url_blocks import UrlBlockList
from crossic_etl.kernels.text.contamination import MAX_EVALUATION_BYTES, NgramIndex, read_evaluation
from crossic_etl.spark_errors import missing

# What the driver reads whole and each task holds: all files of one key together.
MAX_PACKED_BYTES = 2**28


def load_evaluation(spark: SparkSession, config: Config) -> NgramIndex | None:
    """The index of all evaluation texts, for documents and for pages; None where none are given.

    Raises:
        InputError: a file isn't there, is empty or too large, or can't be read to its end.
    """
    texts = []
    for path in config.crawl.evaluation:
        for name, content in _read_whole(spark, "crawl.evaluation", path):
            try:
                found = read_evaluation(name, content, max_bytes=MAX_EVALUATION_BYTES)
            except ValueError as error:
                raise InputError(f"crawl.evaluation: {error}") from None
            if not any(text.strip() for text in found):
                raise InputError(f"crawl.evaluation: {name} holds no text")
            texts.extend(found)
    return NgramIndex.of(texts) if texts else None


def fingerprint_of_evaluation(spark: SparkSession, config: Config) -> str:
    """Hash of what the evaluation files say, 16 hex digits; empty where none are given.

    Raises:
        InputError: a file isn't there, is empty or too large.
    """
    hashes = [
        hashlib.sha256(content).hexdigest()
        for path in config.crawl.evaluation
        for _, content in _read_whole(spark, "crawl.evaluation", path)
    ]
    return hashlib.sha256("".join(hashes).encode()).hexdigest()[:16] if hashes else ""


def _load_block_list(spark: SparkSession, path: str) -> UrlBlockList:
    if not path:
        return UrlBlockList()
    contents = _read_whole(spark, "crawl.blocked_urls", path)
    lines = (c.decode("utf-8", "replace").splitlines() for _, c in contents)
    return UrlBlockList.of(line for of_file in lines for line in of_file)


def _read_whole(spark: SparkSession, key: str, path: str) -> list[tuple[str, bytes]]:
    """The files at a path, folder or glob on any Hadoop file system, by name."""
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
