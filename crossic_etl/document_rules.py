"""What the configuration says of web documents, with the files it names, as rules for a worker."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace

from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from crossic_etl.config import Config, ConfigError
from crossic_etl.config_crawl import Crawl
from crossic_etl.kernels.contamination import MAX_EVALUATION_BYTES, NgramIndex, read_evaluation
from crossic_etl.kernels.documents import DocumentRules
from crossic_etl.kernels.near_duplicates import ALGORITHM
from crossic_etl.kernels.quality import QualityRules
from crossic_etl.kernels.url_blocks import UrlBlockList
from crossic_etl.sources import InputError, plain_path
from crossic_etl.tables import missing

# What the driver reads whole and each task holds: all files of one key together.
MAX_PACKED_BYTES = 2**28


def load_rules(spark: SparkSession, config: Config) -> DocumentRules:
    """The rules by which documents are judged.

    Raises:
        ConfigError: a quality rule that doesn't exist, or a value that it can't have.
        InputError: a block list or evaluation file can't be read.
    """
    crawl = config.crawl
    return DocumentRules(
        languages=frozenset(config.wikis),
        trusts_labels=crawl.language == "trust",
        min_language_score=crawl.min_language_score,
        min_chars=crawl.min_chars,
        max_chars=crawl.max_chars,
        quality=choose_quality_rules(crawl),
        blocked=_load_block_list(spark, crawl.blocked_urls),
        evaluation=load_evaluation(spark, config),
    )


def deciding_settings(config: Config, rules: DocumentRules) -> str:
    """Hash of what decides which documents are kept of the same files, 16 hex digits.

    The files that rules are loaded from count by what they say, not by their names.
    """
    threshold = config.crawl.near_duplicates
    near_copies = [threshold, config.seed, ALGORITHM] if threshold else []
    text = json.dumps([rules.digest(), *near_copies])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def choose_quality_rules(crawl: Crawl) -> QualityRules | None:
    """The published rules with the configured thresholds; None where they are off.

    Raises:
        ConfigError: a rule that doesn't exist or has more than one number, or a negative value.
    """
    if not crawl.quality:
        return None
    rules = QualityRules()
    known = {name: value for name, value in asdict(rules).items() if not isinstance(value, tuple)}
    for name, value in crawl.quality_rules.items():
        key = f"crawl.quality_rules.{name}"
        if name not in known:
            raise ConfigError(key, value, f"one of {', '.join(known)}")
        kind = type(known[name])
        if value < 0 or kind(value) != value:
            raise ConfigError(key, value, "a number >= 0, whole for counts, 0 or 1 for switches")
        rules = replace(rules, **{name: kind(value)})
    return rules


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
