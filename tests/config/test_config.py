from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import FrozenInstanceError, asdict, replace
from pathlib import Path

import pytest

from crossic_etl.config import Config, ConfigError, load_config
from crossic_etl.config.crawl import Crawl, CrawlSource, Encoder, Neighbours
from crossic_etl.config.errors import one_of
from crossic_etl.config.etl import Segment, Wikipedia, Window
from crossic_etl.config.maintenance import Maintain

SMALLEST = "root: /data\nlanguages: [th]\n"


def load(tmp_path: Path, text: str, *overrides: str) -> Config:
    path = tmp_path / "my.yaml"
    path.write_text(text, encoding="utf-8")
    return load_config(path, overrides)


def test_root_and_languages_are_enough(tmp_path: Path) -> None:
    assert load(tmp_path, SMALLEST) == Config(root="/data", languages=("th",))


def test_a_wanted_precision_may_be_null(tmp_path: Path) -> None:
    config = load(tmp_path, SMALLEST, "neighbours.precision=null")
    assert config.neighbours.precision is None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("{}", (0.02, None, "searched")),
        ("{max_false_accept: 0.05}", (0.05, None, "searched")),
        # A configuration that was written before max_false_accept was there means the same.
        ("{precision: 0.9}", (None, 0.9, "searched")),
        ("{precision: null}", (None, None, "searched")),
        ("{wrong_pairs: nearest}", (None, 0.95, "nearest")),
        ("{wrong_pairs: random, precision: 0.9}", (None, 0.9, "random")),
        ("{max_false_accept: null, precision: 0.9}", (None, 0.9, "searched")),
        ("{max_false_accept: null}", (None, None, "searched")),
        ("{max_false_accept: 0.02, precision: null}", (0.02, None, "searched")),
    ],
)
def test_what_chooses_a_threshold(
    tmp_path: Path, given: str, expected: tuple[float | None, float | None, str]
) -> None:
    made = load(tmp_path, f"{SMALLEST}neighbours: {given}\n").neighbours
    assert (made.max_false_accept, made.precision, made.wrong_pairs) == expected
    assert replace(made) == made


def test_every_key_is_read(tmp_path: Path) -> None:
    text = """
root: catalog.schema
languages: [th, zh-yue]
wikipedia:
  dumps: s3a://bucket/ดัมพ์
  date: {en: 20260101, th: "20260120"}
  plain_text: {th: /data/th}
  on_damage: fail
  max_page_bytes: 1000
  math: drop
  code: drop
  lists: none
  service: content
tokenizer: some/model
split_token: "[SPLIT]"
segment: {max_tokens: 100, separator: "\\n", min_chars: 5}
window: {length: 200, policy: best-fit, order: shuffled, languages: separate}
arrangements: [mix, random]
mixture: {mix: 0.25, random: 0.75}
validation_share: 0.2
seed: 7
shards: 3
"""
    assert load(tmp_path, text) == Config(
        root="catalog.schema",
        languages=("th", "zh-yue"),
        wikipedia=Wikipedia(
            "s3a://bucket/ดัมพ์",
            {"en": "20260101", "th": "20260120"},
            {"th": "/data/th"},
            "fail",
            1000,
            "drop",
            "drop",
            "none",
            "content",
        ),
        tokenizer="some/model",
        split_token="[SPLIT]",
        segment=Segment(100, "\n", 5),
        window=Window(200, "best-fit", "shuffled", "separate"),
        arrangements=("mix", "random"),
        mixture={"mix": 0.25, "random": 0.75},
        validation_share=0.2,
        seed=7,
        shards=3,
    )


@pytest.mark.parametrize(
    ("line", "key", "value", "expected"),
    [
        ("window: 5", "window", "5", "a mapping of keys"),
        ("window: {length: 15}", "window.length", "15", "at least 16 tokens"),
        ("window: {length: '64'}", "window.length", "'64'", "a whole number"),
        ("window: {length: 64.0}", "window.length", "64.0", "a whole number"),
        ("window: {order: random}", "window.order", "'random'", "documents or shuffled"),
        ("window: {languages: one}", "window.languages", "'one'", "mixed or separate"),
        (
            "window: {policy: best_fit}",
            "window.policy",
            "'best_fit'",
            "sliding, padded or best-fit",
        ),
        ("seed: true", "seed", "True", "a whole number"),
        ("mixture: {mix: 1}", "mixture", "'mix'", "a name in arrangements"),
        ("mixture: {en-first: 0}", "mixture.en-first", "0.0", "a share above 0"),
        (
            "mixture: {en-first: 0.9}",
            "mixture",
            "{'en-first': 0.9}",
            "shares that sum to 1, not 0.9",
        ),
        ("mixture: {en-first: a}", "mixture.en-first", "'a'", "a number"),
        ("mixture: [mix]", "mixture", "['mix']", "a mapping of names to number"),
        ("validation_share: 0.5", "validation_share", "0.5", "a share from 0, below 0.5"),
        ("validation_share: -0.1", "validation_share", "-0.1", "a share from 0, below 0.5"),
        ("shards: 0", "shards", "0", "a whole number >= 1"),
        ("tokenizer: [a]", "tokenizer", "['a']", "text"),
        ("arrangements: en-first", "arrangements", "'en-first'", "a list"),
        ("arrangements: []", "arrangements", "()", "at least one"),
        ("arrangements: [en_first]", "arrangements", "'en_first'", "en-first, target-first"),
        (
            "arrangements: [retrieved]",
            "crawl.sources",
            "[]",
            "files of a crawl for the arrangement retrieved",
        ),
        ("arrangements: [mix, mix]", "arrangements", "('mix', 'mix')", "each once"),
        ("segment: {max_tokens: 8}", "segment.max_tokens", "8", "None or at least 16 tokens"),
        (
            "segment: {max_tokens: 5000}",
            "segment.max_tokens",
            "5000",
            "at most window.length, 4096",
        ),
        ("segment: {min_chars: 0}", "segment.min_chars", "0", "characters >= 1"),
        (
            "neighbours: {precision: 95}",
            "neighbours.precision",
            "95.0",
            "above 0, at most 1, or null",
        ),
        ("neighbours: {precision: high}", "neighbours.precision", "'high'", "a number or null"),
        ("neighbours: {calibrate: 1}", "neighbours.calibrate", "1", "true or false"),
        (
            "neighbours: {wrong_pairs: all}",
            "neighbours.wrong_pairs",
            "'all'",
            "searched, nearest or",
        ),
        (
            "neighbours: {max_false_accept: 0}",
            "neighbours.max_false_accept",
            "0.0",
            "between 0 and 1, or null",
        ),
        (
            "neighbours: {max_false_accept: 0.02, precision: 0.9}",
            "neighbours.precision",
            "0.9",
            "null where neighbours.max_false_accept is given (or set that to null)",
        ),
        (
            "neighbours: {max_false_accept: 0.02, wrong_pairs: random}",
            "neighbours.wrong_pairs",
            "'random'",
            "searched where neighbours.max_false_accept is given",
        ),
        ("wikipedia: {date: 2026-01-01}", "wikipedia.date", "'2026-01-01'", "text"),
        ("wikipedia: {date: '2026'}", "wikipedia.date", "'2026'", "YYYYMMDD"),
        ("wikipedia: {date: {th: '1'}}", "wikipedia.date", "{'th': '1'}", "YYYYMMDD"),
        ("wikipedia: {date: {th: latest}}", "wikipedia.date", "{'th': 'latest'}", "YYYYMMDD"),
        ("wikipedia: {date: newest}", "wikipedia.date", "'newest'", "YYYYMMDD, or latest"),
        ("wikipedia: {on_damage: stop}", "wikipedia.on_damage", "'stop'", "salvage or fail"),
        ("wikipedia: {math: mathml}", "wikipedia.math", "'mathml'", "latex or drop"),
        ("wikipedia: {code: html}", "wikipedia.code", "'html'", "keep or drop"),
        ("wikipedia: {lists: dashes}", "wikipedia.lists", "'dashes'", "markdown or none"),
        ("wikipedia: {max_page_bytes: 0}", "wikipedia.max_page_bytes", "0", "bytes > 0"),
        ("wikipedia: {plain_text: a}", "wikipedia.plain_text", "'a'", "a mapping of names to text"),
    ],
)
def test_a_wrong_key_or_value_is_refused_with_what_was_expected(
    tmp_path: Path, line: str, key: str, value: str, expected: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, SMALLEST + line)
    place = "" if key == "crawl.sources" else ":3"  # which the file doesn't have
    message = f"{tmp_path / 'my.yaml'}{place}: {key}: {value} given, expected {expected}"
    assert str(refused.value).startswith(message)


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("languages: [th]", "", "root is missing, and has no default"),
        (
            "root: ''\nlanguages: [th]",
            ":1",
            "root: '' given, expected a folder, URL or catalog.schema",
        ),
        ("root: a", "", "languages is missing, and has no default"),
        (
            "root: a\nlanguages: []",
            ":2",
            "languages: () given, expected at least one language code",
        ),
        ("root: a\nlanguages: th", ":2", "languages: 'th' given, expected a list"),
        (
            "root: a\nlanguages: [no]",
            ":2",
            "languages: False given, expected text: YAML takes it for true or false without quotes",
        ),
        ("root: a\nlanguages: [th, th]", ":2", "languages: ('th', 'th') given, expected each once"),
        (
            "root: a\nlanguages: [en]",
            ":2",
            "languages: 'en' given, expected the code of a Wikipedia's language other than en",
        ),
        (
            "root: a\nlanguages: [th, jp]",
            ":2",
            "languages: 'jp' given, expected ja, the code of the Wikipedia in Japanese",
        ),
        (
            "root: a\nlanguages: [yue, zh-yue]",
            ":2",
            "languages: ('zh-yue', 'zh-yue') given, expected each once",
        ),
        (
            "root: a\nlanguages: [Thai]",
            ":2",
            "languages: 'Thai' given, expected the code of a Wikipedia's language other than en",
        ),
    ],
)
def test_root_and_languages_are_checked(
    tmp_path: Path, text: str, place: str, message: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, text)
    assert str(refused.value) == f"{tmp_path / 'my.yaml'}{place}: {message}"


@pytest.mark.parametrize("text", ["", "- root", "root"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(
        ConfigError, match=r"--config: '.*my.yaml' given, expected a YAML mapping of keys"
    ):
        load(tmp_path, text)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"a readable YAML file .No such file or directory."):
        load_config(tmp_path / "none.yaml")


@pytest.mark.parametrize("data", [b"root: [a", b"root: \xff", b"root: 2026-13-01", b"- !!int x"])
def test_a_file_that_is_no_yaml_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "my.yaml"
    path.write_bytes(data)
    with pytest.raises(
        ConfigError, match=r"--config: .* given, expected (valid YAML|a file in UTF-8) "
    ):
        load_config(path)


def test_an_override_goes_before_the_file(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        SMALLEST + "window: {length: 64}",
        "window.length=2048",
        "window.policy=padded",
        "seed=3",
        "seed=4",
        "languages=[ja, ar]",
    )
    assert (config.window, config.seed, config.languages) == (
        Window(2048, "padded"),
        4,
        ("ja", "ar"),
    )


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("seed", "--set: 'seed' given, expected key=value"),
        ("=1", "--set: '=1' given, expected key=value"),
        (
            "window.size=1",
            "window.size: there is no such key; there are languages, length, order, policy",
        ),
        ("a=1", "a: there is no such key; there are arrangements, crawl, download,"),
        ("windows.length=1", "windows: there is no such key; did you mean window?"),
        ("seed=", "seed: None given, expected a whole number"),
        ("seed=[", "seed: '[' given, expected a YAML value"),
        ("root.a=1", "root.a: 'root.a=1' given, expected a key that exists (root has no keys)"),
    ],
)
def test_a_wrong_override_is_refused(tmp_path: Path, override: str, message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, SMALLEST, override)
    assert str(refused.value).startswith(f"--set: {message.removeprefix('--set: ')}")


def test_one_date_is_every_wikis() -> None:
    assert [Wikipedia(date="20260101").date_of(lang) for lang in ("en", "th")] == ["20260101"] * 2


def test_each_wiki_may_have_its_date() -> None:
    dates = Wikipedia(date={"en": "20260101", "th": "20260120"})
    assert (dates.date_of("en"), dates.date_of("th")) == ("20260101", "20260120")


@pytest.mark.parametrize("date", ["", {"en": "20260101"}])
def test_a_wiki_without_date_is_named(date: str | dict[str, str]) -> None:
    with pytest.raises(
        ConfigError, match=r"wikipedia.date: .* given, expected a date YYYYMMDD for th"
    ):
        Wikipedia(date=date).date_of("th")


def test_english_is_read_before_the_targets() -> None:
    assert Config("a", ("th", "ja")).wikis == ("en", "th", "ja")


@pytest.mark.parametrize(
    ("length", "longest"),
    [(16, 16), (64, 64), (256, 256), (257, 256), (1027, 256), (1028, 257), (4096, 1024)],
)
def test_the_longest_sample_is_a_quarter_of_a_window_that_is_not_short(
    length: int, longest: int
) -> None:
    assert Config("a", ("th",), window=Window(length)).max_tokens == longest


def test_the_longest_sample_is_the_one_that_is_said() -> None:
    assert Config("a", ("th",), segment=Segment(64), window=Window(64)).max_tokens == 64
    assert Config("a", ("th",), segment=Segment(32), window=Window(64)).max_tokens == 32


def test_the_digest_changes_with_each_setting_and_with_nothing_else() -> None:
    plain = Config("a", ("th",))
    others = [Config("a", ("th",), seed=1), Config("a", ("th",), window=Window(4095))]
    assert plain.digest() == Config("a", ("th",), wikipedia=Wikipedia()).digest()
    assert len({plain.digest(), *(other.digest() for other in others)}) == 3
    assert len(plain.digest()) == 16
    assert Config("a", ("th",), maintain=Maintain(1000)).digest() == plain.digest()


def test_a_retention_is_not_below_zero() -> None:
    with pytest.raises(
        ConfigError, match=r"maintain\.retention_hours: -1 given, expected hours >= 0"
    ):
        Maintain(-1)


def test_names_are_listed_for_a_reader() -> None:
    assert (one_of(["a", "b", "c"]), one_of(["a", "b"])) == ("a, b or c", "a or b")


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Window(15), "window.length: 15 given, expected at least 16 tokens"),
        (lambda: Window("64"), "window.length: '64' given, expected a whole number"),
        (lambda: Window(policy="best_fit"), "window.policy: 'best_fit' given, expected sliding, "),
        (
            lambda: Window(size=1),
            "window.size: there is no such key; there are languages, length, order, policy",
        ),
        (lambda: Window(64, length=64), "window.length: 64 given, expected it once"),
        (
            lambda: Window(64, "padded", "documents", "mixed", 3),
            "Window has 4 settings; more were given",
        ),
        (lambda: Config("a"), "languages is missing, and has no default"),
        (lambda: Config("a", "th"), "languages: 'th' given, expected a list"),
        (lambda: Config("a", ("th",), window=64), "window: 64 given, expected a mapping of keys"),
        (lambda: Config("a", ("th",), window={"length": 1}), "window.length: 1 given, expected at"),
        (
            lambda: Neighbours(thresholds={"th": "x"}),
            "neighbours.thresholds.th: 'x' given, expected",
        ),
        (lambda: CrawlSource(" "), "crawl.sources.path: ' ' given, expected a path"),
    ],
)
def test_python_code_is_refused_in_the_same_words(
    build: Callable[[], object], message: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        build()
    assert str(refused.value).startswith(message)
    assert refused.value.__cause__ is None and refused.value.__suppress_context__


def test_settings_are_plain_values_for_python_code() -> None:
    config = Config("a", ["th"], window=Window(64))  # type: ignore[arg-type]
    assert config == Config("a", ("th",), window=Window(64))
    assert hash(Window(64)) == hash(Window(length=64))
    assert replace(config, seed=3).seed == 3
    assert asdict(config)["window"] == {
        "length": 64, "policy": "sliding", "order": "documents", "languages": "mixed"
    }  # fmt: skip
    assert pickle.loads(pickle.dumps(config)) == config
    with pytest.raises(FrozenInstanceError):
        config.seed = 4  # type: ignore[misc]
    with pytest.raises(ConfigError, match=r"seed: 'x' given"):
        replace(config, seed="x")


def test_the_digest_stays_for_the_same_settings() -> None:
    assert Config("a", ("th",)).digest() == "4a9cf403ddaa9cb7"
    config = Config(
        "/data/t",
        ("th", "ja"),
        Wikipedia("/d", {"en": "20260101"}, {"th": "/t"}),
        arrangements=("mix", "retrieved"),
        mixture={"mix": 0.25, "retrieved": 0.75},
        crawl=Crawl((CrawlSource("ไทย", fields={"text": "t"}),), quality_rules={"a": 1.0}),
        window=Window(64),
        segment=Segment(32),
        encoder=Encoder(half=True),
        neighbours=Neighbours(thresholds={"*": 1.0}, precision=None),
    )
    assert config.digest() == "db828a6d8f536650"


def test_lists_of_names_stand_where_they_are_implemented() -> None:
    code = (
        "import sys, crossic_etl.config.training, crossic_etl.config.schema; "
        "print(*{'numpy', 'pyarrow', 'faiss', 'torch', 'pyspark', 'tiktoken'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("validation_share: 1e-2", "expected a number: YAML takes it for text; write 0.01"),
        ("validation_share: .nan", "validation_share: nan given, expected a finite number"),
        ("download: {timeout: .inf}", "download.timeout: inf given, expected a finite number"),
        ("crawl: {quality_rules: {min_words: .nan}}", "crawl.quality_rules.min_words: nan given"),
        ("seed: 4e3", "expected a whole number: YAML takes it for text; write 4000"),
        ("seed: 99999999999999999999", "expected a whole number of 64 bits"),
        ("neighbours: {thresholds: {th: a}}", "neighbours.thresholds.th: 'a' given"),
        ("neighbours: {thresholds: {no: 1.1}}", "False given, expected text: YAML takes it"),
        ("wikipedia: {date: 2026-01-01}", "YAML takes 2026-01-01 for a date without quotes"),
        ("wikipedia: {date: {no: 20260101}}", "YAML takes it for true or false without quotes"),
        ("wikipedia: {date: '๒๐๒๖๐๑๐๑'}", "expected YYYYMMDD"),
        (
            "crawl: {sources: [{path: x, fields: {text: t, urll: u}}]}",
            "'urll' given, expected text, ",
        ),
    ],
)
def test_a_message_says_how_to_write_it(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, f"{SMALLEST}{line}\n")
    assert "my.yaml:3: " in str(caught.value) and said in str(caught.value)


@pytest.mark.parametrize("code", ["nan", "zh-min-nan", "zh_min_nan", "zh_min_nanwiki"])
def test_a_language_may_be_given_by_any_form_of_its_code(tmp_path: Path, code: str) -> None:
    wikipedia = f"wikipedia: {{date: {{{code}: 20260101}}, plain_text: {{{code}: /data/nan}}}}"
    config = load(tmp_path, f"root: /data\nlanguages: [{code}]\n{wikipedia}\n")
    assert config.languages == ("zh-min-nan",)
    assert config.wikipedia.plain_text == {"zh-min-nan": "/data/nan"}
    assert config.wikipedia.date_of(code) == "20260101"
