"""Configuration: one YAML file, read into frozen dataclasses and checked before Spark starts."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from dataclasses import field
from typing import Annotated

from crossic_etl.config.crawl import Crawl, Encoder, Neighbours, Retrieved
from crossic_etl.config.download import Download
from crossic_etl.config.errors import require
from crossic_etl.config.fields import (
    Items,
    Language,
    Number,
    OneOf,
    PathText,
    Text,
    Whole,
    settings,
)
from crossic_etl.config.maintenance import Maintain
from crossic_etl.config.roots import absolute_root
from crossic_etl.kernels.fingerprint import fingerprint
from crossic_etl.kernels.samples.names import (
    ALIGNMENTS,
    ARRANGEMENTS,
    DOCUMENTS,
    MIXED,
    ORDERS,
    POLICIES,
    SIMILARITIES,
    UNMATCHED,
    WINDOW_LANGUAGES,
)
from crossic_etl.kernels.wiki_facts import canonical_code, meant_by
from crossic_etl.kernels.wikitext.page import CODE_CHOICES, LIST_CHOICES, MATH_CHOICES, Options

ON_DAMAGE = ("salvage", "fail")
LATEST = "latest"
"""The ``wikipedia.date`` that means the newest one at which all wanted dumps are there."""
SERVICES = ("auto", "dumps", "content")
MINIMUM_WINDOW = 16
# Ours, of `bench.packing`: such samples fill windows better than longer ones do, and the rest of a
# document follows in the same window. Below the least length segments would be crumbs.
SEGMENTS_OF_WINDOW, LEAST_DEFAULT = 4, 256


@settings("wikipedia")
class Wikipedia:
    """Where the dumps lie.

    Attributes:
        dumps: folder in the public mirror's layout, ``{dumps}/{xx}wiki/{date}/{xx}wiki-{date}-…``.
        date: ``YYYYMMDD`` of the dumps, or one for each language; or ``latest``, the newest date at
            which every wiki is there with each kind of file that it has at any date.
        plain_text: language to Parquet path with ``id, url, title, text``, instead of dump XML.
        on_damage: ``salvage`` reads what can be read of a damaged file and rejects the rest;
            ``fail`` stops at it.
        max_page_bytes: longer XML records are rejected (MediaWiki's own limit for a page is 2 MiB).
        math: ``latex`` shows formulas as ``$…$`` and ``$$…$$``, ``drop`` leaves them out.
        code: ``keep`` shows code in backticks and fenced blocks, ``drop`` leaves it out.
        lists: ``markdown`` opens list items with ``- `` and ``1. ``, ``none`` with nothing.
        service: ``dumps``, the older one, or ``content``, whose pages lie below
            ``other/mediawiki_content_current`` and whose links and items are the SQL dumps of the
            older one, of that date or else the nearest; ``auto`` is ``dumps`` for each wiki that it
            has at the date, and ``content`` for others.
    """

    dumps: PathText = ""
    date: Text | dict[Language, Text] = ""
    plain_text: dict[Language, PathText] = field(default_factory=dict)
    on_damage: Annotated[Text, OneOf(ON_DAMAGE)] = "salvage"
    max_page_bytes: Whole = 16 * 2**20
    math: Annotated[Text, OneOf(MATH_CHOICES)] = "latex"
    code: Annotated[Text, OneOf(CODE_CHOICES)] = "keep"
    lists: Annotated[Text, OneOf(LIST_CHOICES)] = "markdown"
    service: Annotated[Text, OneOf(SERVICES)] = "auto"

    def __post_init__(self) -> None:
        dates = self.date.values() if isinstance(self.date, dict) else [self.date]
        for date in dates if self.date != LATEST else ():
            expected = "YYYYMMDD, or latest for all languages"
            require(re.fullmatch(r"([0-9]{8})?", date), "wikipedia.date", self.date, expected)
        require(
            self.max_page_bytes > 0, "wikipedia.max_page_bytes", self.max_page_bytes, "bytes > 0"
        )

    @property
    def text_options(self) -> Options:
        """What the text of a page shows."""
        return Options(math=self.math, code=self.code, lists=self.lists)

    def date_of(self, lang: str) -> str:
        """The dump date of one language's wiki; `LATEST` until it is resolved.

        Raises:
            ConfigError: where no date is given for it.
        """
        code = canonical_code(lang)
        date = self.date.get(code, "") if isinstance(self.date, dict) else self.date
        require(date, "wikipedia.date", self.date, f"a date YYYYMMDD for {lang}, or latest")
        return date


@settings("segment")
class Segment:
    """How documents are cut. None of it is published for CrossIC-PT: the defaults are ours.

    Attributes:
        max_tokens: longest sample in tokens, ``[SPLIT]`` included; null for a quarter of
            ``window.length``, though at least 256 tokens or the whole of a shorter window.
        separator: stands between the English and the target segment.
        min_chars: shorter texts make no pair sample (dropped as ``too_short``).
        align: pairs of several segments are cut where chunks match by the ``encoder``'s cosines, or
            by the ``anchors`` that they share (numbers, years, Latin names), or at the same
            relative ``position``. The encoder's is left for anchors in languages that it doesn't
            know, and either for position where that brings the sides nearer.
        similarity: samples that have the cosine of their sides: those that the encoder ``cut``, or
            ``all``, for which all texts are embedded.
        unmatched: ``keep`` or ``drop`` segments of a pair with nothing opposite.
    """

    max_tokens: Whole | None = None
    separator: Text = "\n\n"
    min_chars: Whole = 1
    align: Annotated[Text, OneOf(ALIGNMENTS)] = "encoder"
    similarity: Annotated[Text, OneOf(SIMILARITIES)] = "cut"
    unmatched: Annotated[Text, OneOf(UNMATCHED)] = "keep"

    def __post_init__(self) -> None:
        low = self.max_tokens is None or self.max_tokens >= MINIMUM_WINDOW
        require(
            low, "segment.max_tokens", self.max_tokens, f"None or at least {MINIMUM_WINDOW} tokens"
        )
        require(self.min_chars >= 1, "segment.min_chars", self.min_chars, "characters >= 1")


@settings("window")
class Window:
    """Training windows. ``sliding`` is the paper's policy; its length isn't known: 4096 is ours.

    Attributes:
        length: tokens of a window.
        policy: ``sliding`` fills windows and repeats samples that were cut, ``padded`` ends a
            window at its last whole sample, ``best-fit`` places whole samples to waste the least.
        order: ``documents`` keeps the samples of a pair together, in the pair's order, with pairs
            in an order drawn with the seed; ``shuffled`` scatters them. Ours.
        languages: ``mixed`` windows hold any target languages, ``separate`` ones only one. Ours.
    """

    length: Whole = 4096
    policy: Annotated[Text, OneOf(POLICIES)] = "sliding"
    order: Annotated[Text, OneOf(ORDERS)] = DOCUMENTS
    languages: Annotated[Text, OneOf(WINDOW_LANGUAGES)] = MIXED

    def __post_init__(self) -> None:
        fits = self.length >= MINIMUM_WINDOW
        require(fits, "window.length", self.length, f"at least {MINIMUM_WINDOW} tokens")


@settings()
class Config:
    """Everything a run is made of.

    Attributes:
        root: folder, URL of any Hadoop file system, or ``catalog.schema``: where the tables are.
        languages: target languages (codes of Wikipedia's wikis, in any form: ``nan`` is
            ``zh-min-nan``); English is always the other side.
        tokenizer: ``qwen2.5`` (embedded) or a Hugging Face name or path.
        split_token: closes each sample: a special token of the vocabulary, ``new:[SPLIT]`` or text.
        arrangements: which samples to make of the pairs.
        mixture: arrangement to its share of the tokens of the windows ``mixture``; empty for none.
        validation_share: about this share of the English articles is for validation, with all that
            is made of them. 0 to less than 0.5. Ours.
        seed: every order and permutation is drawn with it.
        shards: number of independent window streams; part of the result, unlike Spark's partitions.
        wikipedia: the dumps, see `Wikipedia`.
        segment: how documents are cut, see `Segment`.
        window: training windows, see `Window`.
        crawl, encoder, neighbours, retrieved: the crawl branch, see `crossic_etl.config.crawl`.
        download: how the files come here, see `Download`.
        maintain: what is kept of older tables, see `Maintain`.
    """

    root: PathText
    languages: Items[Language]
    wikipedia: Wikipedia = field(default_factory=Wikipedia)
    tokenizer: PathText = "qwen2.5"
    split_token: Text = "<|quad_end|>"
    segment: Segment = field(default_factory=Segment)
    window: Window = field(default_factory=Window)
    arrangements: Items[Annotated[Text, OneOf(tuple(ARRANGEMENTS))]] = ("en-first",)
    mixture: dict[Text, Number] = field(default_factory=dict)
    validation_share: Number = 0.01
    seed: Whole = 0
    shards: Whole = 16
    crawl: Crawl = field(default_factory=Crawl)
    encoder: Encoder = field(default_factory=Encoder)
    neighbours: Neighbours = field(default_factory=Neighbours)
    retrieved: Retrieved = field(default_factory=Retrieved)
    download: Download = field(default_factory=Download)
    maintain: Maintain = field(default_factory=Maintain)

    def __post_init__(self) -> None:
        require(self.root.strip(), "root", self.root, "a folder, URL or catalog.schema")
        self._check_languages()
        self._check_arrangements()
        self._check_mixture()
        share = self.validation_share
        require(0 <= share < 0.5, "validation_share", share, "a share from 0, below 0.5")
        require(self.shards >= 1, "shards", self.shards, "a whole number >= 1")
        longest, length = self.segment.max_tokens, self.window.length
        fits = longest is None or longest <= length
        require(fits, "segment.max_tokens", longest, f"at most window.length, {length}")

    def _check_languages(self) -> None:
        require(self.languages, "languages", self.languages, "at least one language code")
        for lang in self.languages:
            fits = re.fullmatch(r"[a-z][a-z0-9-]*", lang) and lang != "en"
            meant = meant_by(lang)
            expected = "the code of a Wikipedia's language other than en"
            if meant and meant[0] != "en":
                expected = f"{meant[0]}, the code of the Wikipedia in {meant[1]}"
            require(fits and not meant, "languages", lang, expected)
        _require_once("languages", self.languages)
        for lang in self.wikipedia.plain_text:
            expected = f"one of {', '.join(self.wikis)}"
            require(lang in self.wikis, "wikipedia.plain_text", lang, expected)

    def _check_arrangements(self) -> None:
        require(self.arrangements, "arrangements", self.arrangements, "at least one")
        found = "retrieved" not in self.arrangements or self.crawl.sources
        require(found, "crawl.sources", [], "files of a crawl for the arrangement retrieved")
        _require_once("arrangements", self.arrangements)

    def _check_mixture(self) -> None:
        for name, share in self.mixture.items():
            require(name in self.arrangements, "mixture", name, "a name in arrangements")
            require(share > 0, f"mixture.{name}", share, "a share above 0")
        total = sum(self.mixture.values())
        is_whole = not self.mixture or abs(total - 1) <= 1e-6
        require(is_whole, "mixture", self.mixture, f"shares that sum to 1, not {total:g}")

    @property
    def absolute_root(self) -> str:
        """Where the tables are, whatever the current folder: a path, a URL or a schema."""
        return absolute_root(self.root)

    @property
    def wikis(self) -> tuple[str, ...]:
        """Languages whose wiki is read: English, then the targets."""
        return ("en", *self.languages)

    @property
    def max_tokens(self) -> int:
        """Longest sample in tokens, ``[SPLIT]`` included."""
        length = self.window.length
        default = min(length, max(LEAST_DEFAULT, length // SEGMENTS_OF_WINDOW))
        return self.segment.max_tokens or default

    def digest(self) -> str:
        """Hash of all settings, 16 hex digits: runs with equal digests make equal tables.

        How the files came is none of them, nor how long old ones are kept.
        """
        values = dataclasses.asdict(self)
        del values["download"], values["maintain"]
        if self.wikipedia.service == SERVICES[0]:  # a key that older configurations don't have
            del values["wikipedia"]["service"]
        return fingerprint(values)


def _require_once(key: str, names: Sequence[str]) -> None:
    require(len(set(names)) == len(names), key, names, "each once")
