"""Samples and windows of a few pages and documents: what is retrieved, dropped, and mixed."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

from crossic_etl.config import Config, ConfigError
from crossic_etl.config.crawl import Crawl, CrawlSource
from crossic_etl.config.encoder import choose_encoder
from crossic_etl.export import job as export
from crossic_etl.export.manifest import read_manifest
from crossic_etl.export.plan import ExportRequest
from crossic_etl.inputs.run_inputs import RunInputs
from crossic_etl.pipeline import sample_chunks, samples, windows
from crossic_etl.pipeline.flow import run_if_needed
from crossic_etl.runs.ledger import Ledger
from crossic_etl.schemas import DOCUMENTS, NEIGHBOURS, PAGES, PAIRS, RUNS, SAMPLES, WINDOWS
from crossic_etl.tables import TableError, Tables
from crossic_etl.training.reader import open_export
from tests.support.killed_runs import Killed, note_chunks
from tests.support.rows import write_rows
from tests.support.spark_settings import settings
from tests.support.table_hashes import row_hashes

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import Row, SparkSession

QUESTION = "Which of the potter's vessels stands longest on the shelf beside the river, and why?"
TEXTS = {
    **{("en", i): f"The English article number {i}." for i in (1, 2, 3)},
    ("th", 11): "บทความภาษาไทยเรื่องชา",
    ("th", 12): "บทความภาษาไทยเรื่องน้ำผึ้ง",
    ("th", 13): f"ข้อสอบ: {QUESTION}",
    ("th", 1001): "บทความที่ไม่มีคู่",
    ("en", 4): QUESTION,
}
# th:1001 has no pair: by the hash of its id it is for validation, and all pairs are for training.
FOUND = [
    ("th:11", "d1", 1.2, True),
    ("th:11", "d2", 1.1, True),
    ("th:12", "d2", 1.3, True),
    ("th:12", "d1", 1.4, False),
    ("th:13", "d2", 1.5, True),
    ("th:1001", "d1", 1.2, True),
]


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    folder = tmp_path_factory.mktemp("samples")
    evaluation = folder / "evaluation.jsonl"
    evaluation.write_text(json.dumps({"question": QUESTION}), encoding="utf-8")
    crawl = Crawl((CrawlSource("/none"),), evaluation=(str(evaluation),))
    return Config(
        str(folder / "tables"),
        ("th",),
        arrangements=("en-first", "retrieved"),
        mixture={"en-first": 0.25, "retrieved": 0.75},
        validation_share=0.45,
        shards=1,
        crawl=crawl,
    )


def neighbour(
    query: str, doc: str, margin: float, accepted: bool, model: str, revision: str
) -> Any:
    return {
        "query_id": query, "doc_id": doc, "margin": margin, "accepted": accepted,
        "model": model, "revision": revision, "target_lang": "th", "query_kind": "page",
    }  # fmt: skip


def write_input(tables: Tables, config: Config) -> None:
    """All that samples are made of."""
    choice = choose_encoder(config.encoder)
    pages: list[dict[str, Any]] = [
        {"lang": lang, "page_id": key, "title": f"{lang} {key}", "text": text, "n_chars": len(text)}
        for (lang, key), text in TEXTS.items()
    ]
    pairs: list[dict[str, Any]] = [
        {"pair_id": f"p{i}", "target_lang": "th", "en_page_id": i, "target_page_id": 10 + i}
        for i in (1, 2, 3)
    ]
    documents: list[dict[str, Any]] = [
        {"lang": "en", "doc_id": key, "text": text, "n_chars": len(text), "url": f"https://{key}"}
        for key, text in (("d1", "A web page about tea."), ("d2", "A web page about honey."))
    ]
    found = [neighbour(*row, choice.model, choice.revision) for row in FOUND]
    found.append(neighbour("th:11", "d2", 9.0, True, "another encoder", "1"))
    written = ((PAGES, pages), (PAIRS, pairs), (DOCUMENTS, documents), (NEIGHBOURS, found))
    for table, rows in written:
        write_rows(tables, table, rows)


@pytest.fixture(scope="module")
def tables(spark: SparkSession, config: Config) -> Tables:
    tables = Tables(spark, config.root)
    write_input(tables, config)
    samples.run(spark, config)
    windows.run(spark, config)
    return tables


def last_run(tables: Tables, job: str) -> Row:
    rows: list[Row] = tables.read(RUNS).where(f"job = '{job}' AND state = 'done'").collect()
    return max(rows, key=lambda row: row.started)


def test_pairs_and_what_is_retrieved_are_samples(tables: Tables) -> None:
    rows = tables.read(SAMPLES).collect()
    sides = {(r.arrangement, r.en_source_id, r.target_source_id) for r in rows}
    pairs = {("en-first", "en:1", "th:11"), ("en-first", "en:2", "th:12")}
    assert len(rows) == 4
    assert sides - pairs == {("retrieved", "d1", "th:1001"), ("retrieved", "d2", "th:12")}
    assert pairs <= sides
    (found,) = [r for r in rows if (r.arrangement, r.target_source_id) == ("retrieved", "th:12")]
    assert (found.en_text, found.target_text) == ("A web page about honey.", TEXTS["th", 12])
    assert (found.origin, found.en_url, found.en_title) == ("crawl", "https://d2", None)
    assert (found.target_title, found.split) == ("th 12", "train")


def test_every_row_that_makes_no_sample_is_counted_with_its_reason(tables: Tables) -> None:
    run = last_run(tables, "samples")
    # Three pairs, and five accepted neighbours of this encoder.
    assert (run.rows_in, run.rows_used, run.rows_out) == (8, 4, 4)
    assert run.dropped == {"contaminated": 2, "not_best": 1, "straddles_split": 1}
    assert set(run.input_versions) == {"pairs", "pages", "neighbours", "documents"}


def test_without_what_was_retrieved_there_is_a_clear_error(
    spark: SparkSession, config: Config, tmp_path: Path
) -> None:
    tables = Tables(spark, str(tmp_path))
    for table in (PAGES, PAIRS, DOCUMENTS):
        write_rows(tables, table, [])
    with pytest.raises(TableError, match="table neighbours isn't there yet"):
        samples.run(spark, replace(config, root=str(tmp_path)))


def test_samples_that_a_run_which_died_has_staged_are_not_made_again(
    spark: SparkSession,
    config: Config,
    tables: Tables,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sample_chunks, "LEAST_TEXT_PAIRS", 1)
    monkeypatch.setattr(sample_chunks, "LEAST_EMBEDDED", 4)  # of eight
    made, own = Tables(spark, str(tmp_path)), replace(config, root=str(tmp_path))
    write_input(made, own)
    with monkeypatch.context() as patched, pytest.raises(Killed):
        note_chunks(patched, dies_at=1)
        samples.run(spark, own)
    assert not made.is_there(SAMPLES)
    with monkeypatch.context() as patched:
        numbers = note_chunks(patched)
        samples.run(spark, own)
    assert numbers == [1]
    assert row_hashes(made, [SAMPLES]) == row_hashes(tables, [SAMPLES])
    assert last_run(made, "samples").dropped == last_run(tables, "samples").dropped


def test_other_evaluation_texts_in_the_same_file_are_news(
    spark: SparkSession, config: Config, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="crossic_etl")
    evaluation = tmp_path / "evaluation.jsonl"
    evaluation.write_text(json.dumps({"question": QUESTION}), encoding="utf-8")
    crawl = replace(config.crawl, evaluation=(str(evaluation),))
    made, own = Tables(spark, str(tmp_path)), replace(config, root=str(tmp_path), crawl=crawl)
    write_input(made, own)

    def run() -> list[str]:
        caplog.clear()
        inputs = RunInputs(spark, own)
        run_if_needed(samples.JOB, inputs, Ledger(inputs.tables))
        return caplog.messages

    assert "contaminated 2" in run()[-1]
    assert run() == ["samples: nothing new"]
    other = QUESTION.replace("vessels stands longest", "pupils works fastest")
    evaluation.write_text(json.dumps({"question": other}), encoding="utf-8")
    _, said = run()
    assert said.startswith("samples: 8 in, ") and "contaminated" not in said


def test_the_mixture_has_its_shares_and_the_rest_is_counted(tables: Tables) -> None:
    held = {row.sample_id: row for row in tables.read(SAMPLES).collect()}
    rows = tables.read(WINDOWS).collect()
    assert {row.arrangement for row in rows} == {"en-first", "retrieved", "mixture"}
    mixed = [held[n] for r in rows if r.arrangement == "mixture" for n in r.sample_ids[: r.n_whole]]
    run = last_run(tables, "windows")
    tokens = {
        name: sum(row.n_tokens for row in mixed if row.arrangement == name)
        for name in ("en-first", "retrieved")
    }
    assert {name: run.metrics[f"mixture_{name}"] for name in tokens} == tokens
    # All that was retrieved, and of the two pairs the one that the hash takes first.
    assert sorted(row.arrangement for row in mixed) == ["en-first", "retrieved", "retrieved"]
    assert (run.rows_in, run.rows_used, run.dropped) == (8, 7, {"mixture": 1})


def test_an_export_of_the_mixture_has_its_windows_and_names_its_samples(
    tables: Tables, config: Config, tmp_path: Path
) -> None:
    export.run(tables.spark, config, ExportRequest(str(tmp_path / "x"), "mixture"))
    held = {row.sample_id: row for row in tables.read(SAMPLES).collect()}
    rows = tables.read(WINDOWS).where("arrangement = 'mixture'").collect()
    for split in ("train", "validation"):
        exported = open_export(tmp_path / "x", split)
        wanted = sorted(row.input_ids for row in rows if row.split == split)
        assert sorted(window.input_ids.tolist() for window in exported) == wanted
    manifest = read_manifest(tmp_path / "x")
    assert manifest.arrangement == "mixture"
    mixed = {name for row in rows for name in row.sample_ids}
    assert {held[name].arrangement for name in mixed} == {"en-first", "retrieved"}
    attributed = pq.read_table(tmp_path / "x" / "attribution.parquet").to_pylist()
    assert {row["sample_id"]: row["en_url"] for row in attributed} == {
        name: held[name].en_url for name in mixed
    }
    assert sum(split.samples for split in manifest.splits.values()) == len(mixed) == 3


def test_other_partitions_over_the_same_tables_change_nothing(
    tables: Tables, config: Config
) -> None:
    before = row_hashes(tables, (SAMPLES, WINDOWS))
    with settings(tables.spark, {"spark.sql.shuffle.partitions": "7"}):
        samples.run(tables.spark, config)
        windows.run(tables.spark, config)
    assert row_hashes(tables, (SAMPLES, WINDOWS)) == before


def test_windows_of_a_mixture_without_samples_of_a_part_are_refused(
    tables: Tables, config: Config
) -> None:
    version = tables.version(WINDOWS)
    mixture = {"en-first": 0.5, "random": 0.5}
    other = replace(config, arrangements=("en-first", "random"), mixture=mixture)
    with pytest.raises(ConfigError, match="mixture: there are no samples of random; leave it out"):
        windows.run(tables.spark, other)
    assert tables.version(WINDOWS) == version
