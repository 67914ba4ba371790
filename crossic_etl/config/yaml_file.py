"""A YAML file with its overrides, and the line in which each of its values stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from crossic_etl.config.errors import ConfigError, KeyPath, UnfitSettingError, require
from crossic_etl.config.secrets import is_secret, is_secret_name

OVERRIDE = "--set"


@dataclass(frozen=True)
class YamlFile:
    """What a YAML file and its overrides say.

    Attributes:
        path: of the file, as the user gave it.
        tree: the values as plain mappings and lists, overrides included.
        node: the file as PyYAML composed it, with the line of each value.
        overridden: the paths of the values that an override set.
    """

    path: str
    tree: dict[str, Any]
    node: yaml.Node
    overridden: tuple[KeyPath, ...] = ()

    def place_of(self, path: KeyPath) -> str:
        """Where a value stands: ``my.yaml:7``, or ``--set`` where an override set it.

        For a value that stands nowhere it is the nearest key above it, else the file alone.
        """
        if any(path[: len(set_path)] == set_path for set_path in self.overridden):
            return OVERRIDE
        depth, line = _find(self.node, path)
        if depth < len(path) and any(it[: len(path)] == path for it in self.overridden):
            return OVERRIDE
        return self.path if line is None else f"{self.path}:{line}"

    @contextmanager
    def locating(self) -> Iterator[None]:
        """Inside, a `ConfigError` gets the place of its value before its message."""
        try:
            yield
        except ConfigError as error:
            raise error.located(self.place_of(error.path)) from None


def read_yaml(path: str | Path, overrides: Sequence[str] = ()) -> YamlFile:
    """Reads a YAML file; each override is ``key.subkey=value``, its value in YAML.

    Raises:
        ConfigError: unreadable file, no mapping, a key that stands twice, or an override that isn't
            ``key=value``.
    """
    try:
        node, tree = _parse(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            "--config", str(path), f"a readable YAML file ({error.strerror})"
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError("--config", str(path), f"valid YAML ({_problem(error)})") from None
    except DuplicateKeyError as error:
        raise error.located(f"{path}:{error.line}") from None
    if node is None or not isinstance(tree, dict):
        raise ConfigError("--config", str(path), "a YAML mapping of keys")
    try:
        set_paths = tuple([_apply(tree, override) for override in overrides])
    except ConfigError as error:
        raise error if str(error).startswith(OVERRIDE) else error.located(OVERRIDE) from None
    return YamlFile(str(path), tree, node, set_paths)


class DuplicateKeyError(UnfitSettingError):
    """A key that a mapping has twice: YAML would take the last one without a word."""

    def __init__(self, path: KeyPath, first: int, line: int) -> None:
        key = ".".join(map(str, path))
        super().__init__(f"{key}: stands twice, in lines {first} and {line}; expected once", path)
        self.line = line


def _parse(text: str) -> tuple[yaml.Node | None, Any]:
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None, None
        _refuse_duplicates(node, (), set())
        return node, loader.construct_document(node)
    except DuplicateKeyError:
        raise
    except ValueError:  # 2026-13-01; the message may repeat the value
        raise yaml.MarkedYAMLError(problem="a number or date that is none") from None
    finally:
        loader.dispose()


def _refuse_duplicates(node: yaml.Node, path: KeyPath, seen: set[int]) -> None:
    if id(node) in seen:  # an alias
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for i, item in enumerate(node.value):
            _refuse_duplicates(item, (*path, i), seen)
    elif isinstance(node, yaml.MappingNode):
        lines: dict[str, int] = {}
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in lines:
                raise DuplicateKeyError((*path, name), lines[name], line)
            lines[name] = line
            _refuse_duplicates(value, (*path, name), seen)


def _find(node: yaml.Node, path: KeyPath) -> tuple[int, int | None]:
    """How many steps of a path the file has, and the line of the last of them, from 1."""
    depth, line = 0, None
    for step in path:
        if isinstance(node, yaml.MappingNode):
            found = [pair for pair in node.value if pair[0].value == str(step)]
            if not found:
                break
            key, node = found[-1]  # merged ones stand before a mapping's own
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            if step >= len(node.value):
                break
            key = node = node.value[step]
        else:
            break
        depth, line = depth + 1, key.start_mark.line + 1
    return depth, line


def _problem(error: yaml.YAMLError | UnicodeDecodeError) -> str:
    """What is wrong and in which line; not the line itself, which may be no one else's business."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem:
        mark = error.problem_mark
        return f"{error.problem} in line {mark.line + 1}" if mark else str(error.problem)
    if isinstance(error, yaml.reader.ReaderError):
        return f"{error.reason} at character {error.position}"
    return str(error.reason if isinstance(error, UnicodeDecodeError) else type(error).__name__)


def _apply(tree: dict[str, Any], override: str) -> KeyPath:
    """Sets one value in the tree; returns its path."""
    key, equals, value = override.partition("=")
    _require(equals and key, OVERRIDE, override, "key=value")
    *parents, leaf = key.split(".")
    for parent in parents:
        below = tree.setdefault(parent, {})
        expected = f"a key that exists ({parent} has no keys)"
        _require(isinstance(below, dict), key, override, expected)
        tree = below
    try:
        tree[leaf] = _parse(value)[1]
    except yaml.YAMLError:
        _require(False, key, value, "a YAML value")
    return (*parents, leaf)


def _require(fits: object, key: str, given: str, expected: str) -> None:
    """Refuses an override, without repeating it where it may hold a secret."""
    if not fits and (is_secret(given) or is_secret_name(key) or is_secret_name(given)):
        raise UnfitSettingError(f"{key}: expected {expected}; what was given looks like a secret")
    require(fits, key, given, expected)
