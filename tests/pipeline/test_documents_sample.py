"""The job on the bundled crawl: its traps fall for their reasons."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from crossic_etl.config import Config
from crossic_etl.config.crawl import Crawl, CrawlSource
from crossic_etl.pipeline import documents
from crossic_etl.sample.build_web import BLOCKED_URLS, EVALUATION, build_web_sample
from crossic_etl.schemas import DOCUMENTS, REJECTS, RUNS
from crossic_etl.tables import Tables
from tests.conftest import LANGUAGES

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    folder = tmp_path_factory.mktemp("sample")
    build_web_sample(folder / "crawl")
    crawl = Crawl(
        sources=(
            CrawlSource(str(folder / "crawl/fineweb")),
            CrawlSource(str(folder / "crawl/dolma"), "jsonl", "dolma"),
            CrawlSource(str(folder / "crawl/wet"), "wet"),
        ),
        evaluation=(str(folder / "crawl" / EVALUATION),),
        blocked_urls=str(folder / "crawl" / BLOCKED_URLS),
    )
    return Config(str(folder / "tables"), LANGUAGES, crawl=crawl)


@pytest.fixture(scope="module")
def tables(spark: SparkSession, config: Config) -> Tables:
    documents.run(spark, config)
    return Tables(spark, config.root)


def last_run(tables: Tables) -> Any:
    (run,) = tables.read(RUNS).orderBy("started", ascending=False).head(1)
    return run


def test_every_trap_falls_for_its_reason(tables: Tables) -> None:
    run = last_run(tables)
    assert (run.rows_in, run.rows_out) == (83, 71)
    assert run.dropped == {
        "duplicate": 4, "near_duplicate": 3, "too_short": 1, "max_top_ngrams": 1,
        "other_language": 1, "contaminated": 1, "blocked_domain": 1,
    }  # fmt: skip
    assert tables.read(REJECTS).count() == 0


def test_documents_are_of_their_languages(tables: Tables) -> None:
    counts = tables.read(DOCUMENTS).groupBy("lang").count().collect()
    assert {row["lang"]: row["count"] for row in counts} == {"en": 35} | dict.fromkeys(LANGUAGES, 6)


def test_of_a_chain_of_near_duplicates_one_stays(tables: Tables) -> None:
    clusters = tables.read(DOCUMENTS).where("n_near_copies > 0").collect()
    assert sorted((row.lang, row.n_near_copies) for row in clusters) == [("en", 2), ("ja", 1)]


def test_near_duplicates_may_all_be_kept(tables: Tables, config: Config, tmp_path: Path) -> None:
    kept = replace(config, root=str(tmp_path), crawl=replace(config.crawl, near_duplicates=0))
    documents.run(tables.spark, kept)
    run = last_run(Tables(tables.spark, kept.root))
    assert (run.rows_out, run.dropped["duplicate"]) == (74, 4)
    assert "near_duplicate" not in run.dropped
