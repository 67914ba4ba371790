"""Configuration: one YAML file, read into frozen dataclasses and checked before Spark starts."""

from __future__ import annotations

import dataclasses
import difflib
import hashlib
import json
import re
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from crossic_etl.config_crawl import Crawl, Encoder, Neighbours, Retrieved
from crossic_etl.config_download import Download
from crossic_etl.config_errors import ConfigError, UnfitSettingError, one_of, require
from crossic_etl.config_maintain import Maintain
from crossic_etl.secret_keys import ANYWHERE, known_keys, refuse_secrets

__all__ = ["Config", "ConfigError", "UnfitSettingError", "load_config"]

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


def load_config(path: str | Path, overrides: Sequence[str] = ()) -> Config:
    """Reads the YAML file at ``path``; each override is ``key.subkey=value``, its value in YAML.

    Raises:
        ConfigError: unknown key, value of a wrong type or outside its range, or unreadable file; or
            a secret, since settings are printed and stand in ``runs``.
    """
    tree = read_tree(path, overrides)
    refuse_secrets(tree, set(known_keys(Config)), ANYWHERE)
    return build(Config, tree)


def read_tree(path: str | Path, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """The mapping in the YAML file at ``path``, with its overrides.

    Raises:
        ConfigError: unreadable file, no mapping, or an override that isn't ``key=value``.
    """
    try:
        tree = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            "--config", str(path), f"a readable YAML file ({error.strerror})"
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError("--config", str(path), f"valid YAML ({_problem(error)})") from None
    require(isinstance(tree, dict), "--config", str(path), "a YAML mapping of keys")
    for override in overrides:
        _apply(tree, override)
    return typing.cast("dict[str, Any]", tree)


def _problem(error: yaml.YAMLError | UnicodeDecodeError) -> str:
    """What is wrong and in which line; not the line itself, which may be no one else's business."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return f"{error.problem} in line {error.problem_mark.line + 1}"
    if isinstance(error, yaml.reader.ReaderError):
        return f"{error.reason} at character {error.position}"
    return str(error.reason if isinstance(error, UnicodeDecodeError) else type(error).__name__)


def _apply(tree: dict[str, Any], override: str) -> None:
    key, equals, value = override.partition("=")
    require(equals and key, "--set", override, "key=value")
    *parents, leaf = key.split(".")
    for parent in parents:
        below = tree.setdefault(parent, {})
        require(isinstance(below, dict), key, override, f"a key that exists ({parent} has no keys)")
        tree = below
    try:
        tree[leaf] = yaml.safe_load(value)
    except yaml.YAMLError:
        raise ConfigError(key, value, "a YAML value") from None


def _no_such_key(key: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(key, names, n=1)
    meant = f"did you mean {near[0]}? There" if near else "there"
    return f"there is no such key; {meant} are {', '.join(names)}"


T = typing.TypeVar("T")


def build(kind: type[T], tree: Mapping[str, Any], prefix: str = "") -> T:
    """Builds a config dataclass from plain mappings.

    Raises:
        ConfigError: naming the dotted key, the value and what was expected.
    """
    hints = typing.get_type_hints(kind)
    names = {item.name: item for item in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for key in tree:
        if key not in names:
            raise UnfitSettingError(f"{prefix}{key}: {_no_such_key(str(key), sorted(names))}")
    for name, item in names.items():
        needed = item.default is dataclasses.MISSING and item.default_factory is dataclasses.MISSING
        if needed and name not in tree:
            raise UnfitSettingError(f"{prefix}{name} is missing, and has no default")
    return kind(
        **{key: _convert(hints[key], value, f"{prefix}{key}") for key, value in tree.items()}
    )


def _convert(hint: Any, value: Any, key: str) -> Any:
    if dataclasses.is_dataclass(hint):
        require(isinstance(value, dict), key, value, "a mapping of keys")
        return build(typing.cast(type, hint), value, f"{key}.")
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        for option in typing.get_args(hint):
            try:
                return _convert(option, value, key)
            except ConfigError:
                continue
        raise ConfigError(key, value, " or ".join(map(_words, typing.get_args(hint))))
    if typing.get_origin(hint) is tuple:
        require(isinstance(value, list), key, value, "a list")
        of = typing.get_args(hint)[0]
        return tuple(_convert(of, item, key) for item in value)
    if typing.get_origin(hint) is dict:
        require(isinstance(value, dict), key, value, _words(hint))
        of = typing.get_args(hint)[1]
        return {_convert(str, name, key): _convert(of, item, key) for name, item in value.items()}
    if hint is float and type(value) is int:
        return float(value)
    if hint is str and type(value) is int:
        return str(value)  # YAML reads 20260101 as a number
    if hint is str and type(value) is bool:  # no, off, on, yes
        raise ConfigError(key, value, "text: YAML takes it for true or false without quotes")
    require(type(value) is hint, key, value, _words(hint))
    return value


def _words(hint: Any) -> str:
    if typing.get_origin(hint) is dict:
        return f"a mapping of names to {_words(typing.get_args(hint)[1]).removeprefix('a ')}"
    words = {
        str: "text", int: "a whole number", float: "a number", bool: "true or false",
        types.NoneType: "null",
    }  # fmt: skip
    return words.get(hint, str(hint))
