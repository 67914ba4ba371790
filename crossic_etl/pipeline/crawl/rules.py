"""What the configuration says of web documents, with the files it names, as rules for a worker."""

from __future__ import annotations

from collections.abc import Sequence

from crossic_etl.config.checks import choose_quality_rules
from crossic_etl.config.crawl import Crawl
from crossic_etl.inputs.run_inputs import RunInputs
from crossic_etl.kernels.crawl.documents import DocumentRules
from crossic_etl.kernels.dedup.minhash import ALGORITHM
from crossic_etl.kernels.fingerprint import fingerprint


def load_rules(crawl: Crawl, langs: Sequence[str], inputs: RunInputs) -> DocumentRules:
    """The rules by which documents are filtered; ``langs`` are the languages to keep.

    Raises:
        ConfigError: a quality rule that doesn't exist, or a value that it can't have.
        InputError: a block list or evaluation file can't be read.
    """
    return DocumentRules(
        languages=frozenset(langs),
        trusts_labels=crawl.language == "trust",
        min_language_score=crawl.min_language_score,
        min_chars=crawl.min_chars,
        max_chars=crawl.max_chars,
        quality=choose_quality_rules(crawl),
        blocked=inputs.blocked,
        evaluation=inputs.evaluation,
    )


def settings_fingerprint(rules: DocumentRules, near_duplicates: float, seed: int) -> str:
    """Fingerprint of the settings that decide which documents are kept of the same files.

    Files that rules are loaded from count by their content, not by their names.
    """
    of_copies = [near_duplicates, seed, ALGORITHM] if near_duplicates else []
    return fingerprint([rules.digest(), *of_copies])
