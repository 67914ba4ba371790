"""Paths in a configuration: environment variables and ``~`` are expanded."""

from __future__ import annotations

import dataclasses
import os
import re
import typing
from collections.abc import Callable, Mapping
from typing import Any

from crossic_etl.config.errors import ConfigError, KeyPath, UnfitSettingError
from crossic_etl.config.fields import IsPath
from crossic_etl.config.secrets import is_secret_name

_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})", re.ASCII)
_HOME = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:/*)?~")

Replace = Callable[[str, KeyPath], str]


def expand_paths(kind: type, tree: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration's tree with the paths in it expanded; the tree itself isn't changed.

    Only what was read from a file or given with ``--set`` is expanded. Values that Python code
    builds a configuration of are taken as they are: there the code can expand them.

    Args:
        kind: the class of settings that the tree is for: its types say what is a path.
        tree: plain mappings and lists.

    Raises:
        ConfigError: a variable that isn't set, another ``$``, or a ``~`` of nobody's home.
    """
    expanded: dict[str, Any] = _replace(kind, tree, (), expand)
    return expanded


def _replace(hint: Any, value: Any, path: KeyPath, replace: Replace) -> Any:
    if typing.get_origin(hint) is typing.Annotated:
        base, *marks = typing.get_args(hint)
        if isinstance(value, str) and any(isinstance(mark, IsPath) for mark in marks):
            return replace(value, path)
        return _replace(base, value, path, replace)
    if dataclasses.is_dataclass(hint) and isinstance(value, Mapping):
        hints = typing.get_type_hints(hint, include_extras=True)
        return {
            name: _replace(hints[name], item, (*path, name), replace) if name in hints else item
            for name, item in value.items()
        }
    if typing.get_origin(hint) is tuple and isinstance(value, list):
        of = typing.get_args(hint)[0]
        return [_replace(of, item, (*path, i), replace) for i, item in enumerate(value)]
    if typing.get_origin(hint) is dict and isinstance(value, Mapping):
        of = typing.get_args(hint)[1]
        return {name: _replace(of, item, (*path, name), replace) for name, item in value.items()}
    return value


def expand(text: str, path: KeyPath = ()) -> str:
    """One path with its variables (``$NAME``, ``${NAME}``) and a leading ``~`` expanded.

    Args:
        text: the path.
        path: where it stands in the configuration, for the message.

    Raises:
        ConfigError: a variable that isn't set or is empty or has the name of a secret; another
            ``$``; or a ``~`` of nobody's home.
    """
    key = ".".join(part for part in path if isinstance(part, str))

    def value_of(found: re.Match[str]) -> str:
        name = found[1] or found[2]
        if is_secret_name(name):
            raise UnfitSettingError(f"{key}: ${name} looks like a secret, and is no path", path)
        if not os.environ.get(name):
            raise ConfigError(key, text, f"a path, but the variable {name} isn't set", path)
        return os.environ[name]

    # A Path would make one slash of the two in a URL.
    expanded = os.path.expanduser(_VARIABLE.sub(value_of, text))  # noqa: PTH111
    if "$" in _VARIABLE.sub("", text):
        raise ConfigError(key, text, "a path; a $ begins $NAME or ${NAME} of a variable", path)
    if _HOME.match(expanded):
        raise ConfigError(key, text, "a path; ~ begins ~/ or the ~name of a user with a home", path)
    return expanded
