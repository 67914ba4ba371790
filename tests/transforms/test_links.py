from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from crossic_etl.kernels.wikis import Wiki
from crossic_etl.schemas import LINKS, STAGED_LINKS
from crossic_etl.transforms.links import (
    langlinks_table,
    link_shared_items,
    page_props_table,
    select_links,
)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Frame = Callable[[str, list[tuple[Any, ...]]], "DataFrame"]
PAGES = "lang string, page_id long, title string, qid string, dump_date string"
STAGED = (
    "outcome string, lang string, page_id long, target_lang string, evidence string, "
    "target_title string, dump_date string"
)


def test_pages_with_one_item_are_linked_both_ways(frame: Frame) -> None:
    pages = [
        ("en", 1, "Tea", "Q1", "20260101"),
        ("th", 5, "น้ำชา", "Q1", "20260120"),
        ("ja", 6, "茶", "Q1", "20260101"),
        ("ko", 7, "차", "Q1", "20260101"),
        ("en", 2, "Ice", "Q2", "20260101"),
        ("th", 8, "ไม่มี", None, "20260120"),
        ("en", 3, "None", None, "20260101"),
    ]
    staged = link_shared_items(frame(PAGES, pages), ["th", "ja"])
    assert staged.columns == STAGED_LINKS.fieldNames()
    rows = staged.collect()
    edges = [row for row in rows if row.outcome == "qid"]
    assert sorted((e.lang, e.page_id, e.target_lang, e.target_title) for e in edges) == [
        ("en", 1, "ja", "茶"),
        ("en", 1, "th", "น้ำชา"),
        ("ja", 6, "en", "Tea"),
        ("th", 5, "en", "Tea"),
    ]
    assert {(e.evidence, e.n) for e in edges} == {("qid", 1)}
    assert {(e.lang, e.dump_date) for e in edges} >= {("en", "20260101"), ("th", "20260120")}
    assert [row.n for row in rows if row.outcome == "read"] == [4]


def test_an_item_of_several_pages_leads_to_the_lowest_of_them(frame: Frame) -> None:
    pages = [
        ("en", 2, "Tea", "Q1", ""),
        ("en", 1, "Chai", "Q1", ""),
        ("ar", 9, "شاي", "Q1", ""),
    ]
    staged = link_shared_items(frame(PAGES, pages), ["ar"]).where("outcome = 'qid'").collect()
    assert sorted((e.lang, e.page_id, e.target_title) for e in staged) == [
        ("ar", 9, "Chai"),
        ("en", 1, "شاي"),
        ("en", 2, "شاي"),
    ]


def test_without_pages_there_are_no_edges_and_none_were_read(frame: Frame) -> None:
    rows = link_shared_items(frame(PAGES, []), ["th"]).collect()
    assert [(row.outcome, row.n) for row in rows] == [("read", 0)]


def test_a_key_given_twice_keeps_its_first_title(frame: Frame) -> None:
    staged = [
        ("langlink", "en", 1, "th", "langlink", "ข", "20260120"),
        ("langlink", "en", 1, "th", "langlink", "ก", "20260101"),
        ("qid", "en", 1, "th", "qid", "ค", "20260101"),
        ("langlink", "en", 1, "ja", "langlink", "茶", "20260101"),
        ("empty_title", "en", None, None, None, None, None),
        ("read", "en", None, None, None, None, None),
    ]
    links = select_links(frame(STAGED, staged))
    assert links.columns == LINKS.columns
    assert sorted(map(tuple, links.collect())) == [
        ("en", 1, "ja", "langlink", "茶", "20260101"),
        ("en", 1, "th", "langlink", "ก", "20260101"),
        ("en", 1, "th", "qid", "ค", "20260101"),
    ]


def test_the_extract_of_links_knows_wiki_date_and_targets() -> None:
    extract = langlinks_table("en", "20260101", {"th": Wiki.of("th")}).extract
    line = "INSERT INTO `langlinks` VALUES (1,'th','น้ำ_ชา'),(1,'ja','茶');".encode()
    rows = list(extract(line, ("ll_from", "ll_lang", "ll_title")))
    assert {row["outcome"]: (row["lang"], row["dump_date"]) for row in rows} == dict.fromkeys(
        ("langlink", "other_language", "read"), ("en", "20260101")
    )
    assert [row.get("target_title") for row in rows if row["outcome"] == "langlink"] == ["น้ำ ชา"]


@pytest.mark.parametrize("code", ["nan", "zh-min-nan"])
def test_a_link_names_its_wiki_by_any_form_of_its_code(code: str) -> None:
    extract = langlinks_table("en", "20260101", {"zh-min-nan": Wiki.of(code)}).extract
    line = f"INSERT INTO `langlinks` VALUES (1,'{code}','Tê');".encode()
    rows = list(extract(line, ("ll_from", "ll_lang", "ll_title")))
    found = [row["target_lang"] for row in rows if row["outcome"] == "langlink"]
    assert found == ["zh-min-nan"]


def test_the_extract_of_props_knows_its_wiki() -> None:
    line = b"INSERT INTO `page_props` VALUES (1,'wikibase_item','Q1');"
    rows = list(page_props_table("ar").extract(line, ("pp_page", "pp_propname", "pp_value")))
    assert [(row["lang"], row["page_id"], row["qid"]) for row in rows] == [("ar", 1, "Q1")]
