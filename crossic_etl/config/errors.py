"""Errors of a configuration, in the words that its user needs."""

from __future__ import annotations

from collections.abc import Sequence

KeyPath = tuple[str | int, ...]
"""Where a value stands in a configuration: names of keys, and numbers of items in lists."""


class ConfigError(ValueError):
    """A configuration that can't be run. The message names the key, its value and what is expected.

    Attributes:
        path: where the value stands in the configuration.
    """

    def __init__(self, key: str, value: object, expected: str, path: KeyPath | None = None) -> None:
        super().__init__(f"{key}: {value!r} given, expected {expected}")
        self.path = tuple(key.split(".")) if path is None else path

    def located(self, place: str) -> ConfigError:
        """The same error, with the place of the value before its message."""
        return UnfitSettingError(f"{place}: {self}", self.path)


class UnfitSettingError(ConfigError):
    """A configuration error whose message is complete: it isn't made of key and value."""

    def __init__(self, message: str, path: KeyPath | None = None) -> None:
        ValueError.__init__(self, message)
        self.path = tuple(message.partition(":")[0].split(".")) if path is None else path


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
