"""The main job on real dumps, against facts that were worked out without this code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from crossic_etl.config import Config, Wikipedia
from crossic_etl.schemas import PAGES, PAIRS, REDIRECTS, RUNS, SAMPLES, WINDOWS
from crossic_etl.tables import Tables
from jobs.pipeline import JOBS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LANGUAGES = ("ar", "es", "ja", "ko", "pt", "th")


@pytest.fixture(scope="module")
def expected(shared_data: Path) -> dict[str, Any]:
    facts: dict[str, Any] = json.loads((shared_data / "EXPECTED.json").read_text(encoding="utf-8"))
    return facts


@pytest.fixture(scope="module")
def tables(
    spark: SparkSession, shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> Tables:
    root = str(tmp_path_factory.mktemp("tables"))
    dumps = Wikipedia(dumps=str(shared_data / "wiki"), date="20220720")
    config = Config(root=root, languages=LANGUAGES, wikipedia=dumps, shards=2)
    for job in JOBS.values():
        job.run(spark, config)
    return Tables(spark, root)


@pytest.mark.parametrize("lang", ["en", *LANGUAGES])
def test_articles_and_redirects_of_a_wiki(
    tables: Tables, expected: dict[str, Any], lang: str
) -> None:
    scope, facts = {"lang": [lang]}, expected["wikis"][lang]
    pages = tables.select(PAGES, scope)
    actual = (
        pages.count(),
        sorted(row.page_id for row in pages.where("is_disambiguation").collect()),
        tables.select(REDIRECTS, scope).count(),
    )
    assert actual == (
        facts["articles"],
        sorted(facts["disambiguation_page_ids"]),
        facts["redirects_in_namespace_0"],
    )


@pytest.mark.parametrize("lang", LANGUAGES)
def test_pairs_of_a_language(tables: Tables, expected: dict[str, Any], lang: str) -> None:
    actual = {
        (row.en_page_id, row.target_page_id, tuple(row.evidence), row.both_directions)
        for row in tables.select(PAIRS, {"target_lang": [lang]}).collect()
    }
    assert actual == {
        (
            pair["en_page_id"],
            pair["page_id"],
            tuple(sorted(pair["evidence"])),
            pair["both_directions"],
        )
        for pair in expected["pairs"]["list"][lang]
    }


def test_every_run_balances(tables: Tables) -> None:
    rows = tables.read(RUNS).collect()
    assert [row.job for row in rows if row.state != "done"] == []
    assert {row.job for row in rows} == set(JOBS)
    assert all(row.rows_in == row.rows_used + sum(row.dropped.values()) for row in rows)


def test_every_sample_is_whole_in_one_window(tables: Tables) -> None:
    samples = {row.sample_id: row.n_tokens for row in tables.read(SAMPLES).collect()}
    windows = tables.read(WINDOWS).collect()
    whole = [sample for row in windows for sample in row.sample_ids[: row.n_whole]]
    assert sorted(whole) == sorted(samples)
    assert sum(row.n_new for row in windows) == sum(samples.values())
