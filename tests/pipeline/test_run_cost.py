"""What runs over the bundled sample ask of Spark: counts, which don't depend on the machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crossic_etl.cli.sample import placed
from crossic_etl.config import Config, load_config
from crossic_etl.pipeline.flow import run_flow
from crossic_etl.sample.build import SAMPLE_LANGUAGES, build_sample, load_sample, write_wiki
from crossic_etl.sample.build_web import build_web_sample
from crossic_etl.schemas import TABLES
from crossic_etl.tables import Tables
from crossic_etl.tables.lock import Lock
from tests.support.spark_counts import SparkCounts, counting

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

MONTH = "20260201"
DOCUMENT = (
    "Bakers keep a starter of flour and water alive for years, and feed it every day.\n"
    "The dough needs more time than work: it rests, it is folded, and it rests again.\n"
    "Whoever hurries has a flat loaf, and whoever waits has one with a crust that sings.\n"
    "In the morning the oven is hot, and the first loaves are on the table before the sun is up.\n"
    "The bakery on the corner sells them warm, and it has done so for more than eighty years."
)


@pytest.fixture(autouse=True, scope="module")
def _no_beats() -> Iterator[None]:
    """A lock's beats are counted by the clock, and all else by what is asked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Lock, "beat", lambda lock, seconds: None)
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample")
    build_sample(folder / "dumps")
    build_web_sample(folder / "crawl")
    return folder


@pytest.fixture(scope="module")
def config(folder: Path) -> Config:
    with as_file(files("crossic_etl.sample") / "config.yaml") as path:
        return placed(load_config(path), folder)


@pytest.fixture(scope="module")
def first(spark: SparkSession, folder: Path, config: Config) -> SparkCounts:
    """A run from nothing."""
    with counting(spark, folder) as counts:
        run_flow(spark, config)
    return counts


def test_a_run_from_nothing(first: SparkCounts) -> None:
    assert first.executions <= 350
    assert first.jobs <= 250
    assert first.commits <= 35


def test_a_run_without_news_commits_nothing(
    spark: SparkSession, folder: Path, config: Config, first: SparkCounts
) -> None:
    with counting(spark, folder) as counts:
        runs = run_flow(spark, config)
    assert all(run.nothing_new for run in runs.values())
    assert counts.executions <= 60 < first.executions
    assert counts.commits == 0


def test_a_month_with_a_page_and_a_document(
    spark: SparkSession, folder: Path, config: Config, first: SparkCounts
) -> None:
    for lang in SAMPLE_LANGUAGES:
        wiki = load_sample(lang)
        if lang == "es":
            number = next(i for i, page in enumerate(wiki.pages) if page.langlinks)
            page = wiki.pages[number]
            changed = replace(page, text=f"{page.text}\n\nUna frase nueva.\n", revision_id=10**9)
            pages = (*wiki.pages[:number], changed, *wiki.pages[number + 1 :])
            wiki = replace(wiki, pages=pages)
        write_wiki(wiki, folder / "dumps", MONTH)
    row = {"id": "new", "text": DOCUMENT, "metadata": {"url": "https://example.org/starter"}}
    lines = next(source for source in config.crawl.sources if source.format == "jsonl")
    (Path(lines.path) / "new.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    later = replace(config, wikipedia=replace(config.wikipedia, date=MONTH))
    with counting(spark, folder) as counts:
        runs = run_flow(spark, later)
    assert runs["documents"].rows_in == runs["documents"].rows_out == 1
    assert not runs["samples"].nothing_new
    assert counts.executions <= 380
    assert counts.commits <= 30


def test_nothing_but_tables_is_left(config: Config, first: SparkCounts) -> None:
    found = {path.name for path in Path(config.root).iterdir()}
    assert found <= {*TABLES, "writer", "_staging"}
    assert not list((Path(config.root) / "_staging").iterdir())


def test_other_programs_read_every_table(
    spark: SparkSession, config: Config, first: SparkCounts
) -> None:
    polars, duckdb = pytest.importorskip("polars"), pytest.importorskip("duckdb")
    deltalake = pytest.importorskip("deltalake")
    tables = Tables(spark, config.root)
    for name, table in TABLES.items():
        if (frame := tables.find(table)) is None:
            continue
        path, n_rows = f"{config.root}/{name}", frame.count()
        opened = deltalake.DeltaTable(path)
        assert opened.to_pyarrow_table().num_rows == n_rows
        assert polars.read_delta(path).height == n_rows
        paths = opened.file_uris()
        counted = duckdb.sql(f"SELECT count(*) FROM read_parquet({paths})") if paths else None
        assert (counted.fetchone()[0] if counted else 0) == n_rows
