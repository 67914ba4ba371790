"""What a run of ``documents`` has to read, by what the last ones left."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pyspark.sql import Row

from crossic_etl.config import Config
from crossic_etl.config_crawl import Crawl, CrawlSource
from crossic_etl.crawl_ledger import CrawlFile, Plan, describe_files, plan_batch
from crossic_etl.crawl_sources import CrawlFiles
from crossic_etl.document_rules import deciding_settings
from crossic_etl.kernels.contamination import NgramIndex
from crossic_etl.kernels.documents import DocumentRules
from crossic_etl.kernels.quality import QualityRules
from crossic_etl.kernels.url_blocks import UrlBlockList

FILES = {name: CrawlFile(10, 1000, "fineweb") for name in ("a", "b", "c", "d")}


def row(
    path: str, batch: int = 1, is_done: bool = True, settings: str = "s", size: int = 10
) -> Row:
    return Row(
        path=path, bytes=size, modified=1000, readings="fineweb", settings=settings,
        batch=batch, is_done=is_done, n_documents=batch * 100,
    )  # fmt: skip


def test_first_everything_is_read_and_nothing_said() -> None:
    assert plan_batch(FILES, [], "s") == Plan(frozenset("abcd"), 1)
    assert plan_batch(FILES, [row("a", is_done=False)], "s") == Plan(frozenset("abcd"), 1)


def test_later_what_is_new_is_read() -> None:
    plan = plan_batch(FILES, [row("a"), row("b", 2), row("c", 2)], "s")
    assert plan == Plan(frozenset("d"), 3, (1, 2), 200)
    assert (plan.is_full, plan.scope, plan.stale) == (False, {"batch": [3]}, {"batch": [1, 3]})


def test_what_a_run_that_died_has_read_is_read_again() -> None:
    plan = plan_batch(FILES, [row("a"), row("b", 2, is_done=False)], "s")
    assert plan == Plan(frozenset("bcd"), 2, (1,), 100)


def test_without_news_nothing_is_read() -> None:
    assert plan_batch(FILES, [row(name) for name in FILES], "s").unread == frozenset()


@pytest.mark.parametrize(
    ("held", "reason"),
    [
        ([row("a", settings="others")], "other settings"),
        ([row("a"), row("z")], "1 of the files that were read, as z, gone"),
        ([row("a"), row("b", size=11)],
         "1 of the files that were read, as b, changed, or read in another way"),
        ([row("a"), row("z", 2, is_done=False)], "1 of the files that were read, as z, gone"),
        ([row("a"), row("b", 2, is_done=False, size=11)],
         "1 of the files that were read, as b, changed, or read in another way"),
    ],
)  # fmt: skip
def test_everything_is_read_anew_where_what_was_read_does_not_hold(
    held: list[Row], reason: str
) -> None:
    plan = plan_batch(FILES, held, "s")
    assert plan == Plan(frozenset("abcd"), 1, reason=reason)
    assert (plan.is_full, plan.scope, plan.stale) == (True, {}, {})


def test_a_file_is_described_by_all_sources_that_have_it() -> None:
    one = CrawlFiles(CrawlSource("/a", dump="one"), {"a": 1, "b": 2}, {"a": 3, "b": 4})
    two = CrawlFiles(CrawlSource("/b", "jsonl", {"text": "body"}), {"b": 2}, {"b": 4})
    assert describe_files([one, two]) == {
        "a": CrawlFile(1, 3, one.reading),
        "b": CrawlFile(2, 4, f"{two.reading}\n{one.reading}"),
    }
    assert two.reading == '{"dump": "", "fields": {"text": "body"}, "format": "jsonl"}'


EVALUATION = NgramIndex.of(["A question of some length, which no document may have in it. " * 2])
RULES = DocumentRules(
    frozenset({"en", "th"}), blocked=UrlBlockList.of(["a.example"]), evaluation=EVALUATION
)
CONFIG = Config("root", ("th",), crawl=Crawl(near_duplicates=0.8))


def test_settings_that_decide_nothing_are_not_looked_at() -> None:
    settings = deciding_settings(CONFIG, RULES)
    assert len(settings) == 16
    sources = (CrawlSource("/more"),)
    other = replace(CONFIG, root="other", shards=3, crawl=replace(CONFIG.crawl, sources=sources))
    same = replace(
        RULES,
        languages=frozenset(["th", "en"]),
        evaluation=NgramIndex(dict(EVALUATION.runs), dict(EVALUATION.shorts), 5, 0),
    )
    assert deciding_settings(other, replace(same, evaluation=EVALUATION)) == settings


@pytest.mark.parametrize(
    "rules",
    [
        replace(RULES, languages=frozenset({"en"})),
        replace(RULES, min_chars=100),
        replace(RULES, quality=None),
        replace(RULES, quality=replace(QualityRules(), max_top_ngrams=0)),
        replace(RULES, blocked=UrlBlockList.of(["b.example"])),
        replace(RULES, evaluation=None),
        replace(RULES, evaluation=NgramIndex.of(["Another one, which no document may have. " * 3])),
        replace(RULES, evaluation=replace(EVALUATION, runs={50: np.zeros(9, np.uint64)})),
        replace(RULES, evaluation=replace(EVALUATION, shorts={25: {1: frozenset({(30, 2)})}})),
    ],
)
def test_other_rules_are_other_settings(rules: DocumentRules) -> None:
    assert deciding_settings(CONFIG, rules) != deciding_settings(CONFIG, RULES)


def test_the_seed_decides_which_near_copies_are_found() -> None:
    without = replace(CONFIG, crawl=replace(CONFIG.crawl, near_duplicates=0))
    with_seed, others = (
        [deciding_settings(replace(config, seed=seed), RULES) for seed in (0, 1)]
        for config in (CONFIG, without)
    )
    assert with_seed[0] != with_seed[1]
    assert others[0] == others[1]
