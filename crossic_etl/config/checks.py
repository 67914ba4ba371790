"""Checks of a configuration that need more than its own values, and still no Spark."""

from __future__ import annotations

from dataclasses import asdict, replace

from crossic_etl.config import Config, ConfigError, UnfitSettingError
from crossic_etl.config.crawl import Crawl
from crossic_etl.config.encoder import choose_encoder
from crossic_etl.kernels.crawl.quality import QualityRules
from crossic_etl.kernels.samples.segments import NO_DOCUMENT, segment_pair
from crossic_etl.kernels.tokens.tokenizers import load_tokenizer


def check_all(config: Config) -> None:
    """Checks all that needs no Spark: dumps, tokenizer, encoder, quality rules.

    Raises:
        ConfigError: the first that can't be used.
    """
    check_dumps(config)
    check_tokenizer(config)
    check_encoder(config)
    choose_quality_rules(config.crawl)


def check_dumps(config: Config) -> None:
    """Whether the configuration says for each wiki where its pages are.

    Raises:
        ConfigError: a wiki has neither plain text nor dumps and their date.
    """
    wikipedia = config.wikipedia
    for lang in config.wikis:
        if wikipedia.dumps:
            wikipedia.date_of(lang)
        elif lang not in wikipedia.plain_text:
            expected = f"a folder of dumps, or wikipedia.plain_text for {lang}"
            raise ConfigError("wikipedia.dumps", wikipedia.dumps, expected)


def check_tokenizer(config: Config) -> None:
    """Loads the tokenizer, so that a wrong one shows now and not in a task hours later.

    Raises:
        UnfitSettingError: tokenizer or split token don't exist, or samples leave no room for text.
    """
    try:
        tokenizer = load_tokenizer(config.tokenizer, config.split_token)
        n_separator = len(tokenizer.encode(config.segment.separator)[0])
        n_split = len(tokenizer.split_ids)
        segment_pair(NO_DOCUMENT, NO_DOCUMENT, config.max_tokens, n_separator, n_split)
    except (ValueError, OSError, ImportError) as error:
        raise UnfitSettingError(" ".join(str(error).split())) from None


def check_encoder(config: Config) -> None:
    """Works out which encoder is meant, without loading it.

    Raises:
        UnfitSettingError: its packages, folder or revision aren't there, or a value can't be used.
    """
    choose_encoder(config.encoder)


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
