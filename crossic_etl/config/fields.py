"""Types of settings, and the decorator that makes a class of settings of a plain class.

A class of settings is a frozen pydantic dataclass. It checks the types of its values wherever it is
built, from a YAML file or in Python, and raises `ConfigError`, never an error of pydantic's own.
Only API that pydantic 2.10 has is used (see ``setup.cfg``).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, TypeVar, cast

import pydantic.dataclasses
from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    Strict,
    StrictBool,
    StrictFloat,
    StrictInt,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema
from typing_extensions import dataclass_transform

from crossic_etl.config.errors import one_of
from crossic_etl.config.explain import ONE_OF, explain
from crossic_etl.kernels.wiki_facts import canonical_code

T = TypeVar("T")


class IsPath:
    """Marks text that is a path: variables and ``~`` in it are expanded when a file is loaded."""


@dataclass(frozen=True)
class OneOf:
    """Marks text that must be one of some names."""

    names: tuple[str, ...]

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """The text's own schema, then `check`."""
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """The names, for editors to complete."""
        return {"enum": list(self.names)}

    def check(self, value: str) -> str:
        """Refuses any other name, by an error that `explain` puts into words."""
        if value not in self.names:
            raise PydanticCustomError(ONE_OF, "{expected}", {"expected": one_of(self.names)})
        return value


def _number_as_text(value: object) -> object:
    return str(value) if type(value) is int else value  # YAML reads 20260101 as a number


def _is_64_bit(value: int) -> int:
    """Refuses what Java's long doesn't hold: Spark would fail on it hours later."""
    if not -(2**63) <= value < 2**63:
        raise PydanticCustomError(ONE_OF, "{expected}", {"expected": "a whole number of 64 bits"})
    return value


def _is_finite(value: float) -> float:
    """Refuses YAML's .nan, which no comparison refuses, and .inf."""
    if not math.isfinite(value):
        raise PydanticCustomError(ONE_OF, "{expected}", {"expected": "a finite number"})
    return value


def _list_as_tuple(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


Text = Annotated[
    str, Strict(), BeforeValidator(_number_as_text), WithJsonSchema({"type": ["string", "integer"]})
]
PathText = Annotated[Text, IsPath()]
Language = Annotated[Text, AfterValidator(canonical_code)]
"""The code of a Wikipedia; any form of it becomes the canonical one."""
Whole = Annotated[StrictInt, AfterValidator(_is_64_bit)]
Number = Annotated[StrictFloat, AfterValidator(_is_finite)]
Flag = StrictBool
Items = Annotated[tuple[T, ...], Strict(), BeforeValidator(_list_as_tuple)]

_CONFIG = ConfigDict(extra="forbid")
_SECTION = "__section__"


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def settings(section: str = "") -> Callable[[type[T]], type[T]]:
    """Makes a class of settings; ``section`` is the dotted key under which it stands.

    The class is frozen, takes its values by name or by position, and raises `ConfigError` for a
    missing, unknown or wrong one.
    """

    def decorate(kind: type[T]) -> type[T]:
        made: Any = pydantic.dataclasses.dataclass(frozen=True, config=_CONFIG)(kind)
        names = [item.name for item in fields(made)]
        init = made.__init__

        @functools.wraps(init)
        def checked(self: T, *values: Any, **named: Any) -> None:
            try:
                init(self, *values, **named)
            except ValidationError as error:
                given = dict(zip(names, values, strict=False)) | named
                raise explain(made, section, given, error) from None

        made.__init__ = checked
        setattr(made, _SECTION, section)
        return cast("type[T]", made)

    return decorate


def section_of(kind: type) -> str:
    """The dotted key under which a class of settings stands; empty for a whole configuration."""
    section: str = getattr(kind, _SECTION)
    return section


def is_settings(hint: Any) -> bool:
    """Whether a type is a class of settings."""
    return isinstance(hint, type) and hasattr(hint, _SECTION)
