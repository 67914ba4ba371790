"""Variables and ``~`` in paths of a configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossic_etl.config import Config, ConfigError, load_config
from crossic_etl.config.paths import expand
from crossic_etl.config.roots import absolute_root
from crossic_etl.config.training import load_training_config

SMALLEST = "root: /data\nlanguages: [th]\n"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("DATA", "/lake")
    monkeypatch.setenv("BUCKET", "b")
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.delenv("UNSET", raising=False)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/plain/a~b", "/plain/a~b"),
        ("~", "/home/me"),
        ("~/x", "/home/me/x"),
        ("$DATA/x", "/lake/x"),
        ("${DATA}x/ไทย", "/lakex/ไทย"),
        ("s3a://$BUCKET/t", "s3a://b/t"),
        ("s3a://b//t", "s3a://b//t"),
        ("catalog.schema", "catalog.schema"),
    ],
)
def test_variables_and_home_are_expanded(text: str, expected: str) -> None:
    assert expand(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$UNSET/x", "a path, but the variable UNSET isn't set"),
        ("${EMPTY}/x", "a path, but the variable EMPTY isn't set"),
        ("/a/$", "a path; a $ begins $NAME or ${NAME} of a variable"),
        ("/a/${DATA", "a path; a $ begins $NAME or ${NAME} of a variable"),
        ("/a/$(id)", "a path; a $ begins $NAME or ${NAME} of a variable"),
        ("~nobody-here/x", "a path; ~ begins ~/ or the ~name of a user with a home"),
        ("file:///~/x", "a path; ~ begins ~/ or the ~name of a user with a home"),
    ],
)
def test_what_stays_unresolved_is_refused(text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as refused:
        expand(text, ("root",))
    assert str(refused.value) == f"root: {text!r} given, expected {expected}"


def test_every_path_of_a_configuration_is_expanded(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_text("""
root: ~/tables
languages: [th]
tokenizer: $DATA/tokenizer
split_token: $DATA
wikipedia: {dumps: $DATA/dumps, plain_text: {th: ~/th}}
crawl: {sources: [{path: "$DATA/*.gz"}], blocked_urls: ~/urls, evaluation: [a, $DATA/e]}
encoder: {backend: sentence-transformers, model: ~/model}
download: {crawl: [{listing: ~/list, to: "${DATA}/crawl"}]}
""")
    config = load_config(path)
    assert (config.root, config.tokenizer) == ("/home/me/tables", "/lake/tokenizer")
    assert config.split_token == "$DATA"
    assert (config.wikipedia.dumps, config.wikipedia.plain_text["th"]) == (
        "/lake/dumps", "/home/me/th"
    )  # fmt: skip
    assert config.crawl.sources[0].path == "/lake/*.gz"
    assert (config.crawl.blocked_urls, config.crawl.evaluation) == (
        "/home/me/urls", ("a", "/lake/e")
    )  # fmt: skip
    assert config.encoder.model == "/home/me/model"
    listing = config.download.crawl[0]
    assert (listing.listing, listing.to) == ("/home/me/list", "/lake/crawl")


def test_every_path_of_training_is_expanded(tmp_path: Path) -> None:
    path = tmp_path / "training.yaml"
    path.write_text("""
model: {name: ~/model}
exports: [$DATA/export]
output: ${DATA}/out
validation: {exports: {a: ~/a}}
submit: {slurm: {setup: ["export A=$B"]}}
""")
    config = load_training_config(path)
    assert (config.model.name, config.exports, config.output, config.validation.exports) == (
        "/home/me/model", ("/lake/export",), "/lake/out", {"a": "/home/me/a"}
    )  # fmt: skip
    assert config.submit.slurm.setup == ("export A=$B",)


def test_an_override_is_expanded_and_named(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(SMALLEST)
    assert load_config(path, ["root=~/x"]).root == "/home/me/x"
    with pytest.raises(ConfigError, match=r"^--set: root: '\$UNSET' given, expected a path, but"):
        load_config(path, ["root=$UNSET"])


def test_the_line_of_a_path_in_a_list_is_named(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(SMALLEST + "crawl:\n  sources:\n    - path: /a\n    - format: wet\n"
                    "      path: ~nobody-here/x\n")  # fmt: skip
    with pytest.raises(ConfigError, match=r"my\.yaml:7: crawl\.sources\.path: '~nobody-here/x'"):
        load_config(path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATA", "s3a://key:tell-no-one@b/x"),
        ("LAKE_TOKEN", "tell-no-one"),
        ("DATA", "hf_" + "x" * 30),
    ],
)
def test_a_secret_from_the_environment_is_refused_and_not_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    path = tmp_path / "my.yaml"
    path.write_text(f"languages: [th]\nroot: ${name}/x\n")
    with pytest.raises(ConfigError, match=r"my\.yaml:2: root: .*looks like a secret") as refused:
        load_config(path)
    assert value not in str(refused.value)


def test_python_code_expands_for_itself() -> None:
    assert Config("~/x", ("th",)).root == "~/x"


@pytest.mark.parametrize(
    ("root", "expected"),
    [
        ("/data/t", "/data/t"),
        ("s3a://b/t", "s3a://b/t"),
        ("file:/t", "file:/t"),
        ("catalog.schema", "catalog.schema"),
        ("t/u", f"{Path.cwd()}/t/u"),
    ],
)
def test_the_root_is_absolute(root: str, expected: str) -> None:
    assert absolute_root(root) == Config(root, ("th",)).absolute_root == expected
