"""The job on real crawl files: copies found as they were put in, damaged files in rejects."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from crossic_etl.config import Config
from crossic_etl.config.crawl import Crawl, CrawlSource
from crossic_etl.pipeline import documents
from crossic_etl.schemas import DOCUMENTS, REJECTS, RUNS
from crossic_etl.tables import Tables
from tests.conftest import LANGUAGES
from tests.support.spark_settings import settings
from tests.support.table_hashes import row_hashes

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

WRITTEN = (DOCUMENTS, REJECTS)
EVERYTHING = Crawl(
    language="trust", min_language_score=0, min_chars=1, max_chars=10**6, quality=False
)


@pytest.fixture(scope="module")
def copies(shared_data: Path) -> list[dict[str, str]]:
    with (shared_data / "crawl/duplicates.tsv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@pytest.fixture(scope="module")
def facts(shared_data: Path) -> dict[str, Any]:
    known: dict[str, Any] = json.loads((shared_data / "EXPECTED.json").read_text("utf-8"))["crawl"]
    return known


@pytest.fixture(scope="module")
def fineweb(spark: SparkSession, shared_data: Path, tmp_path_factory: Any) -> Tables:
    """All rows in FineWeb's schema, with no rule that drops any but copies."""
    root = str(tmp_path_factory.mktemp("fineweb"))
    crawl = replace(EVERYTHING, sources=(CrawlSource(str(shared_data / "crawl/fineweb")),))
    documents.run(spark, Config(root, LANGUAGES, crawl=crawl))
    return Tables(spark, root)


def last_run(tables: Tables) -> Any:
    (run,) = tables.read(RUNS).orderBy("started", ascending=False).head(1)
    return run


def rows_with(tables: Tables, *source_ids: str) -> list[Any]:
    found = tables.read(DOCUMENTS)
    return found.where(found.source_id.isin(list(source_ids))).collect()


def source(shared_data: Path) -> dict[str, Any]:
    """The rows of the English file by id."""
    import pyarrow.parquet as pq

    rows = pq.read_table(shared_data / "crawl/fineweb/en-000.parquet").to_pylist()
    return {row["id"]: row for row in rows}


def test_rows_are_as_many_as_there_are_texts(fineweb: Tables, facts: dict[str, Any]) -> None:
    run = last_run(fineweb)
    # Doubled spaces are no other text to us: one of the near duplicates is an exact one.
    n_texts = {lang: known["distinct_texts"] for lang, known in facts["fineweb"].items()}
    n_texts["en"] -= facts["duplicates"]["near"]
    by_lang = fineweb.read(DOCUMENTS).groupBy("lang").count().collect()
    assert {row["lang"]: row["count"] for row in by_lang} == n_texts
    assert run.rows_in == sum(known["rows"] for known in facts["fineweb"].values())
    assert run.dropped == {"duplicate": 10 + 5 + 1, "near_duplicate": 4}
    assert (run.rows_out, run.state, run.metrics["near_duplicate_links"]) == (551, "done", 4)


def test_exact_copies_are_one_row_with_all_addresses(
    fineweb: Tables, copies: list[dict[str, str]], shared_data: Path
) -> None:
    rows = source(shared_data)
    exact = [copy for copy in copies if copy["kind"] == "exact"]
    for copy in exact:
        (kept,) = rows_with(fineweb, copy["id"], copy["of_id"])
        addresses = {rows[copy["id"]]["url"], rows[copy["of_id"]]["url"]}
        assert (set(kept.urls), kept.n_copies) == (addresses, 2)
        assert kept.url == min(addresses)
    assert len(exact) == 10


def test_rows_that_the_source_repeats_are_one(
    fineweb: Tables, copies: list[dict[str, str]]
) -> None:
    repeated = [copy for copy in copies if copy["kind"] == "exact-in-source"]
    for copy in repeated:
        (kept,) = rows_with(fineweb, copy["id"])
        assert (kept.n_copies, len(kept.urls)) == (2, 1)
    assert len(repeated) == 5


def test_of_near_duplicates_the_longer_text_stays(
    fineweb: Tables, copies: list[dict[str, str]], shared_data: Path
) -> None:
    rows = source(shared_data)
    near = {copy["how"]: copy for copy in copies if copy["kind"] == "near"}
    spaces = near.pop("every space doubled")
    (kept,) = rows_with(fineweb, spaces["id"], spaces["of_id"])
    assert (kept.source_id, kept.n_copies, kept.n_near_copies) == (spaces["of_id"], 2, 0)
    for copy in near.values():
        (kept,) = rows_with(fineweb, copy["id"], copy["of_id"])
        texts = [rows[copy[key]]["text"] for key in ("id", "of_id")]
        assert (kept.n_chars, kept.n_near_copies) == (max(map(len, texts)), 1)
    assert len(near) == 4


def test_a_row_is_as_the_source_has_it(fineweb: Tables, shared_data: Path) -> None:
    path = shared_data / "crawl/fineweb/th-000.parquet"
    import pyarrow.parquet as pq

    (row,) = pq.read_table(path).slice(0, 1).to_pylist()
    (kept,) = rows_with(fineweb, row["id"])
    assert (kept.text, kept.url, kept.crawl_lang) == (row["text"], row["url"], row["language"])
    assert (kept.lang, kept.lang_score, kept.n_copies) == ("th", row["language_score"], 1)
    assert (kept.date, kept.dump, kept.file) == (row["date"], row["dump"], row["file_path"])


@pytest.fixture(scope="module")
def config(shared_data: Path, tmp_path_factory: Any) -> Config:
    """Every file of every form, whole and damaged, under the default rules."""
    crawl, hostile = shared_data / "crawl", shared_data / "hostile"
    sources = (
        CrawlSource(str(crawl / "fineweb/*.parquet")),
        CrawlSource(str(hostile / "cut-short.parquet")),
        CrawlSource(str(crawl / "jsonl"), "jsonl", "dolma"),
        CrawlSource(str(hostile / "*.jsonl"), "jsonl", "dolma"),
        CrawlSource(str(crawl / "wet"), "wet"),
        CrawlSource(str(hostile / "*.warc.wet.gz"), "wet", dump="hostile"),
    )
    root = str(tmp_path_factory.mktemp("crawl"))
    return Config(root, LANGUAGES, crawl=Crawl(sources=sources))


@pytest.fixture(scope="module")
def tables(spark: SparkSession, config: Config) -> Tables:
    documents.run(spark, config)
    return Tables(spark, config.root)


def test_what_is_broken_stands_in_rejects(tables: Tables) -> None:
    rejects: DataFrame = tables.select(REJECTS, {"table": ["documents"]})
    found = sorted((row.key.rpartition("/hostile/")[2], row.reason) for row in rejects.collect())
    wet = "<urn:uuid:ba729a40-ff84-4085-8d48-0a5b2ee0c42d>"
    assert found == [
        ("broken-lines.jsonl empty-text", "empty_text"),
        ("broken-lines.jsonl http://9crimes.org/charlesxavier/", "no_text"),
        ("broken-lines.jsonl line 2", "not_json"),
        ("broken-lines.jsonl line 3", "not_utf8"),
        ("broken-lines.jsonl line 9", "not_an_object"),
        ("broken-lines.jsonl no-text", "no_text"),
        ("cut-short.parquet", "damaged_file"),
        (f"short-content-length.warc.wet.gz {wet}", "wrong_content_length"),
        (f"wrong-content-length.warc.wet.gz {wet}", "wrong_content_length"),
    ]


def test_everything_is_kept_or_dropped_for_a_reason(tables: Tables) -> None:
    run = last_run(tables)
    broken = {
        "damaged_file": 1, "not_json": 1, "not_utf8": 1, "no_text": 2, "empty_text": 1,
        "not_an_object": 1, "wrong_content_length": 2,
    }  # fmt: skip
    assert broken.items() <= run.dropped.items()
    assert run.dropped["empty_line"] == 1
    # Parquet, JSON lines, their broken ones, WET, their damaged ones, and a file that is none.
    assert run.rows_in == 571 + 30 + 10 + 71 + 6 + 1
    assert run.rows_in == run.rows_out + sum(run.dropped.values())
    assert (run.rows_out, run.dropped["near_duplicate"]) == (539, 3)


def test_the_whole_records_after_a_broken_one_are_kept(tables: Tables, config: Config) -> None:
    """They are copies of whole files' records, so they are looked for in runs of their own."""
    alone = replace(
        config,
        root=config.root + "/alone",
        crawl=replace(EVERYTHING, sources=config.crawl.sources[3:4] + config.crawl.sources[5:]),
    )
    documents.run(tables.spark, alone)
    run = last_run(Tables(tables.spark, alone.root))
    assert (run.rows_in, run.rows_out, run.dropped["duplicate"]) == (16, 5, 2)


def test_splits_and_partitions_change_nothing(tables: Tables, config: Config) -> None:
    other = replace(config, root=config.root + "/other")
    values = {
        "spark.sql.files.maxPartitionBytes": "60000",
        "spark.sql.shuffle.partitions": "3",
        "spark.sql.execution.arrow.maxRecordsPerBatch": "7",
    }
    with settings(tables.spark, values):
        documents.run(tables.spark, other)
    assert row_hashes(Tables(tables.spark, other.root), WRITTEN) == row_hashes(tables, WRITTEN)


def test_a_second_run_over_the_first_changes_nothing(tables: Tables, config: Config) -> None:
    before = row_hashes(tables, WRITTEN)
    documents.run(tables.spark, config)
    assert row_hashes(tables, WRITTEN) == before
