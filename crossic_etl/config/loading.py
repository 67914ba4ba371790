"""Reads a YAML file with its overrides into configuration dataclasses."""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from crossic_etl.config import Config
from crossic_etl.config.errors import ConfigError, UnfitSettingError, require
from crossic_etl.config.secrets import ANYWHERE, known_keys, refuse_secrets


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
