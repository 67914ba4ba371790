"""The job as files come month after month: the same tables as of all files at once."""

from __future__ import annotations

import json
import logging
import os
import random
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from crossic_etl.config import Config
from crossic_etl.config.crawl import Crawl, CrawlSource
from crossic_etl.pipeline import documents
from crossic_etl.pipeline.crawl import staging as crawl_staging
from crossic_etl.schemas import (
    CRAWL_FILES,
    CRAWL_TEXTS,
    DOCUMENTS,
    NEAR_DUPLICATE_LINKS,
    REJECTS,
    RUNS,
)
from crossic_etl.tables import Tables
from tests.support.killed_runs import Killed, note_chunks
from tests.support.spark_settings import settings
from tests.support.table_hashes import row_hash, row_hashes

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

WRITTEN = (DOCUMENTS, REJECTS)
STATE = (CRAWL_FILES, CRAWL_TEXTS, NEAR_DUPLICATE_LINKS)
N_FILES = 8


def texts(rng: random.Random) -> list[str]:
    """Ten subjects in seven texts each, which are near duplicates of some of the others."""
    words = ["".join(rng.choices("aeioukstnrml", k=6)) for _ in range(1500)]
    found = []
    for _ in range(10):
        base = rng.sample(words, 90)
        for _ in range(7):
            changed = list(base)
            for place in rng.sample(range(90), rng.randrange(16)):
                changed[place] = rng.choice(words)
            found.append(" ".join(changed[: rng.randrange(84, 91)]))
    return found


def write_world(folder: Path) -> list[Path]:
    """Files with copies in other case and spacing, near duplicates, broken and short lines."""
    rng = random.Random(13)
    folder.mkdir()
    known, files = texts(rng), []
    for i in range(N_FILES):
        lines = []
        for _ in range(14):
            text = rng.choice(known)
            text = rng.choice((text, text, text.upper(), text.replace(" ", "  ", 3)))
            url = rng.choice((None, f"https://{rng.randrange(40)}.example/"))
            row = {"text": text, "url": url, "lang": "en", "date": f"2024-0{rng.randrange(1, 4)}"}
            lines.append(json.dumps(row))
        lines += ["{", json.dumps({"text": "short", "lang": "en"})]
        (folder / f"{i}.jsonl").write_text("\n".join(lines) + "\n")
        files.append(folder / f"{i}.jsonl")
    return files


def move(files: list[Path], to: Path) -> None:
    for path in files:
        path.rename(to / path.name)  # size and time stay


def config_of(root: Path, crawl: Path, **changed: Any) -> Config:
    fields = {name: name for name in ("text", "url", "lang", "date")}
    rules = {"language": "trust", "min_chars": 50, "quality": False, "near_duplicates": 0.7}
    sources = (CrawlSource(str(crawl), "jsonl", fields),)
    return Config(str(root), ("th",), crawl=Crawl(sources=sources, **rules | changed))


def last_run(tables: Tables) -> Any:
    (run,) = tables.read(RUNS).orderBy("started", ascending=False).head(1)
    return run


def versions(tables: Tables) -> dict[str, int]:
    return {table.name: tables.version(table) for table in (*WRITTEN, *STATE)}


def links(tables: Tables) -> tuple[int, int]:
    """Those of the newest batch, of which the files of this run are."""
    found = tables.read(NEAR_DUPLICATE_LINKS)
    (newest,) = tables.read(CRAWL_FILES).selectExpr("max(batch)").collect()[0]
    return row_hash(found.where(found.batch == newest).drop("batch"))


@pytest.fixture(scope="module", autouse=True)
def few_partitions(spark: SparkSession) -> Iterator[None]:
    with settings(spark, {"spark.sql.shuffle.partitions": "2"}):
        yield


class World:
    """Files, those that came so far, and what all of them make in one run."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        self.spark, self.folder = spark, folder
        self.crawl, self.later = folder / "crawl", folder / "later"
        self.crawl.mkdir()
        self.files = write_world(self.later)
        self.at_once = Tables(spark, str(folder / "at once"))
        self.tables = Tables(spark, str(folder / "months"))

    def come(self, *numbers: int) -> None:
        move([self.later / f"{i}.jsonl" for i in numbers], self.crawl)

    def run(self, tables: Tables, **changed: Any) -> Any:
        documents.run(self.spark, config_of(Path(tables.root), self.crawl, **changed))
        return last_run(tables)


@pytest.fixture(scope="module")
def world(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> World:
    """The files of three months, of which two are read."""
    world = World(spark, tmp_path_factory.mktemp("world"))
    world.come(4, 1, 6)
    first = world.run(world.tables)
    world.come(7, 0)
    second = world.run(world.tables)
    for run, n_files in ((first, 3), (second, 2)):
        assert run.rows_in == n_files * 16
        assert run.rows_in == run.rows_out + sum(run.dropped.values())
        assert (run.dropped["not_json"], run.dropped["too_short"]) == (n_files, n_files)
        assert run.metrics["files_read"] == n_files
    assert second.metrics["files"] == 5
    world.come(2, 3, 5)
    world.run(world.at_once)
    return world


def test_months_leave_what_all_files_at_once_leave_wherever_a_run_dies(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Runs over the third month die one write later each, until one doesn't."""
    with monkeypatch.context() as patched:
        kill_after(patched, n_writes := [1])
        while True:
            try:
                run = world.run(world.tables)
            except Killed:
                n_writes[0] += 1
            else:
                break
    assert n_writes[0] == 6
    assert row_hashes(world.tables, WRITTEN) == row_hashes(world.at_once, WRITTEN)
    assert links(world.tables) == links(world.at_once)
    at_once = last_run(world.at_once)
    assert run.metrics["near_duplicate_links"] == at_once.metrics["near_duplicate_links"] > 10
    assert run.metrics["documents"] == at_once.metrics["documents"] == at_once.rows_out > 10
    assert at_once.dropped["near_duplicate"] > 10
    assert (run.rows_in, at_once.rows_in) == (3 * 16, N_FILES * 16)


def test_a_run_without_news_reads_and_writes_nothing(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="crossic_etl")
    before, n_runs = versions(world.tables), world.tables.version(RUNS)
    world.run(world.tables)
    started, line = caplog.messages
    assert started.startswith("documents: started ") and line == "documents: nothing new"
    assert (versions(world.tables), world.tables.version(RUNS)) == (before, n_runs)


def test_files_that_a_run_which_died_has_read_are_not_read_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    n_bytes = sum(path.stat().st_size for path in world.crawl.iterdir())
    monkeypatch.setattr(crawl_staging, "LEAST_BYTES", n_bytes // 3)
    tables = Tables(world.spark, str(world.folder / "units"))
    with monkeypatch.context() as patched, pytest.raises(Killed):
        note_chunks(patched, dies_at=2)
        world.run(tables)
    with monkeypatch.context() as patched:
        numbers = note_chunks(patched)
        run = world.run(tables)
    assert numbers == [2]
    assert (run.rows_in, run.metrics["files_read"]) == (N_FILES * 16, N_FILES)
    assert row_hashes(tables, WRITTEN) == row_hashes(world.at_once, WRITTEN)


def kill_after(patched: pytest.MonkeyPatch, n_writes: list[int]) -> None:
    """Ends a run after so many writes to its tables, which are counted anew when it begins."""
    left = [0]
    for name in ("replace", "merge"):
        write = getattr(Tables, name)

        def killing(self: Tables, *args: Any, write: Any = write, **named: Any) -> Any:
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            return write(self, *args, **named)

        patched.setattr(Tables, name, killing)
    begin = documents.load_rules

    def beginning(*args: Any) -> Any:
        left[0] = n_writes[0]
        return begin(*args)

    patched.setattr(documents, "load_rules", beginning)


def test_a_file_that_changed_or_went_has_everything_read_anew(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="crossic_etl")
    (world.crawl / "6.jsonl").unlink()
    changed = world.crawl / "4.jsonl"
    changed.write_text(changed.read_text().partition("\n")[2])
    os.utime(changed, (1, 1))
    run = world.run(world.tables)
    said = "documents: all files are read anew: 1 of the files that were read, as"
    assert any(message.startswith(said) for message in caplog.messages)
    assert (run.rows_in, run.metrics["files_read"]) == (7 * 16 - 1, 7)
    assert run.metrics["removed"] > 0
    assert run.metrics["written"] < run.metrics["documents"]
    assert world.tables.read(REJECTS).count() == 7
    assert world.tables.read(CRAWL_TEXTS).select("batch").distinct().count() == 1


def test_documents_that_are_not_as_they_were_left_are_made_again(world: World) -> None:
    before = row_hashes(world.tables, WRITTEN)
    world.spark.sql(f"DELETE FROM {world.tables.name('documents')} WHERE n_copies = 1")
    run = world.run(world.tables)
    assert row_hashes(world.tables, WRITTEN) == before
    assert (run.rows_in, run.metrics["files_read"]) == (0, 0)
    assert 0 < run.metrics["written"] < run.metrics["documents"]
