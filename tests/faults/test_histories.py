"""Histories drawn at random: after every one the tables are those of a run from scratch.

pytest -m faults tests/faults/test_histories.py -s     # CROSSIC_ETL_HISTORIES=12
"""

from __future__ import annotations

import json
import os
import random
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from crossic_etl.sample.source import SourcePage
from crossic_etl.schemas import (
    DOCUMENTS,
    EMBEDDINGS,
    LINKS,
    NEIGHBOURS,
    PAGES,
    PAIRS,
    REDIRECTS,
    REJECTS,
    REVERSE_NEIGHBOURS,
    SAMPLES,
    TABLES,
)
from crossic_etl.tables import Tables
from tests.faults.world import RULES, SEED, document, write_config, write_crawl
from tests.pipeline.test_months import pair, whole, write_month
from tests.support.commands import run as main
from tests.support.commands import verify
from tests.support.killed_runs import Killed, make_chunks_small, note_chunks
from tests.support.table_hashes import row_hash

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.faults

HISTORIES = int(os.environ.get("CROSSIC_ETL_HISTORIES", "12"))
STEPS = 5
# A page keeps the date of the dump that it was read from.
SAME = {
    **{table: ["dump_date"] for table in (PAGES, REDIRECTS, LINKS)},
    **{table: [] for table in (PAIRS, SAMPLES, REJECTS, DOCUMENTS, NEIGHBOURS, REVERSE_NEIGHBOURS)},
}
CHANGES = ("add", "change", "delete", "move", "redirect", "item", "disambiguate", "translate")
N_SUBJECTS = 10
changes = st.lists(
    st.tuples(st.sampled_from(CHANGES), st.integers(0, N_SUBJECTS - 1)), min_size=1, max_size=4
)
numbers = st.lists(st.integers(0, 24), min_size=1, max_size=8, unique=True)


class History(RuleBasedStateMachine):
    """A wiki of some subjects and a folder of crawl files, that change; and the tables of both."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        super().__init__()
        self.spark = spark
        self.folder = Path(tempfile.mkdtemp(dir=folder))
        rules = f"{RULES}, evaluation: [{self.folder}/evaluation.jsonl]"
        self.config = write_config(self.folder, rules)
        self.month = self.n_made = 0
        self.length = 256
        self.subjects = [
            list(pair(20 + i, f"Subject {i}", f"หัวข้อ {i}", f"Q{i}")) for i in range(N_SUBJECTS)
        ]
        self.crawl: dict[str, list[int]] = {}
        self.died = False
        self.deaths: list[str] = []
        self.told: list[str] = []

    @initialize(found=numbers)
    def begin(self, found: list[int]) -> None:
        self.write_evaluation("What no page and no document says is what is asked for here.")
        self.write_dump()
        self.write_file("first", found)
        self.run("begins")

    @rule(found=changes)
    def new_dump(self, found: list[tuple[str, int]]) -> None:
        self.write_dump(found)
        self.run(f"new dump: {found}")

    @rule(found=numbers)
    def new_crawl_file(self, found: list[int]) -> None:
        self.write_file(f"file{self.number()}", found)
        self.run(f"new crawl file: {found}")

    @rule(chosen=st.randoms(use_true_random=False))
    def duplicate_file(self, chosen: random.Random) -> None:
        name = chosen.choice(sorted(self.crawl))
        self.write_file(f"copy{self.number()}", self.crawl[name])
        self.run(f"copy of {name}")

    @precondition(lambda self: len(self.crawl) > 1)
    @rule(chosen=st.randoms(use_true_random=False))
    def removed_file(self, chosen: random.Random) -> None:
        name = chosen.choice(sorted(self.crawl))
        del self.crawl[name]
        (self.folder / "crawl" / f"{name}.jsonl").unlink()
        self.run(f"{name} is gone")

    @rule(found=changes, numbers=numbers)
    def both(self, found: list[tuple[str, int]], numbers: list[int]) -> None:
        self.write_dump(found)
        self.write_file(f"file{self.number()}", numbers)
        self.run(f"new dump: {found}, and new crawl file: {numbers}")

    @rule(
        found=changes,
        numbers=numbers,
        of=st.sampled_from(["pages", "documents", "embeddings", "samples"]),
        unit=st.integers(0, 3),
    )
    def both_and_a_run_that_dies(
        self, found: list[tuple[str, int]], numbers: list[int], of: str, unit: int
    ) -> None:
        self.write_dump(found)
        for part in filter(None, (numbers[::2], numbers[1::2])):
            self.write_file(f"file{self.number()}", part)
        told = f"new dump: {found}, and new crawl files: {numbers}; dies at unit {unit} of {of}"
        self.told.append(told)
        with pytest.MonkeyPatch.context() as patched:
            make_chunks_small(patched)
            note_chunks(patched, unit, of)
            try:
                assert main(self.arguments("tables")) == 0
            except Killed:
                self.deaths.append(of)
        self.died = True

    @rule(place=st.integers(0, N_SUBJECTS - 1), number=st.integers(0, 24))
    def other_evaluation(self, place: int, number: int) -> None:
        """Of texts that stand on a page and in a document."""
        page = pair(1, f"Subject {place}", "", "")[0]
        self.write_evaluation(page.text, document(number)["text"])
        self.run(f"evaluation has subject {place} and document {number}")

    @rule(length=st.sampled_from([128, 192, 256]))
    def other_settings(self, length: int) -> None:
        self.length = length
        self.run(f"windows of {length}", "--reconfigure")

    @rule()
    def rebuild(self) -> None:
        self.run("rebuild", "--rebuild")

    @precondition(lambda self: not self.died and self.told[-1] != "nothing new")
    @rule()
    def nothing_new(self) -> None:
        tables = Tables(self.spark, str(self.folder / "tables"))
        held = [table for table in TABLES.values() if tables.is_there(table)]
        before = [tables.version(table) for table in held]
        self.run("nothing new")
        assert [tables.version(table) for table in held] == before

    def teardown(self) -> None:
        if not self.told:
            return
        try:
            self.compare()
        except BaseException:
            print(f"history: {'; '.join(self.told)}", flush=True)
            raise
        print(f"the same as from scratch: {'; '.join(self.told)}", flush=True)

    def compare(self) -> None:
        """With the tables that a run from scratch, not in units, makes of the same input."""
        if self.died:
            self.run("a run that ends")
        assert main(self.arguments("anew")) == 0
        tables, anew = (Tables(self.spark, str(self.folder / name)) for name in ("tables", "anew"))
        for table, left_out in SAME.items():
            rows, others = (of.find(table) for of in (tables, anew))
            if others is None:
                assert rows is None or rows.count() == 0, table.name
            else:
                assert rows is not None
                assert row_hash(rows.drop(*left_out)) == row_hash(others.drop(*left_out)), (
                    table.name
                )
        length = f"window_length = {self.length}"  # those of other lengths follow beside them
        assert whole(tables, length) == whole(anew, length)
        # Vectors of pages that are there, but that no search needs any more, stay.
        needed, held = (of.find(EMBEDDINGS) for of in (anew, tables))
        assert needed is None or (held is not None and needed.exceptAll(held).isEmpty())
        assert verify(self.arguments("tables")) == 0

    def run(self, told: str, *arguments: str) -> None:
        self.told.append(told)
        with pytest.MonkeyPatch.context() as patched:
            make_chunks_small(patched)
            assert main([*self.arguments("tables"), *arguments]) == 0, self.told
        self.died = False

    def arguments(self, root: str) -> list[str]:
        date = f"--set=wikipedia.date={20260001 + 100 * self.month}"
        where = [date, f"--set=root={self.folder / root}", f"--set=window.length={self.length}"]
        return ["--config", str(self.config), *where]

    def write_dump(self, found: Sequence[tuple[str, int]] = ()) -> None:
        """The next month's, after these changes."""
        for what, place in found:
            self.change(what, place)
        self.month += 1
        write_month(
            self.folder / "dumps",
            [tuple(pages) for pages in self.subjects],
            str(20260001 + 100 * self.month),
        )

    def write_file(self, name: str, found: list[int]) -> None:
        self.crawl[name] = found
        write_crawl(self.folder / "crawl", name, found)

    def write_evaluation(self, *texts: str) -> None:
        lines = [json.dumps({"question": text}) for text in texts]
        (self.folder / "evaluation.jsonl").write_text("\n".join(lines))

    def number(self) -> int:
        self.n_made += 1
        return self.n_made

    def change(self, what: str, place: int) -> None:
        """Does it to a subject that has its English page, or else nothing."""
        n = self.number()
        if what == "add":
            self.subjects.append(list(pair(50 + n, f"New {n}", f"ใหม่ {n}", f"Q{50 + n}")))
            return
        pages = self.subjects[place]
        if not pages or pages[0].page_id >= 100 or pages[0].redirect:
            return
        english, revision = pages[0], 30_000_000 + n
        if what == "change":
            pages[0] = replace(english, text=f"{english.text} Since {n}.", revision_id=revision)
        elif what == "delete":
            del pages[0]
        elif what == "move":
            pages[0] = replace(english, title=f"Moved {n}", revision_id=revision)
            pages.append(SourcePage(50 + n, english.title, redirect=f"Moved {n}"))
        elif what == "redirect":
            target = f"Subject {(place + 1) % N_SUBJECTS}"
            pages[0] = replace(english, text="", redirect=target, revision_id=revision)
        elif what == "item":
            pages[0] = replace(english, qid=f"Q{900 + n}")
        elif what == "disambiguate":
            pages[0] = replace(english, props=(("disambiguation", ""),))
        else:
            thai = next(page for page in pages if page.page_id >= 100)
            at = pages.index(thai)
            pages[at] = replace(thai, text=f"{thai.text} ใหม่", revision_id=revision)


def test_tables_of_any_history_are_those_of_a_run_from_scratch(
    spark: SparkSession, tmp_path: Path
) -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        lambda: History(spark, tmp_path),
        settings=settings(
            max_examples=HISTORIES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=SEED == 0,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        ),
    )


def test_tables_of_a_history_in_which_all_of_it_happens_are_those_of_a_run_from_scratch(
    spark: SparkSession, tmp_path: Path
) -> None:
    """What few drawn histories have: a run that dies in each job, and texts of an evaluation."""
    history = History(spark, tmp_path)
    history.begin([0, 1, 2, 3, 4])
    history.other_evaluation(3, 2)
    history.both_and_a_run_that_dies([("change", 4), ("add", 0)], [5, 6, 7, 8], "samples", 1)
    history.other_evaluation(4, 6)
    history.both_and_a_run_that_dies([("delete", 5), ("move", 6)], [9, 10], "pages", 1)
    history.both_and_a_run_that_dies([("redirect", 7), ("item", 8)], [11, 12], "documents", 1)
    history.removed_file(random.Random(SEED))
    new, more = [("translate", 1), ("disambiguate", 2)], list(range(13, 25))
    history.both_and_a_run_that_dies(new, more, "embeddings", 1)
    history.duplicate_file(random.Random(SEED))
    history.other_settings(192)
    history.nothing_new()
    history.rebuild()
    history.teardown()
    assert history.deaths == ["samples", "pages", "documents", "embeddings"]
