"""What a run of ``documents`` has to read, by what the last ones left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import Row, SparkSession

from crossic_etl.config.crawl import CrawlSource
from crossic_etl.inputs.crawl import CrawlFiles
from crossic_etl.kernels.crawl.documents import DocumentRules
from crossic_etl.kernels.crawl.quality import QualityRules
from crossic_etl.kernels.crawl.url_blocks import UrlBlockList
from crossic_etl.kernels.text.contamination import NgramIndex
from crossic_etl.pipeline.crawl.batches import (
    CrawlFile,
    CrawlPlan,
    describe_files,
    open_batch,
    plan_batch,
)
from crossic_etl.pipeline.crawl.rules import settings_fingerprint
from crossic_etl.schemas import NEAR_DUPLICATE_LINKS
from crossic_etl.tables import Scope, TableError, Tables

FILES = {name: CrawlFile(10, 1000, "fineweb") for name in ("a", "b", "c", "d")}


def row(
    path: str, batch: int = 1, is_done: bool = True, settings: str = "s", size: int = 10
) -> Row:
    return Row(
        path=path, bytes=size, modified=1000, readings="fineweb", settings=settings,
        batch=batch, is_done=is_done, n_documents=batch * 100,
    )  # fmt: skip


def test_first_everything_is_read_and_nothing_said() -> None:
    assert plan_batch(FILES, [], "s") == CrawlPlan(frozenset("abcd"), 1)
    assert plan_batch(FILES, [row("a", is_done=False)], "s") == CrawlPlan(frozenset("abcd"), 1)


def test_later_what_is_new_is_read() -> None:
    plan = plan_batch(FILES, [row("a"), row("b", 2), row("c", 2)], "s")
    assert plan == CrawlPlan(frozenset("d"), 3, (1, 2), 200)
    assert (plan.is_full, plan.scope, plan.stale) == (False, {"batch": [3]}, {"batch": [1, 3]})


def test_what_a_run_that_died_has_read_is_read_again() -> None:
    plan = plan_batch(FILES, [row("a"), row("b", 2, is_done=False)], "s")
    assert plan == CrawlPlan(frozenset("bcd"), 2, (1,), 100)


def test_without_news_nothing_is_read() -> None:
    assert plan_batch(FILES, [row(name) for name in FILES], "s").unread == frozenset()


@pytest.mark.parametrize(
    ("held", "reason"),
    [
        ([row("a", settings="others")],
         "other settings (languages, seed, rules of crawl, or the files that they name)"),
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
    assert plan == CrawlPlan(frozenset("abcd"), 1, reason=reason)
    assert (plan.is_full, plan.scope, plan.stale) == (True, {}, {})


Kept = list[dict[str, Any]]


class Model:
    """The tables as lists: what each run writes of each file, where it isn't killed before."""

    def __init__(self) -> None:
        self.ledger: Kept = []
        self.texts: Kept = []
        self.links: Kept = []
        self.documents: set[tuple[str, int]] = set()

    def run(self, sizes: dict[str, int], n_writes: int) -> bool:
        """Whether the run came to its end, with as many writes at most."""
        files = {path: CrawlFile(size, 1000, "fineweb") for path, size in sizes.items()}
        plan = plan_batch(files, [Row(**kept) for kept in self.ledger], "s")
        if not plan.unread and len(self.documents) == plan.n_documents:
            return True
        for write in [*([self.begin] if plan.takes_back else []), *self.writes][:n_writes]:
            write(plan, sizes)
        return n_writes >= len(self.writes) + plan.takes_back

    @property
    def writes(self) -> list[Callable[[CrawlPlan, dict[str, int]], None]]:
        return [self.add_texts, self.add_links, self.publish, self.finish]

    def begin(self, plan: CrawlPlan, sizes: dict[str, int], is_done: bool = False) -> None:
        rows = [
            row(path, plan.batch, is_done=is_done, size=sizes[path]).asDict()
            | {"n_documents": len(self.documents)}
            for path in plan.unread
        ]
        self.ledger = replaced(self.ledger, rows, plan.scope)

    def add_texts(self, plan: CrawlPlan, sizes: dict[str, int]) -> None:
        rows = [{"batch": plan.batch, "text": (path, sizes[path])} for path in plan.unread]
        self.texts = replaced(self.texts, rows, plan.scope)

    def add_links(self, plan: CrawlPlan, sizes: dict[str, int]) -> None:
        held = [kept["texts"] for kept in self.links if kept["batch"] in plan.done[-1:]]
        new = [kept["text"] for kept in self.texts if kept["batch"] == plan.batch]
        rows = [{"batch": plan.batch, "texts": [*(held[0] if plan.done else []), *new]}]
        self.links = replaced(self.links, rows, plan.stale)

    def publish(self, plan: CrawlPlan, sizes: dict[str, int]) -> None:
        holds = [kept["text"] for kept in self.texts if kept["batch"] in {*plan.done, plan.batch}]
        linked = [kept["texts"] for kept in self.links if kept["batch"] == plan.batch]
        assert sorted(holds) == sorted(*linked) == sorted(sizes.items())
        self.documents = set(holds)

    def finish(self, plan: CrawlPlan, sizes: dict[str, int]) -> None:
        if plan.unread or plan.is_full:
            self.begin(plan, sizes, is_done=True)


def replaced(held: Kept, rows: Kept, scope: Scope) -> Kept:
    """What `Tables.replace` leaves."""
    fits = [all(kept[column] in values for column, values in scope.items()) for kept in held]
    return [*(kept for kept, gone in zip(held, fits, strict=True) if not gone), *rows]


SIZES = st.dictionaries(st.sampled_from("abc"), st.sampled_from([10, 11]), max_size=3)


@settings(max_examples=500)
@given(st.lists(st.tuples(SIZES, st.integers(0, 6)), max_size=6), SIZES)
def test_whatever_came_went_and_died_what_there_is_is_counted_once(
    months: list[tuple[dict[str, int], int]], sizes: dict[str, int]
) -> None:
    model = Model()
    for found, n_writes in [*months, (sizes, 6)]:
        if model.run(found, n_writes):
            assert model.documents == set(found.items())


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


def test_settings_have_the_same_fingerprint_in_any_order() -> None:
    expected = settings_fingerprint(RULES, 0.8, 0)
    assert len(expected) == 16
    same = replace(
        RULES,
        languages=frozenset(["th", "en"]),
        evaluation=replace(EVALUATION, runs=dict(EVALUATION.runs), shorts=dict(EVALUATION.shorts)),
    )
    assert settings_fingerprint(same, 0.8, 0) == expected


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
    assert settings_fingerprint(rules, 0.8, 0) != settings_fingerprint(RULES, 0.8, 0)


def test_threshold_and_seed_decide_which_near_duplicates_are_found() -> None:
    assert settings_fingerprint(RULES, 0.8, 0) != settings_fingerprint(RULES, 0.8, 1)
    assert settings_fingerprint(RULES, 0.8, 0) != settings_fingerprint(RULES, 0.7, 0)
    assert settings_fingerprint(RULES, 0, 0) == settings_fingerprint(RULES, 0, 1)


def test_rows_under_an_old_name_are_refused(spark: SparkSession, tmp_path: Path) -> None:
    tables = Tables(spark, str(tmp_path))
    old = replace(NEAR_DUPLICATE_LINKS, name="near_copy_links")
    tables.replace(old, spark.createDataFrame([(1, 7, "a", "b")], old.schema), {})
    message = "near_copy_links under .* is called near_duplicate_links now: run maintain first"
    with pytest.raises(TableError, match=message):
        open_batch(tables, [], "s")
