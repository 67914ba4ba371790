from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crossic_etl.config import Config, ConfigError
from crossic_etl.config.checks import choose_quality_rules
from crossic_etl.config.crawl import Crawl
from crossic_etl.inputs.errors import InputError
from crossic_etl.inputs.run_inputs import RunInputs
from crossic_etl.kernels.crawl.quality import QualityRules
from crossic_etl.kernels.crawl.url_blocks import BLOCKED_DOMAIN
from crossic_etl.pipeline.crawl.rules import load_rules

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

QUESTION = "Which of the potter's vessels stands longest on the shelf beside the river, and why?"
OTHER = "How many weeks must a bowl dry before it may go to the fire without a crack in it?"


def config(**crawl: object) -> Config:
    return Config("unused", ("th",), crawl=Crawl(**crawl))  # type: ignore[arg-type]


def test_the_configuration_names_other_thresholds() -> None:
    assert choose_quality_rules(Crawl()) == QualityRules()
    assert choose_quality_rules(Crawl(quality=False)) is None
    rules = choose_quality_rules(
        Crawl(quality_rules={"min_words": 20.0, "max_ellipses": 0.5, "curly_brackets": 1})
    )
    assert rules == QualityRules(min_words=20, max_ellipses=0.5, curly_brackets=True)


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (
            {"min_word": 20.0},
            r"crawl\.quality_rules\.min_word: 20.0 given, expected one of min_words, max_",
        ),
        ({"max_top_ngrams": 0.2}, r"max_top_ngrams: 0.2 given, expected one of"),
        ({"min_words": 0.5}, r"min_words: 0.5 given, expected a number >= 0, whole for counts"),
        ({"max_ellipses": -1.0}, r"max_ellipses: -1.0 given, expected a number >= 0"),
        ({"lorem_ipsum": 2.0}, r"lorem_ipsum: 2.0 given, expected .* 0 or 1 for switches"),
    ],
)
def test_a_rule_that_is_none_is_refused(rules: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        choose_quality_rules(Crawl(quality_rules=rules))


def test_rules_are_what_the_configuration_says(spark: SparkSession, tmp_path: Path) -> None:
    blocked = tmp_path / "blocked.txt"
    blocked.write_text("# hosts\nbad.example\n", encoding="utf-8")
    given = config(language="trust", min_chars=7, quality=False, blocked_urls=str(blocked))
    rules = load_rules(given, RunInputs(spark, given))
    assert (rules.languages, rules.trusts_labels, rules.min_chars) == ({"en", "th"}, True, 7)
    assert (rules.quality, rules.evaluation) == (None, None)
    assert rules.blocked.reason("http://www.bad.example/page") == BLOCKED_DOMAIN


def test_evaluation_files_of_all_kinds_are_one_index(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set/a.jsonl").write_text(json.dumps({"q": QUESTION, "n": 1}), encoding="utf-8")
    (tmp_path / "b.txt.gz").write_bytes(gzip.compress(OTHER.encode()))
    given = config(evaluation=(str(tmp_path / "set"), str(tmp_path / "*.gz")))
    index = RunInputs(spark, given).evaluation
    assert index is not None
    assert index.overlap(QUESTION).hits and index.overlap(OTHER).hits
    assert (index.n_ignored, index.overlap("a bowl").hits) == (0, 0)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("none.txt", None, r"crawl\.evaluation: \S*none\.txt isn't there"),
        ("empty.txt", b"", r"crawl\.evaluation: \S*empty\.txt is empty"),
        ("blank.txt", b"\n \n", r"blank\.txt holds no text"),
        ("bad.jsonl", b'{"q": "a"}\n{"q"', r"bad\.jsonl, line 2: not JSON"),
        ("latin.txt", b"caf\xe9", r"latin\.txt: not UTF-8"),
        (
            "cut.txt.gz",
            gzip.compress(b"words " * 99, mtime=0)[:-9],
            r"cut\.txt\.gz: gzip data is cut",
        ),
    ],
)
def test_an_evaluation_file_that_is_not_read_is_an_error(
    spark: SparkSession, tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        assert RunInputs(spark, config(evaluation=(str(tmp_path / name),))).evaluation


def test_a_block_list_that_is_not_there_is_an_error(spark: SparkSession, tmp_path: Path) -> None:
    given = config(blocked_urls=str(tmp_path / "none"))
    with pytest.raises(InputError, match=r"crawl\.blocked_urls: \S*none isn't there"):
        load_rules(given, RunInputs(spark, given))
