"""What a newcomer's first command does: the whole main job on the bundled sample."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crossic_etl.sample.build_web import load_web_sample
from crossic_etl.schemas import DOCUMENTS, NEIGHBOURS, PAIRS, RUNS, SAMPLES, WINDOWS
from crossic_etl.tables import Tables
from jobs import sample

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

LANGUAGES = ("ar", "es", "ja", "ko", "pt", "th")


@pytest.fixture(scope="module")
def first_run(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> tuple[Tables, str]:
    """The tables that it makes in a folder named relative to where it runs, and what it shows."""
    folder = tmp_path_factory.mktemp("first")
    shown = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(shown):
        patch.chdir(folder)
        assert sample.main(["warehouse"]) == 0
    return Tables(spark, str(folder / "warehouse" / "tables")), shown.getvalue()


def test_each_subject_is_a_pair_in_each_language(first_run: tuple[Tables, str]) -> None:
    rows = first_run[0].read(PAIRS).collect()
    by_lang = {
        lang: {row.en_title for row in rows if row.target_lang == lang} for lang in LANGUAGES
    }
    assert len(rows) == 14 * len(LANGUAGES)
    assert {len(titles) for titles in by_lang.values()} == {14}
    assert "Kite" not in {row.en_title for row in rows}


def test_the_traps_of_the_sample_are_seen(first_run: tuple[Tables, str]) -> None:
    pairs = {(row.target_lang, row.en_title): row for row in first_run[0].read(PAIRS).collect()}
    assert pairs["es", "Silk"].evidence == ["qid"]
    assert pairs["es", "Moon"].evidence == ["en->es"]
    assert pairs["pt", "Clock"].target_title == "Relógio"
    assert pairs["ar", "Honey"].target_title == "عسل"
    assert pairs["ja", "Silk"].target_title == "絹"


def test_every_arrangement_is_packed(first_run: tuple[Tables, str]) -> None:
    tables = first_run[0]
    samples, windows = tables.read(SAMPLES).collect(), tables.read(WINDOWS).collect()
    whole = sorted(sample for row in windows for sample in row.sample_ids[: row.n_whole])
    assert whole == sorted(row.sample_id for row in samples)
    assert len({(row.arrangement, row.split) for row in windows}) == 5 * 2


def test_every_job_balances(first_run: tuple[Tables, str]) -> None:
    rows = first_run[0].read(RUNS).collect()
    assert [row.job for row in rows if row.state != "done"] == []
    assert all(row.rows_in == row.rows_used + sum(row.dropped.values()) for row in rows)


def test_web_documents_on_the_subject_are_found(first_run: tuple[Tables, str]) -> None:
    tables = first_run[0]
    subjects = {web.url: web.subject for web in load_web_sample() if web.subject}
    english = {
        f"{row.target_lang}:{row.target_page_id}": row.en_title
        for row in tables.read(PAIRS).collect()
    }
    urls = {row.doc_id: row.url for row in tables.read(DOCUMENTS).collect()}
    nearest = {
        row.query_id: subjects.get(urls[row.doc_id])
        for row in tables.read(NEIGHBOURS).where("rank = 1").collect()
    }
    right = [key for key, title in english.items() if nearest[key] == title]
    assert len(english) == 84
    assert len(right) >= 76  # nine in ten


def test_it_shows_counts_a_sample_and_where_the_tables_are(first_run: tuple[Tables, str]) -> None:
    tables, shown = first_run
    assert "pairs: 314 in, 84 out" in shown
    assert "pairs         84" in shown
    assert "documents     71" in shown
    assert "the nearest web document" in shown
    assert "closed by <|quad_end|>" in shown
    assert tables.root in shown
    assert Path(tables.root, "pairs", "_delta_log").is_dir()
