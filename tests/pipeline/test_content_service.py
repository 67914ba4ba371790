"""The same tables from dumps of either service."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crossic_etl.config import Config
from crossic_etl.config.etl import Wikipedia
from crossic_etl.pipeline import flow
from crossic_etl.sample.build import load_sample, write_wiki
from crossic_etl.schemas import PAGES, PAIRS, REDIRECTS, RUNS
from crossic_etl.tables import Tables
from tests.support.content_dumps import move_to_content

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.slow

DATE = "20260101"


def test_the_content_service_makes_the_tables_of_the_older_one(
    spark: SparkSession, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    jobs = flow.choose(Config("/t", ("th",)), only=["pages", "links", "pairs"])
    found = []
    for service in ("dumps", "content"):
        dumps = tmp_path / service
        for lang in ("en", "th"):
            write_wiki(load_sample(lang), dumps, DATE, compression="bz2", parts=2, schema="0.11")
            if service == "content":
                assert len(move_to_content(dumps, f"{lang}wiki", DATE)) == 2
        date = DATE if service == "dumps" else "latest"
        config = Config(str(tmp_path / f"{service}.tables"), ("th",), Wikipedia(str(dumps), date))
        with caplog.at_level("INFO"):
            flow.run_flow(spark, config, jobs)
        tables = Tables(spark, config.root)
        keys = {PAGES: "text_hash", PAIRS: "pair_id", REDIRECTS: "target_title"}
        found.append({
            table.name: sorted(row[0] for row in tables.read(table).select(key).collect())
            for table, key in keys.items()
        })  # fmt: skip
        assert tables.read(PAGES).select("dump_date").distinct().collect() == [(DATE,)]
        inputs = tables.read(RUNS).where("job = 'pages'").head()
        assert inputs and json.loads(inputs.inputs)["wikipedia.date"] == DATE
        said = "pages: dumps of the content service of en, th" in caplog.messages
        assert said == (service == "content")
    assert found[0] == found[1]
    assert all(found[0].values())


def page(number: int, title: str, **revisions: str) -> str:
    """A page with its revisions; the name of each is r and its id."""
    inside = "".join(
        f"<revision><id>{name[1:]}</id><timestamp>2025-06-01T00:00:{name[1:]}Z</timestamp>"
        f"<text>{text}</text></revision>"
        for name, text in revisions.items()
    )
    return f"<page><title>{title}</title><ns>0</ns><id>{number}</id>{inside}</page>"


def write_pages(dumps: Path, date: str, names: dict[str, str]) -> None:
    """The same pages for both wikis."""
    for wiki in ("enwiki", "thwiki"):
        folder = dumps / wiki / date
        folder.mkdir(parents=True)
        for name, pages in names.items():
            (folder / f"{wiki}-{date}-{name}").write_text(f"<mediawiki>{pages}</mediawiki>")


def test_the_newest_revision_counts_over_parts_of_a_history_and_next_month(
    spark: SparkSession, tmp_path: Path
) -> None:
    first = page(1, "Tea", r11="Old.") + page(2, "Ice", r12="Ice.") + page(3, "Cup", r13="Cup.")
    write_pages(tmp_path, "20260101", {"pages-meta-current.xml": first})
    parts = {
        "pages-meta-history1.xml-p1p9": page(1, "Tea", r11="Old.", r21="New.")
        + page(2, "Ice", r12="Ice.")
        + page(3, "Cup", r13="Cup."),
        "pages-meta-history2.xml-p1p9": page(2, "Ice", r22="#REDIRECT [[Tea]]")
        + page(3, "Cup", r03="Very old cup."),
    }
    write_pages(tmp_path, "20260201", parts)
    jobs, wikipedia = flow.choose(Config("/t", ("th",)), only=["pages"]), Wikipedia(str(tmp_path))
    found = []
    for date in ("20260101", "20260201"):
        dated = replace(wikipedia, date=date)
        config = Config(str(tmp_path / "tables"), ("th",), dated)
        flow.run_flow(spark, config, jobs)
        pages = Tables(spark, config.root).read(PAGES).where("lang = 'en'").orderBy("page_id")
        found.append([(row.title, row.text) for row in pages.collect()])
    assert found[0] == [("Tea", "Old."), ("Ice", "Ice."), ("Cup", "Cup.")]
    assert found[1] == [("Tea", "New."), ("Cup", "Cup.")]
    redirects = Tables(spark, config.root).read(REDIRECTS).where("lang = 'en'").collect()
    assert [(row.title, row.target_title) for row in redirects] == [("Ice", "Tea")]
