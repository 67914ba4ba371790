"""The JSON Schema, the commented file and the check that the command ``config`` gives."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from crossic_etl.config import Config, ConfigError, load_config
from crossic_etl.config.schema import (
    check,
    describe,
    json_schema,
    template,
    training_json_schema,
)
from crossic_etl.config.secrets import known_keys
from crossic_etl.config.submit import Slurm, Submit
from crossic_etl.config.training import TrainingConfig

SAMPLE = Path(__file__).resolve().parents[2] / "crossic_etl" / "sample" / "config.yaml"


def uncommented(text: str) -> str:
    return re.sub(r"(?m)^( *)#(?! )", r"\1", text)


def keys_of(tree: dict[str, Any], prefix: str = "") -> set[str]:
    """The dotted names of all keys, those in the items of lists left out."""
    found = set()
    for name, value in tree.items():
        found.add(f"{prefix}{name}")
        if isinstance(value, dict):
            found |= keys_of(value, f"{prefix}{name}.")
    return found


def property_of(schema: dict[str, Any], key: str) -> dict[str, Any]:
    """The schema of a dotted key."""
    found = schema
    for name in key.split("."):
        found = found["properties"][name]
        if "$ref" in found:
            found = schema["$defs"][found["$ref"].rpartition("/")[2]]
    return found


@pytest.mark.parametrize(
    ("kind", "schema"), [(Config, json_schema()), (TrainingConfig, training_json_schema())]
)
def test_every_key_has_a_type_and_a_description(kind: type, schema: dict[str, Any]) -> None:
    for key in known_keys(kind):
        found = property_of(schema, key)
        assert found["description"], key
        assert {"type", "enum", "anyOf"} & found.keys(), key
        assert found.get("additionalProperties") is not True


def test_names_and_defaults_are_in_the_schema() -> None:
    schema = json_schema()
    assert property_of(schema, "window.policy")["enum"] == ["sliding", "padded", "best-fit"]
    assert property_of(schema, "window.policy")["default"] == "sliding"
    assert property_of(schema, "window.order")["enum"] == ["documents", "shuffled"]
    assert property_of(schema, "window.languages")["default"] == "mixed"
    assert property_of(schema, "arrangements")["items"]["enum"][:2] == ["en-first", "target-first"]
    assert property_of(schema, "arrangements")["default"] == ["en-first"]
    assert property_of(schema, "encoder.dtype")["enum"] == ["float32", "float16", "bfloat16"]
    assert schema["required"] == ["root", "languages"]
    training = training_json_schema()
    assert property_of(training, "attention")["enum"] == ["whole", "blocked"]
    assert property_of(training, "submit.slurm.options")["default"] == []


def test_editors_are_told_what_the_sample_may_say_and_what_not() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(json_schema())
    sample = yaml.safe_load(SAMPLE.read_text(encoding="utf-8"))
    assert not list(validator.iter_errors(sample))
    for change in (
        {"window": {"policy": "best_fit"}}, {"windows": {}}, {"seed": "a"},
        {"crawl": {"sources": [{"format": "wet"}]}},
    ):  # fmt: skip
        assert list(validator.iter_errors(sample | change)), change


def test_the_template_loads_and_says_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    for text in (template(), uncommented(template())):
        path.write_text(text, encoding="utf-8")
        assert load_config(path) == Config("warehouse/tables", ("th",))


def test_the_template_has_every_key() -> None:
    assert keys_of(yaml.safe_load(uncommented(template()))) == set(known_keys(Config))
    assert keys_of(yaml.safe_load(template())) == {"root", "languages"}


def test_the_template_says_what_the_items_of_lists_have() -> None:
    assert "  # - format: `parquet`, `jsonl` (plain, .gz, .zst) or `wet` (.warc.wet.gz)." in (
        template().splitlines()
    )


def test_descriptions_are_those_of_the_docstring() -> None:
    summary, texts = describe(Slurm)
    assert summary == "How the batch script is written."
    assert texts["partition"] == texts["account"]
    assert texts["setup"] == "Lines of shell run first, such as `module load cuda`."
    assert describe(Submit)[1].keys() == {item.name for item in dataclasses.fields(Submit)}


def test_a_configuration_that_can_be_run_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_text("root: r\nlanguages: [th]\nwikipedia: {dumps: d, date: 20260101}\n")
    assert check(path, ["seed=3"]) == load_config(path, ["seed=3"])


@pytest.mark.parametrize(
    ("lines", "override", "message"),
    [
        ("wikipedia:\n  dumps: d", "seed=0", "{path}:3: wikipedia.date: '' given, expected a date"),
        (
            "wikipedia: {dumps: d, date: 20260101}\nsplit_token: <|none|>",
            "seed=0",
            "{path}:4: split_token: '<|none|>' is no token of this kind",
        ),
        (
            "wikipedia: {dumps: d, date: 20260101}",
            "encoder.revision=x",
            "--set: encoder.revision: 'x' given",
        ),
        (
            "wikipedia: {dumps: d, date: 20260101}\ncrawl:\n  quality_rules:\n    none: 1",
            "seed=0",
            "{path}:6: crawl.quality_rules.none: 1.0 given, expected one of ",
        ),
    ],
)
def test_what_only_its_part_can_judge_is_refused_with_its_line_too(
    tmp_path: Path, lines: str, override: str, message: str
) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(f"root: r\nlanguages: [th]\n{lines}\n")
    with pytest.raises(ConfigError) as refused:
        check(path, [override])
    assert str(refused.value).startswith(message.format(path=path))
