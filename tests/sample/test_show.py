"""What a newcomer's first command does: the whole main job on the bundled sample."""

from __future__ import annotations

import contextlib
import io
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crossic_etl.sample.build_web import load_web_sample
from crossic_etl.sample.show import show_sample
from crossic_etl.schemas import DOCUMENTS, NEIGHBOURS, PAIRS, RUNS, SAMPLES, WINDOWS
from crossic_etl.tables import Tables
from tests.support.commands import sample
from tests.support.rows import row_of

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
        assert sample(["warehouse"]) == 0
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
    whole = [
        sample
        for row in windows
        if row.arrangement != "mixture"
        for sample in row.sample_ids[: row.n_whole]
    ]
    assert sorted(whole) == sorted(row.sample_id for row in samples)
    assert len({(row.arrangement, row.split) for row in windows}) == (6 + 1) * 2


def test_retrieved_samples_join_articles_and_web_documents(
    first_run: tuple[Tables, str],
) -> None:
    tables = first_run[0]
    rows = tables.read(SAMPLES).where("arrangement = 'retrieved'").collect()
    accepted = {row.query_id for row in tables.read(NEIGHBOURS).where("accepted").collect()}
    texts = {row.doc_id: row.text for row in tables.read(DOCUMENTS).collect()}
    assert {row.origin for row in rows} == {"crawl"}
    assert {row.target_source_id for row in rows} <= accepted
    assert all(row.en_text in texts[row.en_source_id] for row in rows)
    assert {row.target_lang for row in rows} == set(LANGUAGES)


def test_no_document_is_on_both_sides_of_the_split(first_run: tuple[Tables, str]) -> None:
    splits: dict[str, set[str]] = {}
    for row in first_run[0].read(SAMPLES).collect():
        for source in filter(None, (row.en_source_id, row.target_source_id)):
            splits.setdefault(source, set()).add(row.split)
    assert {len(sides) for sides in splits.values()} == {1}


def test_the_mixture_has_its_shares_of_the_tokens(first_run: tuple[Tables, str]) -> None:
    tables = first_run[0]
    held = {row.sample_id: row for row in tables.read(SAMPLES).collect()}
    tokens: Counter[str] = Counter()
    for row in tables.read(WINDOWS).where("arrangement = 'mixture'").collect():
        for name in row.sample_ids[: row.n_whole]:
            tokens[held[name].arrangement] += held[name].n_tokens
    assert tokens["retrieved"] / sum(tokens.values()) == pytest.approx(0.3, abs=0.03)


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
    assert re.search(r"\bdocuments: \d+ in, 71 out", shown)
    assert "420 documents that an exact search finds (recall " in shown
    assert "of 84 articles the nearest is known to be on its subject" in shown
    assert "arrangement en-first: " in shown
    assert "arrangement retrieved: https://" in shown
    assert shown.count("closed by <|quad_end|>") == 2
    assert tables.root in shown
    assert Path(tables.root, "pairs", "_delta_log").is_dir()


def test_where_no_pair_is_whole_the_first_segment_is_shown(spark: SparkSession) -> None:
    texts = {"en_text": "Tea", "target_text": "Té", "en_title": "Tea", "target_title": "Té"}
    rows = [
        row_of(
            SAMPLES, sample_id=str(n), arrangement="mix", target_lang="es", segment=segment,
            n_segments=n, n_tokens=9 - segment, split_token="|", **texts,
        )
        for n in (3, 2)
        for segment in range(n)
    ]  # fmt: skip
    shown = show_sample(spark.createDataFrame(rows, SAMPLES.schema), "mix")
    assert "one sample of 9 tokens, arrangement mix: Tea | Té, segment 1 of 2, closed by |" in shown
