"""The manifest of an export. Needs the standard library only: training and submit read it.

An export is a folder of token windows with ``manifest.json``. The manifest describes the windows,
and has size and checksum of every file. Schema version 1; readers ignore keys that they don't know.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from crossic_etl.kernels.samples.shares import SampleShares

FORMAT = "crossic-etl export"
SCHEMA_VERSION = 1
MANIFEST = "manifest.json"
LAYOUTS = ("parquet", "mds", "flat")
TOKEN_TYPES = ("int32", "uint16")


class ExportError(ValueError):
    """An export doesn't fit its manifest."""


class ManifestError(ExportError):
    """A manifest is missing, is no manifest of this format, or doesn't fit the files beside it."""


@dataclass(frozen=True)
class ExportFile:
    """One file; ``path`` is relative to the export. Files beside the shards have no windows."""

    path: str
    windows: int
    tokens: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Split:
    """Training or validation part: ``tokens`` = ``new_tokens`` + ``repeated_tokens``.

    ``samples`` are distinct, and none is in both parts.
    """

    windows: int
    tokens: int
    new_tokens: int
    repeated_tokens: int
    samples: int
    files: tuple[ExportFile, ...]


@dataclass(frozen=True)
class TokenizerInfo:
    """The tokenizer of the ids. All ids are below ``vocabulary_size``, a new split token's too."""

    name: str
    vocabulary_size: int
    split_token: str
    split_ids: tuple[int, ...]
    is_new_token: bool


@dataclass(frozen=True)
class WindowInfo:
    """Windows have at most ``length`` tokens; shorter ones are not padded."""

    length: int
    policy: str


@dataclass(frozen=True)
class Manifest:
    """The content of ``manifest.json``.

    Attributes:
        layout: ``parquet``, ``mds`` (MosaicML streaming) or ``flat`` (memory-mapped).
        languages: target languages, sorted.
        seed: of the windows' order.
        licences: SPDX identifier to the number of distinct samples under it.
        token_sum: sum of all ids of each split, a check for readers.
        tables: Delta versions of the tables that were read.
        config_hash: fingerprint of the configuration.
        created: ISO 8601, UTC.
        token_type: of ``flat``'s tokens, ``int32`` or ``uint16``, little-endian.
        token_budget: new training tokens that were asked for; None means all.
        generation: of the windows; None means all.
        attribution: files that name the sources of each sample, as CC BY-SA requires.
        arrangements: arrangement to the shares of its distinct samples in the export; a mixture
            has several. Empty if an older version made the export.
    """

    layout: str
    arrangement: str
    languages: tuple[str, ...]
    tokenizer: TokenizerInfo
    window: WindowInfo
    seed: int
    splits: dict[str, Split]
    licences: dict[str, int]
    token_sum: dict[str, int]
    tables: dict[str, int]
    config_hash: str
    code_version: str
    created: str
    token_type: str = "int32"
    token_budget: int | None = None
    generation: int | None = None
    attribution: tuple[ExportFile, ...] = field(default=())
    arrangements: dict[str, SampleShares] = field(default_factory=dict)

    @property
    def files(self) -> Iterable[ExportFile]:
        """Every file of the export except the manifest."""
        for split in self.splits.values():
            yield from split.files
        yield from self.attribution


def to_json(manifest: Manifest) -> str:
    """The text of ``manifest.json``."""
    head = {"format": FORMAT, "schema_version": SCHEMA_VERSION}
    text = json.dumps(head | dataclasses.asdict(manifest), indent=1, ensure_ascii=False)
    return text + "\n"


def read_manifest(folder: str | Path) -> Manifest:
    """The manifest of the export in ``folder``.

    Raises:
        ManifestError: there is none, or none of this schema version.
    """
    path = Path(folder) / MANIFEST
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ManifestError(f"{folder}: no export, no {MANIFEST} ({error.strerror})") from None
    except UnicodeDecodeError:
        raise ManifestError(f"{path}: not UTF-8") from None
    return parse_manifest(text, str(path))


def parse_manifest(text: str, where: str = MANIFEST) -> Manifest:
    """Parses the text of a manifest; error messages begin with ``where``.

    Raises:
        ManifestError: it isn't JSON, of another format or version, or a key is missing or wrong.
    """
    try:
        tree = json.loads(text)
    except ValueError as error:
        raise ManifestError(f"{where}: no JSON ({error})") from None
    if not isinstance(tree, dict) or tree.get("format") != FORMAT:
        raise ManifestError(f"{where}: not the manifest of a {FORMAT}")
    if tree.get("schema_version") != SCHEMA_VERSION:
        version = tree.get("schema_version")
        raise ManifestError(f"{where}: schema version {version!r}, {SCHEMA_VERSION} expected")
    manifest: Manifest = _convert(Manifest, tree, where)
    if manifest.layout not in LAYOUTS:
        raise ManifestError(f"{where}: layout {manifest.layout!r}, one of {LAYOUTS} expected")
    # Another type would have a file's bytes taken for something else, such as pointers.
    if manifest.token_type not in TOKEN_TYPES:
        kind = manifest.token_type
        raise ManifestError(f"{where}: token_type {kind!r}, one of {TOKEN_TYPES} expected")
    for file in manifest.files:
        path = PurePosixPath(file.path)
        if path.is_absolute() or ".." in path.parts:
            raise ManifestError(f"{where}: {file.path!r} is outside the export")
    return manifest


def _convert(hint: Any, value: Any, key: str) -> Any:
    """A value of JSON as the type ``hint``."""
    arguments = typing.get_args(hint)
    origin = typing.get_origin(hint) or hint
    if dataclasses.is_dataclass(hint) and isinstance(value, dict):
        return _build(typing.cast(type, hint), value, key)
    if origin is tuple and isinstance(value, list):
        return tuple(_convert(arguments[0], item, f"{key}[{i}]") for i, item in enumerate(value))
    if origin is dict and isinstance(value, dict):
        return {name: _convert(arguments[1], item, f"{key}.{name}") for name, item in value.items()}
    is_union = origin in (types.UnionType, typing.Union)
    if type(value) in (arguments if is_union else (hint,)):
        return value
    expected = getattr(origin, "__name__", str(hint)) if not arguments else str(hint)
    raise ManifestError(f"{key}: {str(value)[:50]!r} given, expected {expected}")


def _build(kind: type, tree: Mapping[str, Any], key: str) -> Any:
    hints, given = typing.get_type_hints(kind), {}
    for item in dataclasses.fields(kind):
        if item.name in tree:
            given[item.name] = _convert(hints[item.name], tree[item.name], f"{key}: {item.name}")
        elif item.default is item.default_factory is dataclasses.MISSING:
            raise ManifestError(f"{key}: {item.name} is missing")
    return kind(**given)


def check_files(folder: str | Path, files: Iterable[ExportFile], checksums: bool = True) -> None:
    """Checks that each file exists and has the manifest's size and, if asked, its checksum.

    Raises:
        ManifestError: names the first file that doesn't.
    """
    for file in files:
        path = Path(folder) / file.path
        try:
            size = path.stat().st_size
        except OSError:
            raise ManifestError(f"{path}: missing") from None
        if size != file.bytes:
            raise ManifestError(f"{path}: {size} bytes, {file.bytes} in the manifest")
        if checksums and _sha256(path) != file.sha256:
            raise ManifestError(f"{path}: its SHA-256 isn't the manifest's: the file is damaged")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()
