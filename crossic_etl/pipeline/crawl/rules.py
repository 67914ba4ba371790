"""What the configuration says of web documents, with the files it names, as rules for a worker."""

from __future__ import annotations

from crossic_etl.config import Config
from crossic_etl.config.checks import choose_quality_rules
from crossic_etl.inputs.run_inputs import RunInputs
from crossic_etl.kernels.crawl.documents import DocumentRules
from crossic_etl.kernels.dedup.minhash import ALGORITHM
from crossic_etl.kernels.fingerprint import fingerprint


def load_rules(config: Config, inputs: RunInputs) -> DocumentRules:
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
        blocked=inputs.blocked,
        evaluation=inputs.evaluation,
    )


def deciding_settings(config: Config, rules: DocumentRules) -> str:
    """Hash of what decides which documents are kept of the same files, 16 hex digits.

    The files that rules are loaded from count by what they say, not by their names.
    """
    threshold = config.crawl.near_duplicates
    near_copies = [threshold, config.seed, ALGORITHM] if threshold else []
    return fingerprint([rules.digest(), *near_copies])
