"""What the configuration says of web documents, with the files it names, as rules for a worker."""

from __future__ import annotations

import hashlib
import json

from pyspark.sql import SparkSession

from crossic_etl.config import Config
from crossic_etl.config.checks import choose_quality_rules
from crossic_etl.inputs.evaluation import _load_block_list, load_evaluation
from crossic_etl.kernels.crawl.documents import DocumentRules
from crossic_etl.kernels.dedup.minhash import ALGORITHM


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
