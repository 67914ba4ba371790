"""Errors of a configuration, in the words that its user needs."""

from __future__ import annotations

from collections.abc import Sequence


class ConfigError(ValueError):
    """A configuration that can't be run: says which key, its value, and what was expected."""

    def __init__(self, key: str, value: object, expected: str) -> None:
        super().__init__(f"{key}: {value!r} given, expected {expected}")


class UnfitSettingError(ConfigError):
    """A setting that only the part that uses it can judge, in that part's own words."""

    def __init__(self, message: str) -> None:
        ValueError.__init__(self, message)


def require(fits: object, key: str, value: object, expected: str) -> None:
    """Refuses a value.

    Raises:
        ConfigError: where ``fits`` is false.
    """
    if not fits:
        raise ConfigError(key, value, expected)


def one_of(names: Sequence[str]) -> str:
    """'a, b or c', for messages."""
    return " or ".join([", ".join(names[:-1]), names[-1]])
