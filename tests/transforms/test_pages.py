from __future__ import annotations

import bz2
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from crossic_etl.kernels.wikis import Wiki
from crossic_etl.schemas import PAGES, REDIRECTS, STAGED_PAGES
from crossic_etl.transforms.pages import (
    UNCHANGED,
    collect_props,
    extract_pages,
    import_plain_text,
    salvage_heads,
    salvage_pages,
    select_pages,
    select_redirects,
    truncate_oversized,
)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row, SparkSession

Frame = Callable[[str, list[tuple[Any, ...]]], "DataFrame"]
WIKIS = {lang: Wiki.of(lang) for lang in ("en", "ar", "ja", "th")}
PROPS = "lang string, page_id long, qid string, is_disambiguation boolean"


def xml(page_id: int, title: str, text: str) -> bytes:
    return (
        f"<page><title>{title}</title><ns>0</ns><id>{page_id}</id><revision><id>{page_id + 100}"
        f"</id><timestamp>2025-06-01T00:00:00Z</timestamp><text>{text}</text></revision>"
    ).encode()


def staged_page(page_id: int, **values: Any) -> tuple[Any, ...]:
    row = {
        "outcome": "page",
        "lang": "en",
        "page_id": page_id,
        "title": "Tea",
        "url": "",
        "text": "",
        "text_hash": "",
        "n_chars": 0,
        "is_disambiguation": False,
        "left_out": {},
        "licence": "",
        "dump_date": "20260101",
        "n": 1,
    } | values
    return tuple(row.get(name) for name in STAGED_PAGES.fieldNames())


def test_every_record_of_every_wiki_is_staged_and_counted(frame: Frame) -> None:
    records = frame(
        "lang string, dump_date string, value binary",
        [
            ("en", "20260101", b"<mediawiki>" + xml(1, "Tea", "'''Tea''' is hot.")),
            ("en", "20260101", b"\n</mediawiki>\n"),
            ("th", "20260120", xml(1, "น้ำชา", "'''น้ำชา''' ร้อน")),
            ("ar", "20260101", xml(2, "الشاي", "#تحويل [[شاي]]")),
            ("ja", "20260101", xml(3, "茶", "茶")[:-30]),
        ],
    )
    staged = extract_pages(records, WIKIS, 10_000)
    assert staged.schema == STAGED_PAGES
    rows = staged.collect()
    assert sorted((row.lang, row.outcome, row.title, row.text) for row in rows if row.title) == [
        ("ar", "redirect", "الشاي", None),
        ("en", "page", "Tea", "Tea is hot."),
        ("th", "page", "น้ำชา", "น้ำชา ร้อน"),
    ]
    assert sorted(row.lang for row in rows if row.outcome == "read") == ["ar", "en", "ja", "th"]
    assert [(row.lang, row.key) for row in rows if row.outcome == "cut"] == [("ja", "3")]


REVISIONS = """<page><title>Tea</title><ns>0</ns><id>1</id>
<revision><id>101</id><timestamp>2025-06-01T00:00:00Z</timestamp><text>Old.</text></revision>
<revision><id>102</id><timestamp>2025-07-01T00:00:00Z</timestamp><text>New.</text></revision>"""


@pytest.mark.parametrize(
    ("record", "outcome", "text"),
    [(REVISIONS.encode(), "page", "New."), (xml(1, "Tea", "Old."), UNCHANGED, None)],
    ids=["several revisions", "one"],
)
def test_a_record_with_a_revision_after_the_known_one_is_extracted(
    frame: Frame, record: bytes, outcome: str, text: str | None
) -> None:
    records = frame("lang string, dump_date string, value binary", [("en", "20260101", record)])
    known = frame("lang string, page_id long, revision_id long", [("en", 1, 101)])
    rows = extract_pages(records, WIKIS, 10_000, known=known).collect()
    assert {(row.outcome, row.text) for row in rows} == {("read", None), (outcome, text)}


def test_of_a_history_that_is_too_long_the_last_revision_is_extracted(frame: Frame) -> None:
    record = REVISIONS.replace("Old.", "Old. " * 100).encode()
    records = frame("lang string, dump_date string, value binary", [("en", "20260101", record)])
    rows = extract_pages(records, WIKIS, 400).collect()
    assert {(row.outcome, row.text) for row in rows} == {("read", None), ("page", "New.")}


@pytest.mark.parametrize(
    ("redirect", "article", "expected"), [(2, 1, "redirect"), (1, 2, "page"), (2, None, "redirect")]
)
def test_a_page_is_what_its_newest_revision_is(
    frame: Frame, redirect: int, article: int | None, expected: str
) -> None:
    target = {"outcome": "redirect", "revision_id": redirect, "target_title": "Cup"}
    rows = [staged_page(1, revision_id=article), staged_page(1, **target)]
    staged = frame(STAGED_PAGES.simpleString(), rows)
    props = frame(PROPS, [])
    counts = {
        "page": select_pages(staged, props).count(),
        "redirect": select_redirects(staged).count(),
    }
    assert counts == {"page": 0, "redirect": 0} | {expected: 1}


def test_an_oversized_record_is_truncated_before_it_goes_to_a_worker(frame: Frame) -> None:
    oversized = xml(7, "Oversized", "x" * 3 * 2**20)
    records = frame(
        "lang string, dump_date string, value binary",
        [("en", "20260101", oversized), ("en", "20260101", xml(1, "Tea", "hot"))],
    )
    cut = sorted(
        (len(row.value), row.is_cut) for row in truncate_oversized(records, 2**21).collect()
    )
    assert cut == [(len(xml(1, "Tea", "hot")), False), (2**20, True)]
    rows = extract_pages(records, WIKIS, 2**21).collect()
    assert sorted((row.outcome, row.title) for row in rows if row.outcome != "read") == [
        ("page", "Tea"),
        ("too_large", None),
    ]
    assert sum(row.outcome == "read" for row in rows) == 2
    (reject,) = [row for row in rows if row.outcome == "too_large"]
    assert reject.detail.startswith("<page><title>Oversized</title>")


def test_of_a_damaged_dump_whole_pages_are_kept_and_the_damage_is_rejected(frame: Frame) -> None:
    streams = [b"<mediawiki>", xml(1, "Tea", "hot") + b"</page>", xml(2, "Ice", "c") + b"</page>"]
    first, second, third = map(bz2.compress, streams)
    content = first + second + third[: len(third) // 2]
    files = frame("path string, content binary", [("file:/dumps/enwiki.xml.bz2", content)])
    rows = salvage_pages(files, WIKIS["en"], "20260101", 10_000).collect()
    assert [row.title for row in rows if row.outcome == "page"] == ["Tea"]
    damage = [row.key for row in rows if row.outcome == "damaged_file"]
    assert damage and all(key.startswith("enwiki.xml.bz2 ") for key in damage)
    assert sum(row.outcome == "read" for row in rows) == 1 + len(damage)


def test_props_are_one_row_for_each_page(frame: Frame) -> None:
    staged = frame(
        f"outcome string, {PROPS}",
        [
            ("prop", "en", 1, "Q2", False),
            ("prop", "en", 1, "Q1", False),
            ("prop", "en", 2, None, True),
            ("prop", "en", 2, "Q3", False),
            ("prop", "th", 1, "Q4", False),
            ("page", "en", 5, None, True),
        ],
    )
    assert sorted(map(tuple, collect_props(staged).collect())) == [
        ("en", 1, "Q1", False),
        ("en", 2, "Q3", True),
        ("th", 1, "Q4", False),
    ]


@pytest.fixture(scope="module")
def pages(spark: SparkSession) -> dict[tuple[str, int], Row]:
    early, late = datetime(2025, 1, 1), datetime(2025, 6, 1)
    staged = [
        staged_page(1, revision_id=5, text="old", timestamp=late),
        staged_page(1, revision_id=6, text="new", timestamp=early),
        staged_page(1, revision_id=None, text="plain"),
        staged_page(2, text_hash="b", text="b"),
        staged_page(2, text_hash="a", text="a"),
        staged_page(3, is_disambiguation=True),
        staged_page(4),
        staged_page(5),
        staged_page(1, lang="th", text="ชา"),
        staged_page(6, outcome="redirect"),
        staged_page(7, outcome="prop"),
    ]
    props = [
        ("en", 1, "Q1", False),
        ("en", 3, "Q3", False),
        ("en", 4, "Q4", True),
        ("th", 1, None, False),
        ("en", 99, "Q99", True),
    ]
    selected = select_pages(
        spark.createDataFrame(staged, STAGED_PAGES), spark.createDataFrame(props, PROPS)
    )
    assert selected.columns == PAGES.columns
    rows = selected.collect()
    assert len({(row.lang, row.page_id) for row in rows}) == len(rows)
    return {(row.lang, row.page_id): row for row in rows}


def test_pages_are_those_that_were_staged_as_such(pages: dict[tuple[str, int], Row]) -> None:
    assert sorted(pages) == [("en", 1), ("en", 2), ("en", 3), ("en", 4), ("en", 5), ("th", 1)]


def test_the_newest_revision_of_a_page_is_kept(pages: dict[tuple[str, int], Row]) -> None:
    assert (pages["en", 1].revision_id, pages["en", 1].text) == (6, "new")


def test_of_pages_without_revision_the_lower_hash_is_kept(
    pages: dict[tuple[str, int], Row],
) -> None:
    assert pages["en", 2].text == "a"


def test_items_come_from_the_props_of_the_same_wiki(pages: dict[tuple[str, int], Row]) -> None:
    assert [pages["en", i].qid for i in (1, 2, 3)] == ["Q1", None, "Q3"]
    assert pages["th", 1].qid is None


def test_a_page_is_a_disambiguation_by_its_text_or_its_props(
    pages: dict[tuple[str, int], Row],
) -> None:
    flags = [pages["en", i].is_disambiguation for i in (1, 2, 3, 4, 5)]
    assert flags == [False, False, True, True, False]


def test_a_title_redirects_once_and_from_its_lowest_page(frame: Frame) -> None:
    staged = frame(
        STAGED_PAGES.simpleString(),
        [
            staged_page(9, outcome="redirect", title="Chai", target_title="Masala chai"),
            staged_page(8, outcome="redirect", title="Chai", target_title="Tea"),
            staged_page(8, outcome="redirect", title="Chai", target_title="น้ำชา", lang="th"),
            staged_page(1, title="Chai"),
        ],
    )
    redirects = select_redirects(staged)
    assert redirects.columns == REDIRECTS.columns
    assert sorted(map(tuple, redirects.collect())) == [
        ("en", 8, "Chai", "Tea", "20260101"),
        ("th", 8, "Chai", "น้ำชา", "20260101"),
    ]


def test_nothing_staged_makes_no_pages(frame: Frame) -> None:
    staged = frame(STAGED_PAGES.simpleString(), [])
    pages = select_pages(staged, collect_props(staged))
    assert pages.columns == PAGES.columns
    assert pages.unionByName(pages).collect() == []


PLAIN_TEXT = "id string, url string, title string, text string"


def test_plain_text_becomes_a_page_or_a_reject_and_is_counted(frame: Frame) -> None:
    rows = [
        ("12", "https://th/ชา", " น้ำ_ชา  ไทย ", "ชาร้อน 𠮷"),
        ("14", None, "No address", "text"),
        ("x", "https://th/x", "X", "text"),
        ("15", "https://th/y", None, "text"),
        ("16", "https://th/z", "No text", None),
        (None, "https://th/n", " ", "text"),
    ]
    staged = import_plain_text(frame(PLAIN_TEXT, rows), WIKIS["th"])
    assert staged.schema == STAGED_PAGES
    found = staged.collect()
    pages = {row.page_id: row for row in found if row.outcome == "page"}
    assert (pages[12].title, pages[12].text, pages[12].n_chars) == ("น้ำ ชา ไทย", "ชาร้อน 𠮷", 8)
    assert pages[12].left_out == {}
    assert pages[14].url == "https://th.wikipedia.org/wiki/No_address"
    assert sum(row.n for row in found if row.outcome == "read") == 6
    rejected = {row.key for row in found if row.outcome == "plain_text"}
    assert rejected > {"x", "15", "16"} and len(rejected) == 4


def test_numbers_are_ids_of_plain_text_too(frame: Frame) -> None:
    rows = frame(PLAIN_TEXT.replace("id string", "id long"), [(3, "u", "茶", "茶は熱い")])
    staged = import_plain_text(rows, WIKIS["ja"])
    assert [(r.page_id, r.n_chars) for r in staged.collect() if r.outcome == "page"] == [(3, 4)]


def test_the_head_of_a_damaged_dump_is_what_is_left_of_it(frame: Frame) -> None:
    packed = bz2.compress(b"<siteinfo/>" + xml(1, "Tea", "a") + b"</page>" + xml(2, "Ice", "b"))
    files = frame("path string, content binary", [("x", packed), ("y", packed[:-6])])
    heads = [bytes(row.head or b"") for row in salvage_heads(files).collect()]
    assert heads == [b"<siteinfo/>" + xml(1, "Tea", "a"), b""]
