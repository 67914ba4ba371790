"""Reads a YAML file with its overrides into a class of settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from crossic_etl.config.etl import Config
from crossic_etl.config.explain import explain
from crossic_etl.config.fields import section_of
from crossic_etl.config.paths import expand_paths
from crossic_etl.config.secrets import ANYWHERE, SUBMISSION, known_keys, refuse_secrets
from crossic_etl.config.yaml_file import YamlFile, read_yaml

T = TypeVar("T")


def load_config(path: str | Path, overrides: Sequence[str] = ()) -> Config:
    """Reads the YAML file at ``path``; each override is ``key.subkey=value``, its value in YAML.

    Paths in it may begin with ``~`` and name environment variables, ``$NAME`` or ``${NAME}``.

    Raises:
        ConfigError: with file and line. An unknown key, a value of a wrong type or outside its
            range, a variable that isn't set, or an unreadable file; or a secret, since settings are
            printed and stand in ``runs``. Of several the first is named.
    """
    return load(Config, read_yaml(path, overrides), ANYWHERE)[0]


def read_tree(path: str | Path, overrides: Sequence[str] = ()) -> dict[str, Any]:
    """The mapping in the YAML file at ``path``, with its overrides, as it stands there.

    Raises:
        ConfigError: as `read_yaml` says.
    """
    return read_yaml(path, overrides).tree


def load(kind: type[T], file: YamlFile, instead: str = SUBMISSION) -> tuple[T, dict[str, Any]]:
    """Settings of a YAML file, and the tree that they were built of, its paths expanded.

    Args:
        kind: a class of settings.
        file: what was read.
        instead: where a secret belongs, for the message.

    Raises:
        ConfigError: with file and line; as `load_config` says.
    """
    known = set(known_keys(kind))
    with file.locating():
        refuse_secrets(file.tree, known, instead)
        tree = expand_paths(kind, file.tree)
        refuse_secrets(tree, known, instead)  # of the environment's
        return build(kind, tree), tree


def build(kind: type[T], tree: Mapping[str, Any]) -> T:
    """Builds a class of settings from plain mappings and lists.

    Raises:
        ConfigError: naming the dotted key, the value and what was expected. Of several errors the
            first: an unknown key, else a missing one, else a wrong value.
    """
    try:
        built: T = TypeAdapter(kind).validate_python(tree)
    except ValidationError as error:
        raise explain(kind, section_of(kind), tree, error) from None
    return built
