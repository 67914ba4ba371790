"""Refuses secrets in a configuration, without ever repeating their values."""

from __future__ import annotations

import dataclasses
import re
import typing
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from crossic_etl.config.errors import KeyPath, UnfitSettingError

SECRET_WORDS = {
    "token", "password", "passwd", "passphrase", "secret", "key", "apikey", "credential",
    "credentials",
}  # fmt: skip
# Variables under this key name where a secret is, not what it is.
REFERENCES = "submit.secrets"
REFERENCE = re.compile(r"environment|[a-z0-9][A-Za-z0-9_.-]*/[A-Za-z0-9_.-]+")
# Forms of access tokens that services document, names of secrets that are set in a line of shell or
# in an address to something other than a variable or a command's output (in a path such a name is
# that of a partition), and passwords in addresses.
SECRET_VALUES = (
    re.compile(r"\b(hf_[A-Za-z0-9]{20,}|dapi[0-9a-f]{32}|gh[pousr]_[A-Za-z0-9]{30,}|AKIA[A-Z0-9]{16})"),
    re.compile(
        r"""(?i)(?:^|[^\w./-])[\w.-]*(token|password|passwd|secret|apikey|[_-]key|signature)"""
        r"""\s*=\s*["']?[^\s"'${]"""
    ),
    re.compile(r"[?&]sig="),
    re.compile(r"\w://[^/\s:@]*:[^/\s@]+@"),
)  # fmt: skip
SUBMISSION = f"name it under {REFERENCES}, where its value isn't written"
ANYWHERE = "it belongs in the environment, in Spark's settings or in ~/.netrc, where it isn't shown"


def refuse_secrets(
    tree: Mapping[str, Any], known: Collection[str], instead: str = SUBMISSION
) -> None:
    """Checks every key and value of a configuration, before anything else reads it.

    Args:
        tree: the configuration as plain mappings and lists.
        known: dotted names of its legal keys, which may sound like a secret (``split_token``).
        instead: what to do, for the message.

    Raises:
        UnfitSettingError: naming the key alone.
    """
    for path, value in _values(tree, ()):
        key = ".".join(step for step in path if isinstance(step, str))
        parent, _, name = key.rpartition(".")
        if parent == REFERENCES:
            if not (isinstance(value, str) and REFERENCE.fullmatch(value)):
                expected = "'environment', or the name/entry of a secret of the platform"
                raise UnfitSettingError(f"{key}: expected {expected}", path)
        elif (key not in known and is_secret_name(name)) or is_secret(value):
            raise UnfitSettingError(f"{key}: looks like a secret; {instead}", path)


def known_keys(kind: type, prefix: str = "") -> Iterator[str]:
    """The dotted names of a config dataclass's keys."""
    hints = typing.get_type_hints(kind)
    for item in dataclasses.fields(kind):
        yield f"{prefix}{item.name}"
        if dataclasses.is_dataclass(hints[item.name]):
            yield from known_keys(typing.cast(type, hints[item.name]), f"{prefix}{item.name}.")


def _values(tree: Any, path: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    """Every value with its path, those that hold further values included."""
    if isinstance(tree, Mapping):
        steps: list[tuple[str | int, Any]] = [(str(key), value) for key, value in tree.items()]
    else:
        steps = list(enumerate(tree)) if isinstance(tree, list) else []
    for step, value in steps:
        yield (*path, step), value
        yield from _values(value, (*path, step))


def is_secret_name(name: str) -> bool:
    """Whether a key or a variable has a name that secrets have, such as ``HF_TOKEN``."""
    words = re.split(r"[^a-z0-9]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower())
    return not SECRET_WORDS.isdisjoint(words)


def is_secret(value: object) -> bool:
    """Whether a value is a text with what looks like a secret in it."""
    return isinstance(value, str) and any(form.search(value) for form in SECRET_VALUES)
