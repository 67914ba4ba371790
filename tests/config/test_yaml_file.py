"""Where the values of a YAML file stand, and what such a file may not say."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossic_etl.config import ConfigError, load_config
from crossic_etl.config.yaml_file import read_yaml

TEXT = """\
root: r
base: &base
  length: 64
window:
  <<: *base
  policy: padded
languages: [th,
  ja]
crawl:
  sources:
    - path: a
    - {path: b,
       format: wet}
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "my.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("root",), ":1"),
        (("window", "policy"), ":6"),
        (("window", "length"), ":3"),
        (("languages", 0), ":7"),
        (("languages", 1), ":8"),
        (("crawl", "sources", 1, "format"), ":13"),
        (("crawl", "sources", 5), ":10"),
        (("crawl", "language"), ":9"),
        (("seed",), ""),
        ((), ""),
    ],
)
def test_the_line_of_a_value_is_known(
    tmp_path: Path, path: tuple[str | int, ...], place: str
) -> None:
    file = read_yaml(write(tmp_path, TEXT))
    assert file.place_of(path) == f"{tmp_path / 'my.yaml'}{place}"


def test_a_value_that_was_set_stands_in_no_line(tmp_path: Path) -> None:
    file = read_yaml(write(tmp_path, TEXT), ["window.length=32", "crawl={}", "neighbours.k=1"])
    assert file.tree["window"] == {"length": 32, "policy": "padded"}
    for path in (("window", "length"), ("crawl", "sources"), ("neighbours",), ("neighbours", "k")):
        assert file.place_of(path) == "--set"
    assert file.place_of(("window", "policy")).endswith("my.yaml:6")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed: 1\nroot: a\nseed: 2\n", ":3: seed: stands twice, in lines 1 and 3; expected once"),
        (
            "root: a\nwindow:\n  length: 64\n  length: 32\n",
            ":4: window.length: stands twice, in lines 3 and 4; expected once",
        ),
        (
            "crawl: {sources: [{path: a, path: b}]}\n",
            ":1: crawl.sources.0.path: stands twice, in lines 1 and 1; expected once",
        ),
    ],
)
def test_a_key_that_stands_twice_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as refused:
        read_yaml(path)
    assert str(refused.value) == f"{path}{message}"


def test_a_key_that_stands_twice_in_an_override_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^--set: k: stands twice"):
        read_yaml(write(tmp_path, TEXT), ["neighbours={k: 1, k: 2}"])


@pytest.mark.parametrize("override", ["hf_token=[tell-no-one", "hf_token tell-no-one"])
def test_a_broken_override_is_not_repeated_where_it_may_be_a_secret(
    tmp_path: Path, override: str
) -> None:
    with pytest.raises(ConfigError, match="looks like a secret") as refused:
        load_config(write(tmp_path, TEXT), [override])
    assert "tell-no-one" not in str(refused.value)


def test_the_line_of_a_wrong_item_of_a_list_is_named(tmp_path: Path) -> None:
    text = "root: r\nlanguages:\n  - th\n  - no\n"
    with pytest.raises(ConfigError, match=r"my\.yaml:4: languages: False given, expected text"):
        load_config(write(tmp_path, text))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("windw: {}", ":3: windw: there is no such key; did you mean window? There are "),
        ("window:\n  lenght: 64", ":4: window.lenght: there is no such key; did you mean length?"),
        (
            "window:\n  1: 64",
            ":4: window.1: there is no such key; there are languages, length, order, policy",
        ),
        ("crawl:\n  sources:\n    - format: wet", ":5: crawl.sources.path is missing"),
        (
            "crawl:\n  sources:\n    - path: a\n    - path: b\n      format: warc",
            ":7: crawl.sources.format: 'warc' given, expected parquet, jsonl or wet",
        ),
        (
            "crawl:\n  sources:\n    - path: a\n    - path: b\n      fields: {a: b}",
            ":7: crawl.sources.fields: {'a': 'b'} given, expected a mapping with the key text",
        ),
        ("mixture:\n  en-first: 0", ":4: mixture.en-first: 0.0 given, expected a share above 0"),
        ("window:", ":3: window: None given, expected a mapping of keys"),
    ],
)
def test_errors_inside_sections_and_lists_have_their_line(
    tmp_path: Path, lines: str, message: str
) -> None:
    path = write(tmp_path, f"root: r\nlanguages: [th]\n{lines}\n")
    with pytest.raises(ConfigError) as refused:
        load_config(path)
    assert str(refused.value).startswith(f"{path}{message}")


def test_of_several_errors_the_unknown_key_is_named(tmp_path: Path) -> None:
    text = "root: r\nlangages: [th]\nseed: a\n"
    with pytest.raises(ConfigError, match=r"my\.yaml:2: langages: .* did you mean languages\?"):
        load_config(write(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("root: &a [*a]\n", "more than 100,000 values, or an anchor inside itself in line 1"),
        ("&x root: r\nlanguages: &a {b: *a}\n", "an anchor inside itself in line 2"),
        ("a: " + "[" * 3000 + "]" * 3000, "values inside values too deep"),
        (
            "a0: &a0 [x]\n"
            + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 12)),
            "more than 100,000 values",
        ),
    ],
)
def test_aliases_and_depth_have_bounds(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said):
        read_yaml(path)


def test_a_file_named_by_mistake_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "dump.xml"
    with path.open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(ConfigError, match="expected at most 2,097,152 bytes of YAML"):
        read_yaml(path)


def test_another_encoding_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_text("root: /data\n", encoding="utf-16")
    with pytest.raises(ConfigError, match="expected a file in UTF-8 "):
        read_yaml(path)


@pytest.mark.parametrize("override", [".seed=5", "window..length=5", "window.=5", "=5"])
def test_an_override_has_no_empty_key(tmp_path: Path, override: str) -> None:
    path = tmp_path / "my.yaml"
    path.write_text("root: /data\n")
    with pytest.raises(ConfigError, match=f"^--set: '{override}' given, expected key=value$"):
        read_yaml(path, [override])
