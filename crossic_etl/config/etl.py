"""Configuration: one YAML file, read into frozen dataclasses and checked before Spark starts."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from dataclasses import dataclass, field

from crossic_etl.config.crawl import Crawl, Encoder, Neighbours, Retrieved
from crossic_etl.config.download import Download
from crossic_etl.config.errors import one_of, require
from crossic_etl.config.maintenance import Maintain

POLICIES = ("sliding", "padded", "best-fit")
ARRANGEMENTS = ("en-first", "target-first", "mix", "target-only", "random", "retrieved")
ON_DAMAGE = ("salvage", "fail")
MINIMUM_WINDOW = 16


@dataclass(frozen=True)
class Wikipedia:
    """Where the dumps lie.

    Attributes:
        dumps: folder in the public mirror's layout, ``{dumps}/{xx}wiki/{date}/{xx}wiki-{date}-…``.
        date: ``YYYYMMDD`` of the dumps, or one for each language.
        plain_text: language to Parquet path with ``id, url, title, text``, instead of dump XML.
        on_damage: ``salvage`` reads what can be read of a damaged file and rejects the rest;
            ``fail`` stops at it.
        max_page_bytes: longer XML records are rejected (MediaWiki's own limit for a page is 2 MiB).
    """

    dumps: str = ""
    date: str | dict[str, str] = ""
    plain_text: dict[str, str] = field(default_factory=dict)
    on_damage: str = "salvage"
    max_page_bytes: int = 16 * 2**20

    def __post_init__(self) -> None:
        dates = self.date.values() if isinstance(self.date, dict) else [self.date]
        for date in dates:
            require(re.fullmatch(r"\d{8}|", date), "wikipedia.date", self.date, "YYYYMMDD")
        require(
            self.on_damage in ON_DAMAGE, "wikipedia.on_damage", self.on_damage, one_of(ON_DAMAGE)
        )
        require(
            self.max_page_bytes > 0, "wikipedia.max_page_bytes", self.max_page_bytes, "bytes > 0"
        )

    def date_of(self, lang: str) -> str:
        """The dump date of one language's wiki.

        Raises:
            ConfigError: where no date is given for it.
        """
        date = self.date.get(lang, "") if isinstance(self.date, dict) else self.date
        require(date, "wikipedia.date", self.date, f"a date YYYYMMDD for {lang}")
        return date


@dataclass(frozen=True)
class Segment:
    """How documents are cut. None of it is published for CrossIC-PT: the defaults are ours.

    Attributes:
        max_tokens: longest sample in tokens, ``[SPLIT]`` included; None is the window's length.
        separator: stands between the English and the target segment.
        min_chars: shorter texts make no pair sample (dropped as ``too_short``).
    """

    max_tokens: int | None = None
    separator: str = "\n\n"
    min_chars: int = 1

    def __post_init__(self) -> None:
        low = self.max_tokens is None or self.max_tokens >= MINIMUM_WINDOW
        require(
            low, "segment.max_tokens", self.max_tokens, f"None or at least {MINIMUM_WINDOW} tokens"
        )
        require(self.min_chars >= 1, "segment.min_chars", self.min_chars, "characters >= 1")


@dataclass(frozen=True)
class Window:
    """Training windows. ``sliding`` is the paper's policy; its length isn't known: 4096 is ours."""

    length: int = 4096
    policy: str = "sliding"

    def __post_init__(self) -> None:
        require(
            self.length >= MINIMUM_WINDOW,
            "window.length",
            self.length,
            f"at least {MINIMUM_WINDOW} tokens",
        )
        require(self.policy in POLICIES, "window.policy", self.policy, one_of(POLICIES))


@dataclass(frozen=True)
class Config:
    """Everything a run is made of.

    Attributes:
        root: folder, URL of any Hadoop file system, or ``catalog.schema``: where the tables are.
        languages: target languages (codes of Wikipedia's wikis); English is always the other side.
        tokenizer: ``qwen2.5`` (embedded) or a Hugging Face name or path.
        split_token: closes each sample: a special token of the vocabulary, ``new:[SPLIT]`` or text.
        arrangements: which samples to make of the pairs.
        mixture: arrangement to its share of the tokens of the windows ``mixture``; empty for none.
        validation_share: of the English articles, about; all that is made of such an article is
            for validation. 0 to less than 0.5. Ours.
        seed: of every order and permutation.
        shards: number of independent window streams; part of the result, unlike Spark's partitions.
        crawl, encoder, neighbours, retrieved: the crawl branch, see `config_crawl`.
        download: how the files come here, see `config_download`.
        maintain: what is kept of older tables, see `config_maintain`.
    """

    root: str
    languages: tuple[str, ...]
    wikipedia: Wikipedia = field(default_factory=Wikipedia)
    tokenizer: str = "qwen2.5"
    split_token: str = "<|quad_end|>"
    segment: Segment = field(default_factory=Segment)
    window: Window = field(default_factory=Window)
    arrangements: tuple[str, ...] = ("en-first",)
    mixture: dict[str, float] = field(default_factory=dict)
    validation_share: float = 0.01
    seed: int = 0
    shards: int = 16
    crawl: Crawl = field(default_factory=Crawl)
    encoder: Encoder = field(default_factory=Encoder)
    neighbours: Neighbours = field(default_factory=Neighbours)
    retrieved: Retrieved = field(default_factory=Retrieved)
    download: Download = field(default_factory=Download)
    maintain: Maintain = field(default_factory=Maintain)

    def __post_init__(self) -> None:
        require(self.root.strip(), "root", self.root, "a folder, URL or catalog.schema")
        require(self.languages, "languages", self.languages, "at least one language code")
        for lang in self.languages:
            require(
                re.fullmatch(r"[a-z][a-z0-9-]*", lang) and lang != "en",
                "languages", lang, "the code of a Wikipedia's language other than en",
            )  # fmt: skip
        require(
            len(set(self.languages)) == len(self.languages),
            "languages",
            self.languages,
            "each once",
        )
        require(self.arrangements, "arrangements", self.arrangements, "at least one")
        for name in self.arrangements:
            require(name in ARRANGEMENTS, "arrangements", name, one_of(ARRANGEMENTS))
        found = "retrieved" not in self.arrangements or self.crawl.sources
        require(found, "crawl.sources", [], "files of a crawl for the arrangement retrieved")
        require(
            len(set(self.arrangements)) == len(self.arrangements),
            "arrangements",
            self.arrangements,
            "each once",
        )
        self._check_mixture()
        share = self.validation_share
        require(0 <= share < 0.5, "validation_share", share, "a share from 0, below 0.5")
        require(self.shards >= 1, "shards", self.shards, "a whole number >= 1")
        for lang in self.wikipedia.plain_text:
            require(
                lang in self.wikis, "wikipedia.plain_text", lang, f"one of {', '.join(self.wikis)}"
            )
        longest = self.segment.max_tokens
        require(
            longest is None or longest <= self.window.length,
            "segment.max_tokens", longest, f"at most window.length, {self.window.length}",
        )  # fmt: skip

    def _check_mixture(self) -> None:
        for name, share in self.mixture.items():
            require(name in self.arrangements, "mixture", name, "a name in arrangements")
            require(share > 0, f"mixture.{name}", share, "a share above 0")
        total = sum(self.mixture.values())
        is_whole = not self.mixture or abs(total - 1) <= 1e-6
        require(is_whole, "mixture", self.mixture, f"shares that sum to 1, not {total:g}")

    @property
    def wikis(self) -> tuple[str, ...]:
        """Languages whose wiki is read: English, then the targets."""
        return ("en", *self.languages)

    @property
    def max_tokens(self) -> int:
        """Longest sample in tokens, ``[SPLIT]`` included."""
        return self.segment.max_tokens or self.window.length

    def digest(self) -> str:
        """Hash of all settings, 16 hex digits: runs with equal digests make equal tables.

        How the files came is none of them, nor how long old ones are kept.
        """
        settings = dataclasses.asdict(self)
        del settings["download"], settings["maintain"]
        text = json.dumps(settings, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]
