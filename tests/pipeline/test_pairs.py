"""The job over a few literal rows: pairs, their counts, rejects, and what a second run does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from crossic_etl.config import Config
from crossic_etl.pipeline import pairs
from crossic_etl.schemas import LINKS, PAGES, PAIRS, REDIRECTS, REJECTS
from crossic_etl.tables import Tables
from tests.support.rows import write_rows

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PAGE_ROWS: list[dict[str, Any]] = [
    {"lang": "en", "page_id": 1, "title": "Tea"},
    {"lang": "en", "page_id": 2, "title": "Honey"},
    {"lang": "th", "page_id": 11, "title": "ชา"},
    {"lang": "ja", "page_id": 21, "title": "蜂蜜"},
]
LINK_ROWS: list[dict[str, Any]] = [
    {"lang": "en", "page_id": 1, "target_lang": "th", "evidence": "langlink", "target_title": "ชา"},
    {"lang": "th", "page_id": 11, "target_lang": "en", "evidence": "langlink",
     "target_title": "Tea leaf"},
    {"lang": "en", "page_id": 2, "target_lang": "ja", "evidence": "qid", "target_title": "蜂蜜"},
    {"lang": "en", "page_id": 2, "target_lang": "th", "evidence": "langlink",
     "target_title": "น้ำผึ้ง"},
]  # fmt: skip
REDIRECT_ROWS: list[dict[str, Any]] = [
    {"lang": "en", "page_id": 3, "title": "Tea leaf", "target_title": "Tea"},
    {"lang": "en", "page_id": 4, "title": "Mead", "target_title": "Metheglin"},
    {"lang": "en", "page_id": 5, "title": "Metheglin", "target_title": "Mead"},
]


@pytest.fixture
def tables(spark: SparkSession, tmp_path: Path) -> Tables:
    found = Tables(spark, str(tmp_path / "tables"))
    write_rows(found, PAGES, PAGE_ROWS)
    write_rows(found, REDIRECTS, REDIRECT_ROWS)
    write_rows(found, LINKS, LINK_ROWS)
    return found


def held(tables: Tables) -> set[tuple[str, str, str, bool]]:
    columns = ("target_lang", "en_title", "target_title", "both_directions")
    return {tuple(row) for row in tables.read(PAIRS).select(*columns).collect()}


def test_links_of_either_side_make_pairs_and_a_page_that_went_ends_its_pair(
    tables: Tables,
) -> None:
    config = Config(tables.root, ("th", "ja"))
    run = pairs.run(tables.spark, config)
    assert held(tables) == {("th", "Tea", "ชา", True), ("ja", "Honey", "蜂蜜", False)}
    assert (run.rows_in, run.rows_out, run.dropped) == (4, 2, {"merged": 1, "target_missing": 1})
    cycles = {(row.key, row.reason) for row in tables.read(REJECTS).collect()}
    assert {reason for _, reason in cycles} == {"redirect_cycle"} and len(cycles) == 2
    version = tables.version(PAIRS)

    pairs.run(tables.spark, config)
    assert tables.version(PAIRS) == version

    write_rows(tables, PAGES, PAGE_ROWS[:-1])
    again = pairs.run(tables.spark, config)
    assert held(tables) == {("th", "Tea", "ชา", True)}
    assert again.dropped == {"merged": 1, "target_missing": 2}
