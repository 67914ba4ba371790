"""Errors of pydantic in the words of ours: key, value, and what was expected."""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from crossic_etl.config.errors import ConfigError, KeyPath, UnfitSettingError

if typing.TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

ONE_OF = "one_of"
"""The type of `fields.OneOf`'s error."""
UNKNOWN = ("unexpected_keyword_argument", "invalid_key")
MISSING = "missing"
_FIRST = {**dict.fromkeys(UNKNOWN, 0), MISSING: 1}


@dataclass(frozen=True)
class _Place:
    """A value in a configuration: its key, its path, its type, and the value itself."""

    key: str
    path: KeyPath
    hint: Any
    value: Any


def explain(
    kind: type, section: str, given: Mapping[str, Any], error: ValidationError
) -> ConfigError:
    """The first of pydantic's errors: an unknown key, else a missing one, else a wrong value.

    Args:
        kind: the class of settings that was built.
        section: the dotted key under which it stands.
        given: its values by name.
        error: why it could not be built.
    """
    details = error.errors(include_url=False)
    first = min(details, key=lambda item: _FIRST.get(item["type"], 2))
    return _explain(_Place(section, (), kind, given), first)


def _explain(root: _Place, item: ErrorDetails) -> ConfigError:
    *parents, last = item["loc"] or ("",)
    if item["type"] in UNKNOWN:
        name = item["input"] if item["type"] == "invalid_key" else last
        return _unknown(_walk(root, parents), str(name))
    if item["type"] == MISSING:
        parent = _walk(root, parents)
        key = _below(parent.key, str(last))
        return UnfitSettingError(f"{key} is missing, and has no default", parent.path)
    if item["type"] == "unexpected_positional_argument":
        n_fields = len(dataclasses.fields(root.hint))
        return UnfitSettingError(f"{root.hint.__name__} has {n_fields} settings; more were given")
    place = _walk(root, item["loc"])
    cause = item.get("ctx", {}).get("error")
    if isinstance(cause, ConfigError):
        return _moved(cause, place)
    return _wrong(place, item)


def _wrong(place: _Place, item: ErrorDetails) -> ConfigError:
    is_union = _is_union(_bare(place.hint)) and _is_choice(place.hint)
    value = place.value if is_union else item["input"]
    if item["type"] == ONE_OF and not is_union:
        expected = str(item["ctx"]["expected"])
    elif item["type"] == "multiple_argument_values":
        expected = "it once"
    elif type(value) is bool and not is_union and words(place.hint).startswith("text"):
        expected = "text: YAML takes it for true or false without quotes"  # no, off, on, yes
    else:
        expected = words(place.hint)
    return ConfigError(place.key, value, expected, place.path)


def _moved(cause: ConfigError, place: _Place) -> ConfigError:
    """An error of a class's own checks, with its path from the whole configuration's top."""
    section = place.key.split(".") if place.key else []
    inside = cause.path[len(section) :] if list(cause.path[: len(section)]) == section else ()
    cause.path = (*place.path, *inside)
    return cause


def _unknown(parent: _Place, name: str) -> ConfigError:
    names = sorted(item.name for item in dataclasses.fields(parent.hint))
    message = f"{_below(parent.key, name)}: {_no_such_key(name, names)}"
    return UnfitSettingError(message, (*parent.path, name))


def _no_such_key(name: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1)
    meant = f"did you mean {near[0]}? There" if near else "there"
    return f"there is no such key; {meant} are {', '.join(names)}"


def _below(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


def _walk(place: _Place, steps: Iterable[str | int]) -> _Place:
    """The value at pydantic's location: where types have a choice, that of the whole choice."""
    for step in steps:
        hint = _bare(place.hint)
        if dataclasses.is_dataclass(hint):
            names = [item.name for item in dataclasses.fields(hint)]
            name = names[step] if isinstance(step, int) else step
            below = typing.get_type_hints(hint, include_extras=True)[name]
            key, path = _below(place.key, name), (*place.path, name)
            place = _Place(key, path, below, _item(place.value, name))
        elif typing.get_origin(hint) is tuple:
            below = typing.get_args(hint)[0]
            place = _Place(place.key, (*place.path, step), below, _item(place.value, step))
        elif typing.get_origin(hint) is dict and step != "[key]":
            below = typing.get_args(hint)[1]
            place = _Place(place.key, (*place.path, step), below, _item(place.value, step))
        else:
            break
    return place


def _item(values: Any, step: str | int) -> Any:
    try:
        return values[step]
    except (LookupError, TypeError):
        return None


def _bare(hint: Any) -> Any:
    while typing.get_origin(hint) is typing.Annotated:
        hint = typing.get_args(hint)[0]
    return hint


def _is_union(hint: Any) -> bool:
    return typing.get_origin(hint) in (typing.Union, types.UnionType)


def _is_choice(hint: Any) -> bool:
    return sum(option is not types.NoneType for option in typing.get_args(_bare(hint))) > 1


def words(hint: Any) -> str:
    """What a value of a type is called in messages."""
    hint = _bare(hint)
    if _is_union(hint):
        return " or ".join(map(words, typing.get_args(hint)))
    if dataclasses.is_dataclass(hint):
        return "a mapping of keys"
    if typing.get_origin(hint) is tuple:
        return "a list"
    if typing.get_origin(hint) is dict:
        return f"a mapping of names to {words(typing.get_args(hint)[1]).removeprefix('a ')}"
    plain = {
        str: "text", int: "a whole number", float: "a number", bool: "true or false",
        types.NoneType: "null",
    }  # fmt: skip
    return plain.get(hint, str(hint))
