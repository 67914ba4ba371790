"""A second month's dumps into the tables of the first: only what changed is done, and is right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crossic_etl.pipeline import dumps as staging
from crossic_etl.sample.build import write_wiki
from crossic_etl.sample.source import SourcePage, SourceWiki
from crossic_etl.schemas import (
    LINKS,
    PAGES,
    PAIRS,
    REDIRECTS,
    REJECTS,
    RUNS,
    SAMPLES,
    WINDOWS,
    Table,
)
from crossic_etl.tables import Tables
from tests.support.commands import run as main
from tests.support.killed_runs import Killed, note_chunks
from tests.support.table_hashes import row_hash

if TYPE_CHECKING:
    from pyspark.sql import Row, SparkSession

FIRST, SECOND = "20260101", "20260201"
# A page keeps the date of the dump that it was read from; windows have generations.
SAME = {PAGES: ["dump_date"], REDIRECTS: ["dump_date"], LINKS: ["dump_date"], PAIRS: [],
        SAMPLES: [], REJECTS: []}  # fmt: skip


def pair(page_id: int, english: str, thai: str, qid: str) -> tuple[SourcePage, SourcePage]:
    """An article of both wikis that knows its other only by its Wikidata item."""
    return (
        SourcePage(page_id, english, f"{english} is a thing of its own. " * 9, qid=qid),
        SourcePage(page_id + 100, thai, f"{thai}เป็นสิ่งหนึ่ง " * 9, qid=qid),
    )


TEA, ICE, BAT, OLD, MOVED, KITE = (
    pair(1, "Tea", "ชา", "Q1"),
    pair(3, "Ice", "น้ำแข็ง", "Q3"),
    pair(4, "Bat", "ไม้ตี", "Q4"),
    pair(6, "Old", "เก่า", "Q6"),
    pair(7, "Road", "ถนน", "Q7"),
    pair(8, "Kite", "ว่าว", "Q8"),
)
LASTING = [pair(20 + i, f"Lasting {i}", f"คงอยู่ {i}", f"Q{20 + i}") for i in range(8)]
BEFORE = [TEA, ICE, BAT, OLD, MOVED, KITE, *LASTING]


def after() -> list[tuple[SourcePage, ...]]:
    """Another revision, another item, no page, another title, a redirect, and a new article."""
    tea, moved, kite = TEA[0], MOVED[0], KITE[0]
    return [
        (replace(tea, text=tea.text + "It is hot.", revision_id=20_000_001), TEA[1]),
        (replace(ICE[0], qid="Q33"), ICE[1]),
        (replace(BAT[0], props=(("disambiguation", ""),)), BAT[1]),
        (OLD[1],),
        (replace(moved, title="Way", revision_id=20_000_007), MOVED[1]),
        (SourcePage(9, "Road", redirect="Way"),),
        (replace(kite, text="", redirect="Tea", revision_id=20_000_008), KITE[1]),
        pair(10, "Moon", "ดวงจันทร์", "Q10"),
        *LASTING,
    ]


def write_month(out: Path, pages: list[tuple[SourcePage, ...]], date: str) -> None:
    every = [page for of_subject in pages for page in of_subject]
    english = tuple(page for page in every if page.page_id < 100)
    thai = tuple(page for page in every if page.page_id >= 100)
    write_wiki(SourceWiki("en", english), out, date)
    write_wiki(SourceWiki("th", thai, redirect_word="#เปลี่ยนทาง"), out, date)


Command = Callable[..., int]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("months")


@pytest.fixture(scope="module")
def command(folder: Path) -> Command:
    """The pipeline's command line over both months' dumps, its tables in a folder of a name."""
    write_month(folder / "dumps", list(BEFORE), FIRST)
    write_month(folder / "dumps", after(), SECOND)
    config = folder / "my.yaml"
    config.write_text(
        f"root: {folder}/tables\nlanguages: [th]\nwikipedia: {{dumps: {folder}/dumps}}\n"
        "arrangements: [en-first, random]\nwindow: {length: 256}\nshards: 1\n"
    )

    def run(date: str, *arguments: str, root: str = "tables") -> int:
        where = [f"--set=wikipedia.date={date}", f"--set=root={folder / root}"]
        return main(["--config", str(config), *where, *arguments])

    return run


@pytest.fixture(scope="module")
def first(spark: SparkSession, command: Command, folder: Path) -> list[Row]:
    """The windows of the first month."""
    assert command(FIRST) == 0
    rows: list[Row] = Tables(spark, str(folder / "tables")).read(WINDOWS).collect()
    return rows


@pytest.fixture(scope="module")
def months(spark: SparkSession, command: Command, folder: Path, first: list[Row]) -> Tables:
    """The tables of the first month after the second one's dumps."""
    assert command(SECOND) == 0
    return Tables(spark, str(folder / "tables"))


@pytest.fixture(scope="module")
def anew(spark: SparkSession, command: Command, folder: Path) -> Tables:
    """The tables of the second month alone."""
    assert command(SECOND, root="anew") == 0
    return Tables(spark, str(folder / "anew"))


def whole(tables: Tables, which: str = "true") -> list[tuple[str, str, str]]:
    rows = tables.read(WINDOWS).where(which).collect()
    return sorted(
        (row.arrangement, row.split, name) for row in rows for name in row.sample_ids[: row.n_whole]
    )


def last_run(tables: Tables, job: str) -> Row:
    return max(tables.read(RUNS).where(f"job = '{job}'").collect(), key=lambda row: row.started)


@pytest.mark.parametrize("table", SAME, ids=lambda table: table.name)
def test_the_tables_are_those_of_the_second_month_alone(
    months: Tables, anew: Tables, table: Table
) -> None:
    rows, others = (tables.read(table).drop(*SAME[table]) for tables in (months, anew))
    assert row_hash(rows) == row_hash(others)


def test_every_sample_is_whole_in_one_window_however_they_came(
    months: Tables, anew: Tables
) -> None:
    assert whole(months) == whole(anew)
    assert len(whole(months)) == len(set(whole(months))) > 0


def test_pages_of_a_known_revision_are_not_read_again(months: Tables) -> None:
    rows = months.read(PAGES).collect()
    # Ice and Bat are the texts that they were: only what page_props says of them is new.
    read = {(row.lang, row.title) for row in rows if row.dump_date == SECOND}
    assert read == {*(("en", title) for title in ("Tea", "Way", "Moon")), ("th", "ดวงจันทร์")}
    assert {row.dump_date for row in rows} == {FIRST, SECOND}
    (bat,) = [row for row in rows if (row.lang, row.title) == ("en", "Bat")]
    assert bat.is_disambiguation


def test_files_that_a_run_which_died_has_read_are_not_read_again(
    spark: SparkSession,
    command: Command,
    folder: Path,
    anew: Tables,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(staging, "LEAST_BYTES", 1)
    for month, dies_at, left in ((FIRST, 1, [1, 2, 3]), (SECOND, 3, [3])):
        with monkeypatch.context() as patched, pytest.raises(Killed):
            note_chunks(patched, dies_at)
            command(month, "--only", "pages", root="units")
        with monkeypatch.context() as patched:
            numbers = note_chunks(patched)
            assert command(month, "--only", "pages", root="units") == 0
        assert numbers == left
    tables = Tables(spark, str(folder / "units"))
    for table in (PAGES, REDIRECTS):
        rows, others = (of.read(table).drop(*SAME[table]) for of in (tables, anew))
        assert row_hash(rows) == row_hash(others)
    assert {row.dump_date for row in tables.read(PAGES).collect()} == {FIRST, SECOND}


def test_windows_whose_samples_are_there_stay_and_others_are_a_new_generation(
    months: Tables, first: list[Row]
) -> None:
    rows = months.read(WINDOWS).collect()
    before = {(row.arrangement, row.split, row.shard, row.position): row for row in first}
    kept = [row for row in rows if row.generation == 0]
    assert {row.generation for row in rows} == {0, 1}
    assert 0 < len(kept) < len(first)
    for row in kept:
        held = before[row.arrangement, row.split, row.shard, row.position]
        assert (row.input_ids, row.sample_ids) == (held.input_ids, held.sample_ids)
        assert row.n_new + row.n_repeated == len(row.input_ids)


def test_the_same_dumps_again_write_nothing(
    months: Tables, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    tables = (PAGES, REDIRECTS, LINKS, PAIRS, SAMPLES, WINDOWS, REJECTS, RUNS)
    before = [months.version(table) for table in tables if months.is_there(table)]
    capsys.readouterr()
    assert command(SECOND) == 0
    lines = capsys.readouterr().out.splitlines()
    jobs = ("pages", "links", "pairs", "samples", "windows")
    assert lines == [f"{job}: nothing new" for job in jobs]
    assert [months.version(table) for table in tables if months.is_there(table)] == before


def test_other_settings_are_refused_until_they_are_asked_for(
    months: Tables, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(SECOND, "--set", "seed=5") == 1
    line = capsys.readouterr().err
    assert line.startswith("error: seed: 5 given, but ")
    assert "--reconfigure" in line
    version = months.version(PAGES)
    assert command(SECOND, "--set", "seed=5", "--reconfigure", "--from", "windows") == 0
    assert months.version(PAGES) == version
    assert {row.generation for row in months.read(WINDOWS).collect()} == {0}
    assert last_run(months, "windows").state == "done"
