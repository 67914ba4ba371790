"""The job over small embeddings: from scratch and brought up to date, against plain numpy."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pyspark.sql import functions as F

from crossic_etl.config import Config, ConfigError
from crossic_etl.config.crawl import Neighbours, Retrieved
from crossic_etl.kernels.search.quantizer import Quantizer
from crossic_etl.pipeline import neighbours
from crossic_etl.schemas import (
    NEIGHBOURS,
    QUANTIZERS,
    REVERSE_NEIGHBOURS,
    RUNS,
    SEARCHED_VECTORS,
    SEARCHES,
    Table,
)
from crossic_etl.tables import TableError, Tables
from tests.support.neighbours_world import Found, World, expected, texts, write
from tests.support.spark_settings import settings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row, SparkSession

EXACT = Neighbours(k=5, shards=3, task_memory_mb=512, thresholds={"th": 1.1}, max_uses=2)
ROUTED = replace(EXACT, method="routed", cells=12, nprobe=4, recall_queries=1000)
WRITTEN = (NEIGHBOURS, REVERSE_NEIGHBOURS, SEARCHED_VECTORS, SEARCHES)
N_DOCUMENTS, N_QUERIES = 200, 50


def some_world(kind: str) -> World:
    """English documents, Thai and Japanese queries; among them a document that is the very text of
    a query, one with a query's address and vector, and a crowd of equal ones.
    """
    world = texts((f"d{i:03}" for i in range(N_DOCUMENTS)), "en", "document", 1)
    thai = texts((f"th:{i}" for i in range(30)), "th", kind, 2)
    japanese = texts((f"ja:{i}" for i in range(20)), "ja", kind, 3)
    others = texts([f"{kind}{i}" for i in range(5)], "en", "page", 4)  # nobody's neighbours
    world |= thai | japanese | others
    world["d000"] = replace(thai["th:0"], lang="en", kind="document", url=None)
    world["d001"] = replace(thai["th:1"], lang="en", kind="document", text_hash="d001")
    for i in range(100, 110):
        world[f"d{i}"] = replace(world[f"d{i}"], vector=thai["th:5"].vector)
    return world


def more(world: World, kind: str) -> World:
    """A twentieth more documents, some of them near to queries, and a few queries."""
    documents = texts((f"e{i:03}" for i in range(10)), "en", "document", 5)
    for i in range(3):
        documents[f"e00{i}"] = replace(documents[f"e00{i}"], vector=world[f"ja:{i}"].vector)
    return world | documents | texts(["th:30", "th:31", "th:32"], "th", kind, 6)


def fewer(world: World, found: set[Found]) -> World:
    """Without some documents that were found, and without some queries."""
    popular = sorted({row.doc_id for row in found})[::30]
    gone = {*popular, "d105", "th:2", "ja:3", "th:5"}
    return {name: text for name, text in world.items() if name not in gone}


def changed(world: World, kind: str) -> World:
    """Other vectors, addresses, hashes and languages under the same ids."""
    made = world | texts(["d020", "d021", "d022"], "en", "document", 7)
    made |= texts(["th:7", "ja:7"], "th", kind, 8)  # ja:7 is Thai now
    made["d030"] = replace(made["d030"], vector=made["th:8"].vector)
    made["d031"] = replace(made["d031"], text_hash=made["ja:8"].text_hash)
    made["d032"] = replace(made["d032"], url=made["th:9"].url, vector=made["th:9"].vector)
    made["d001"] = replace(made["d001"], text_hash="no longer", url="https://other.test/")
    return made


def found(tables: Tables) -> set[Found]:
    rows = tables.read(NEIGHBOURS).select(*Found._fields).collect()
    made = {Found(*row) for row in rows}
    assert len(made) == len(rows)
    return made


def last_run(tables: Tables) -> Row:
    row: Row = tables.read(RUNS).orderBy(F.desc("started")).head(1)[0]
    assert row.rows_in == row.rows_used + sum(row.dropped.values())
    return row


def versions(tables: Tables) -> list[int]:
    return [tables.version(table) for table in WRITTEN]


def copy_of(tables: Tables, folder: Path) -> Tables:
    """The tables in another folder."""
    shutil.copytree(tables.root, folder)
    return Tables(tables.spark, str(folder))


def config_of(tables: Tables, settings: Neighbours, queries: str = "pages") -> Config:
    retrieved = Retrieved(queries=queries)
    return Config(tables.root, ("th", "ja"), neighbours=settings, retrieved=retrieved)


def run_over(
    tables: Tables, world: World, config: Config, quantizer: Quantizer | None = None
) -> Row:
    """Runs the job over a world, and compares what the table holds with what it should."""
    write(tables, world, config)
    neighbours.run(tables.spark, config)
    langs = {"target_lang": config.languages}
    rows = tables.select(NEIGHBOURS, langs).select(*Found._fields).collect()
    assert {Found(*row) for row in rows} == expected(world, config, quantizer)
    return last_run(tables)


def assert_as_from_scratch(tables: Tables, config: Config) -> None:
    """A run that searches everything, in other partitions, finds no row to change."""
    before = versions(tables)[:2]
    tables.replace(SEARCHES, tables.read(SEARCHES).limit(0), {"target_lang": ["th", "ja"]})
    with settings(tables.spark, {"spark.sql.shuffle.partitions": "5"}):
        neighbours.run(tables.spark, config)
    run = last_run(tables)
    assert run.metrics["queries_in_all"] == run.rows_in
    assert (run.rows_out, run.metrics["removed"]) == (0, 0)
    assert versions(tables)[:2] == before


@pytest.fixture(scope="module", autouse=True)
def few_partitions(spark: SparkSession) -> Iterator[None]:
    """Each costs a task in each of a run's many small joins."""
    with settings(spark, {"spark.sql.shuffle.partitions": "2"}):
        yield


@pytest.fixture(scope="module")
def exact(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """The first exact search, with pages as queries."""
    tables = Tables(spark, str(tmp_path_factory.mktemp("exact")))
    write(tables, some_world("page"), config_of(tables, EXACT))
    neighbours.run(spark, config_of(tables, EXACT))
    return tables


@pytest.fixture(scope="module")
def routed(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """The first routed search, with documents as queries."""
    tables = Tables(spark, str(tmp_path_factory.mktemp("routed")))
    config = config_of(tables, ROUTED, "documents")
    write(tables, some_world("document"), config)
    neighbours.run(spark, config)
    return tables


def test_an_exact_search_equals_brute_force(exact: Tables) -> None:
    assert found(exact) == expected(some_world("page"), config_of(exact, EXACT))
    run = last_run(exact)
    assert (run.rows_in, run.rows_out) == (N_QUERIES, N_QUERIES * EXACT.k)
    assert (run.metrics["queries_in_all"], run.metrics["queries_in_new"]) == (N_QUERIES, 0)


def test_a_second_run_searches_and_writes_nothing_and_thresholds_need_no_search(
    exact: Tables, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="crossic_etl")
    tables = copy_of(exact, tmp_path / "tables")
    before = versions(tables)
    neighbours.run(tables.spark, config_of(tables, EXACT))
    assert versions(tables) == before
    run = last_run(tables)
    assert (run.rows_in, run.rows_out, set(run.metrics.values())) == (N_QUERIES, 0, {0})
    assert "neighbours: nothing new to search" in caplog.messages
    caplog.clear()
    config = config_of(tables, replace(EXACT, thresholds={"*": 1.05}, max_uses=1))
    neighbours.run(tables.spark, config)
    said = "neighbours: arrangements has no retrieved, so they make no samples"
    assert said in caplog.messages
    assert found(tables) == expected(some_world("page"), config)
    run = last_run(tables)
    assert run.metrics["queries_in_all"] == run.metrics["documents_in_all"] == 0
    assert 0 < run.rows_out < N_QUERIES * EXACT.k


def test_exact_runs_over_changes_equal_one_from_scratch(exact: Tables, tmp_path: Path) -> None:
    tables, world = copy_of(exact, tmp_path / "tables"), some_world("page")
    only_thai = replace(config_of(tables, replace(EXACT, shards=1)), languages=("th",))
    world = more(world, "page")
    run = run_over(tables, world, only_thai)
    assert (run.metrics["queries_in_all"], run.metrics["queries_in_new"]) == (3, 30)
    world = changed(fewer(world, found(tables)), "page")
    run = run_over(tables, world, config_of(tables, replace(EXACT, shards=7)))
    assert 0 < run.metrics["queries_in_all"] < N_QUERIES
    assert run.metrics["queries_in_new"] > 0  # the documents that Japanese hasn't seen


def test_routed_runs_over_changes_equal_one_from_scratch(
    routed: Tables, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="crossic_etl")
    tables, world = copy_of(routed, tmp_path / "tables"), some_world("document")
    config = config_of(tables, ROUTED, "documents")
    (row,) = tables.read(QUANTIZERS).collect()
    quantizer = Quantizer.from_bytes(bytes(row.quantizer))
    assert found(tables) == expected(world, config, quantizer)
    world = changed(fewer(more(world, "document"), found(tables)), "document")
    run = run_over(tables, world, config, quantizer)
    assert 0 < run.metrics["queries_in_all"] < N_QUERIES / 2
    assert tables.read(QUANTIZERS).collect() == [row]
    assert any("12 cells, nprobe 4" in message for message in caplog.messages)
    assert_as_from_scratch(tables, config)


def test_a_routed_search_measures_its_recall(routed: Tables) -> None:
    run = routed.read(RUNS).orderBy("started").head(1)[0]
    exact = expected(some_world("document"), config_of(routed, EXACT, "documents"))
    pairs = {(row.query_id, row.doc_id) for row in exact}
    hits = len(pairs & {(row.query_id, row.doc_id) for row in found(routed)})
    assert (run.metrics["recall_expected"], run.metrics["recall_found"]) == (len(pairs), hits)
    assert 0.5 * len(pairs) < hits < len(pairs)


def test_a_run_that_died_between_two_tables_is_made_good(
    exact: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables, config = copy_of(exact, tmp_path / "tables"), config_of(exact, EXACT)
    config, merge = replace(config, root=tables.root), Tables.merge

    def dying(
        self: Tables, table: Table, frame: DataFrame, gone: DataFrame, n_changes: int | None = None
    ) -> None:
        if table is REVERSE_NEIGHBOURS:
            raise RuntimeError("no space left on device")
        merge(self, table, frame, gone, n_changes=n_changes)

    write(tables, more(some_world("page"), "page"), config)
    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="no space left"):
        patch.setattr(Tables, "merge", dying)
        neighbours.run(tables.spark, config)
    run = run_over(tables, some_world("page"), config)
    assert run.metrics["queries_in_all"] == N_QUERIES


def test_a_plan_that_cannot_fit_is_refused_and_leaves_the_tables(
    exact: Tables, tmp_path: Path
) -> None:
    tables = copy_of(exact, tmp_path / "tables")
    before = versions(tables)
    tight = config_of(tables, replace(EXACT, k=6, task_memory_mb=64))
    with pytest.raises(ConfigError, match=r"neighbours\.task_memory_mb: a task needs"):
        neighbours.run(tables.spark, tight)
    assert versions(tables) == before


def test_without_vectors_it_says_what_to_run(exact: Tables) -> None:
    with pytest.raises(TableError, match="has no queries of this encoder"):
        neighbours.run(exact.spark, replace(config_of(exact, EXACT), languages=("ko",)))
