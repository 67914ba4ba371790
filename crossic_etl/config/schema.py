"""What the command ``config`` gives: a JSON Schema, a commented file to begin with, and a check.

All of it comes from the classes of settings: keys, types, defaults and lists of names from their
fields, descriptions from the ``Attributes:`` of their docstrings.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import re
import textwrap
import typing
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from crossic_etl.config.errors import one_of
from crossic_etl.config.etl import Config
from crossic_etl.config.fields import OneOf, is_settings
from crossic_etl.config.loading import load
from crossic_etl.config.secrets import ANYWHERE
from crossic_etl.config.training import TrainingConfig
from crossic_etl.config.yaml_file import read_yaml

DIALECT = "https://json-schema.org/draft/2020-12/schema"
# What a new file says for the keys that have no default.
EXAMPLES = {"root": "warehouse/tables", "languages": ["th"]}
_WIDTH = 100
_HEADER = """\
# Configuration of crossic-etl. Each key stands here with its default, behind a # and no space.
# To set one, remove that # and the one before the key of its section. Paths may begin with ~ and
# name environment variables, $NAME or ${NAME}.
"""


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the configuration, for editors to complete and check YAML files by."""
    return _schema(Config, "Configuration of crossic-etl")


def training_json_schema() -> dict[str, Any]:
    """The JSON Schema of the configuration of training."""
    return _schema(TrainingConfig, "Configuration of training on an export of crossic-etl")


def check(path: str | Path, overrides: Sequence[str] = ()) -> Config:
    """Reads a configuration and checks all that can be checked without Spark.

    Args:
        path: a YAML file.
        overrides: ``key.subkey=value`` each.

    Raises:
        ConfigError: with file and line; as `load_config` says, or a value that its part can't use.
    """
    # Tokenizers and encoders are loaded for that, and by nothing else here.
    from crossic_etl.config.checks import check_all

    file = read_yaml(path, overrides)
    config, _ = load(Config, file, ANYWHERE)
    with file.locating():
        check_all(config)
    return config


def template() -> str:
    """A YAML file with every key: those without a default set, all others commented out.

    It loads as it is. A line that begins, after its indent, with ``#`` and no space is a key;
    without that ``#`` the file loads too, and says the same.
    """
    text = "\n".join([_HEADER, *_template_lines(Config, "")])
    return re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n"


def describe(kind: type) -> tuple[str, dict[str, str]]:
    """What a class of settings is, and what each of its keys is, by its docstring."""
    summary, _, listed = _doc(kind).partition("\nAttributes:\n")
    found: dict[str, str] = {}
    for entry in re.split(r"\n(?=    \S)", listed.rstrip()):
        names, _, text = entry.strip().partition(": ")
        text = " ".join(text.split())
        found |= dict.fromkeys(names.split(", "), text[:1].upper() + text[1:])
    return " ".join(summary.split()), found


def _doc(kind: type) -> str:
    return (inspect.getdoc(kind) or "").replace("``", "`")  # Markdown's, which editors show


def _schema(kind: type, title: str) -> dict[str, Any]:
    schema = TypeAdapter(kind).json_schema()
    definitions = schema.get("$defs", {})
    for one in _classes_in(kind):
        _describe_properties(schema if one is kind else definitions[one.__name__], one)
    return {"$schema": DIALECT, **schema, "title": title}


def _describe_properties(node: dict[str, Any], kind: type) -> None:
    summary, texts = describe(kind)
    node["description"] = summary
    for item in dataclasses.fields(kind):
        below = node["properties"][item.name]
        below.pop("title", None)
        below["description"] = texts.get(item.name, "")
        default = _default(item)
        if default is not dataclasses.MISSING and not is_settings(type(default)):
            below["default"] = list(default) if isinstance(default, tuple) else default


def _classes_in(hint: Any) -> Iterator[type]:
    """The classes of settings that a type is made of, each once or more."""
    if is_settings(hint):
        yield hint
        for below in typing.get_type_hints(hint).values():
            yield from _classes_in(below)
    else:
        for below in typing.get_args(hint):
            yield from _classes_in(below)


def _default(item: dataclasses.Field[Any]) -> Any:
    if item.default_factory is not dataclasses.MISSING:
        return item.default_factory()
    return item.default


def _template_lines(kind: type, indent: str) -> Iterator[str]:
    """The keys of a class of settings, those of its sections below them."""
    hints = typing.get_type_hints(kind, include_extras=True)
    _, texts = describe(kind)
    for item in dataclasses.fields(kind):
        hint, default = hints[item.name], _default(item)
        if is_settings(hint):
            yield from ("", *_comment(describe(hint)[0], indent), f"{indent}#{item.name}:")
            yield from (*_template_lines(hint, f"{indent}  "), "")
            continue
        yield from _comment(_text_of(texts[item.name], hint), indent)
        for below in _classes_in(hint):
            yield from _item_lines(below, indent)
        needed = default is dataclasses.MISSING
        value = json.dumps(EXAMPLES[item.name] if needed else default, ensure_ascii=False)
        yield f"{indent}{'' if needed else '#'}{item.name}: {value}"


def _item_lines(kind: type, indent: str) -> Iterator[str]:
    """What the items of a list of settings have, as comments."""
    hints = typing.get_type_hints(kind, include_extras=True)
    for name, text in describe(kind)[1].items():
        yield from _comment(f"- {name}: {_text_of(text, hints[name])}", f"{indent}", "    ")


def _text_of(text: str, hint: Any) -> str:
    """A key's description; with the names that it may be, where the text doesn't say them all."""
    marks = getattr(hint, "__metadata__", ())
    names = next((mark.names for mark in marks if isinstance(mark, OneOf)), ())
    if all(name in text for name in names):
        return text
    return f"{text} One of {one_of(names)}."


def _comment(text: str, indent: str, hanging: str = "") -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# {hanging}",
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
