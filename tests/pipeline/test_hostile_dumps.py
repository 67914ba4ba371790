"""Damaged dumps end in rejects with all that is readable kept, or in one clear error."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from crossic_etl.config import Config
from crossic_etl.config.etl import Wikipedia
from crossic_etl.inputs.errors import InputError
from crossic_etl.pipeline import links, pages
from crossic_etl.schemas import LINKS, PAGES, REDIRECTS, REJECTS, RUNS
from crossic_etl.tables import Tables
from tests.support.table_hashes import row_hashes

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

DATE = "20220720"
DAMAGED_PAGES = {
    "th": "cut-mid-page.xml.bz2",
    "ar": "last-1000-bytes-missing.xml.bz2",
    "es": "64-bytes-corrupted.xml.bz2",
    "pt": "hostile-wikitext.xml.bz2",  # not damaged: a valid dump of attacks
}


def lay_out(
    shared: Path, dumps: Path, damaged_pages: Mapping[str, str], others: Mapping[str, str]
) -> Config:
    """A mirror of whole dumps, some files of which are replaced by those of ``hostile``."""
    languages = (*damaged_pages, "ja")
    for lang in ("en", *languages):
        shutil.copytree(shared / "wiki" / f"{lang}wiki", dumps / f"{lang}wiki")
    named = {f"{lang}wiki-{DATE}-pages-articles-multistream.xml.bz2": hostile
             for lang, hostile in damaged_pages.items()}  # fmt: skip
    for name, hostile in {**named, **others}.items():
        path = dumps / name.partition("-")[0] / DATE / name
        path.parent.chmod(0o755)
        path.unlink()
        shutil.copy(shared / "hostile" / hostile, path)
    wikipedia = Wikipedia(str(dumps), DATE)
    return Config(str(dumps.parent / "tables"), languages, wikipedia)


@pytest.fixture(scope="module")
def facts(shared_data: Path) -> dict[str, Any]:
    text = (shared_data / "EXPECTED.json").read_text(encoding="utf-8")
    known: dict[str, Any] = json.loads(text)
    return known


@pytest.fixture(scope="module")
def config(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Config:
    others = {f"jawiki-{DATE}-langlinks.sql.gz": "cut-mid-insert-langlinks.sql.gz"}
    return lay_out(shared_data, tmp_path_factory.mktemp("damaged") / "d", DAMAGED_PAGES, others)


@pytest.fixture(scope="module")
def tables(spark: SparkSession, config: Config) -> Tables:
    pages.run(spark, config)
    links.run(spark, config)
    return Tables(spark, config.root)


def n_read(tables: Tables, lang: str) -> int:
    scope = {"lang": [lang]}
    return tables.select(PAGES, scope).count() + tables.select(REDIRECTS, scope).count()


def reasons(tables: Tables, lang: str, table: str = "pages") -> list[tuple[str, str]]:
    rows = tables.select(REJECTS, {"lang": [lang], "table": [table]}).collect()
    return sorted((row.reason, row.key) for row in rows)


def test_a_dump_cut_inside_a_page_keeps_every_whole_page(tables: Tables) -> None:
    assert n_read(tables, "th") == 11
    (reject,) = reasons(tables, "th")
    assert reject[0] in ("cut", "damaged_file")


def test_a_dump_cut_inside_a_stream_keeps_every_whole_stream(tables: Tables) -> None:
    assert 20 <= n_read(tables, "ar") < 26
    assert "damaged_file" in {reason for reason, _ in reasons(tables, "ar")}


def test_a_corrupted_stream_costs_no_page_of_the_others(tables: Tables) -> None:
    assert 10 <= n_read(tables, "es") < 30
    assert any("eswiki" in key for _, key in reasons(tables, "es"))


def test_hostile_wikitext_is_read_to_its_last_page(tables: Tables) -> None:
    assert n_read(tables, "pt") == 8
    assert reasons(tables, "pt") == []


def test_a_value_list_cut_inside_keeps_its_whole_rows(
    tables: Tables, facts: dict[str, Any]
) -> None:
    (reject,) = reasons(tables, "ja", "links")
    assert reject[0] == "sql" and reject[1].startswith("cut:")
    known = facts["hostile"]["cut-mid-insert-langlinks.sql.gz"]["complete_rows"]
    assert known == 853
    # Of its rows those to English stay; of the whole table 41 do.
    kept = tables.select(LINKS, {"lang": ["ja"], "evidence": ["langlink"]}).count()
    assert 0 < kept <= 41


def test_rows_in_are_rows_used_and_dropped(tables: Tables) -> None:
    rows = {row.job: row for row in tables.read(RUNS).collect()}
    for row in rows.values():
        assert row.state == "done"
        assert row.rows_in == row.rows_used + sum(row.dropped.values())
    assert rows["pages"].dropped["damaged_file"] >= 2


def test_told_to_fail_it_names_the_file_and_leaves_the_tables(
    tables: Tables, config: Config
) -> None:
    before = row_hashes(tables, (PAGES, REDIRECTS, LINKS, REJECTS))
    wikipedia = Wikipedia(config.wikipedia.dumps, DATE, on_damage="fail")
    with pytest.raises(InputError, match=r"(arwiki|eswiki|thwiki).* is damaged or cut short"):
        pages.run(tables.spark, Config(config.root, config.languages, wikipedia))
    assert row_hashes(tables, (PAGES, REDIRECTS, LINKS, REJECTS)) == before
    states = [row.state for row in tables.read(RUNS).orderBy("started").collect()]
    assert states == ["done", "done", "failed"]


def test_an_empty_file_is_named_before_anything_is_read(
    spark: SparkSession, shared_data: Path, tmp_path: Path
) -> None:
    config = lay_out(shared_data, tmp_path / "d", {"ko": "empty.xml.bz2"}, {})
    with pytest.raises(InputError, match=r"no pages-articles dump of ko in .*, or an empty one"):
        pages.run(spark, config)


def test_a_cut_gzip_file_keeps_what_can_be_unpacked(
    spark: SparkSession, shared_data: Path, tmp_path: Path
) -> None:
    name = f"thwiki-{DATE}-langlinks.sql.gz"
    config = lay_out(shared_data, tmp_path / "d", {"th": "cut-mid-page.xml.bz2"}, {})
    path = tmp_path / "d" / "thwiki" / DATE / name
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-200])
    pages.run(spark, config)
    links.run(spark, config)
    tables = Tables(spark, config.root)
    assert tables.select(LINKS, {"lang": ["th"], "evidence": ["langlink"]}).count() > 0
    assert any(key.startswith(name) for _, key in reasons(tables, "th", "links"))


def test_the_dump_of_another_table_is_refused(
    spark: SparkSession, shared_data: Path, tmp_path: Path
) -> None:
    config = lay_out(shared_data, tmp_path / "d", {"th": "cut-mid-page.xml.bz2"}, {})
    folder = tmp_path / "d" / "thwiki" / DATE
    props = folder / f"thwiki-{DATE}-page_props.sql.gz"
    props.unlink()
    shutil.copy(folder / f"thwiki-{DATE}-page.sql.gz", props)
    with pytest.raises(InputError, match=r"page_props.* it has no column pp_page"):
        pages.run(spark, config)
