from __future__ import annotations

from typing import Any

import pytest

from crossic_etl.kernels.wiki.links import extract_links, extract_props
from crossic_etl.kernels.wikis import Wiki

LINKS = ("ll_from", "ll_lang", "ll_title")
PROPS = ("pp_page", "pp_propname", "pp_value", "pp_sortkey")
TARGETS = {lang: Wiki.of(lang) for lang in ("ar", "ja", "th")}


def links(values: str) -> list[dict[str, Any]]:
    line = f"INSERT INTO `langlinks` VALUES {values}".encode()
    return list(extract_links(line, LINKS, "en", "20260101", TARGETS))


def props(values: str) -> list[dict[str, Any]]:
    return list(extract_props(f"INSERT INTO `page_props` VALUES {values}".encode(), PROPS, "th"))


def counts(rows: list[dict[str, Any]]) -> dict[str, int]:
    return {row["outcome"]: row["n"] for row in rows if row["outcome"] != "langlink"}


def test_a_link_is_staged_with_all_that_the_table_needs() -> None:
    assert links("(12,'th','น้ำผึ้ง');")[0] == {
        "outcome": "langlink",
        "n": 1,
        "lang": "en",
        "dump_date": "20260101",
        "page_id": 12,
        "target_lang": "th",
        "evidence": "langlink",
        "target_title": "น้ำผึ้ง",
    }


@pytest.mark.parametrize(
    ("lang", "written", "expected"),
    [
        ("ja", "方位磁針", "方位磁針"),
        ("ar", "ساعة_(أداة)", "ساعة (أداة)"),
        ("th", "ดวงจันทร์#ประวัติ", "ดวงจันทร์"),
        ("ja", "wikipedia", "Wikipedia"),
        ("ja", "Rock \\'n\\' roll", "Rock 'n' roll"),
    ],
)
def test_titles_are_in_their_canonical_form(lang: str, written: str, expected: str) -> None:
    assert links(f"(1,'{lang}','{written}');")[0]["target_title"] == expected


def test_other_languages_and_empty_titles_are_counted_by_reason() -> None:
    rows = links("(1,'de','Tee'),(1,'th','ชา'),(2,'th',''),(3,'ja',NULL),(4,NULL,'x');")
    assert [row["page_id"] for row in rows if row["outcome"] == "langlink"] == [1]
    assert counts(rows) == {"read": 5, "other_language": 2, "empty_title": 2}


def test_a_line_cut_by_the_end_of_a_file_keeps_its_whole_rows() -> None:
    rows = links("(1,'th','ชา'),(2,'ja','茶'),(3,'th','กระด")
    assert [row["page_id"] for row in rows if row["outcome"] == "langlink"] == [1, 2]
    assert counts(rows) == {"read": 3, "sql": 1}


def test_a_broken_row_is_staged_with_its_kind_and_its_text() -> None:
    (broken,) = (row for row in links("(1,'th')") if row["outcome"] == "sql")
    assert broken["key"].startswith("columns:")
    assert "(1,'th')" in broken["detail"]


def test_a_row_whose_page_id_is_no_number_is_broken() -> None:
    rows = links("('x','th','ชา'),(NULL,'th','ชา'),(2,'ja','茶')")
    assert [row["page_id"] for row in rows if row["outcome"] == "langlink"] == [2]
    assert [row["n"] for row in rows if row["outcome"] in ("read", "sql")] == [3, 1, 1]
    broken = props("('x','wikibase_item','Q1',NULL),(1,'wikibase_item','Q2',NULL)")
    assert [row.get("qid") for row in broken if row["outcome"] == "prop"] == ["Q2"]
    assert sorted(row["outcome"] for row in broken) == ["page_props", "prop", "read"]


def test_different_breaks_have_different_keys() -> None:
    keys = {
        row["key"]
        for values in ("(1,'th','a", "(2,'th','b", "(2,'th','b")
        for row in links(values)
        if row["outcome"] == "sql"
    }
    assert len(keys) == 2


def test_a_line_without_rows_reads_none() -> None:
    line = b"/*!40000 ALTER TABLE `langlinks` ENABLE KEYS */;"
    assert list(extract_links(line, LINKS, "en", "20260101", TARGETS)) == [
        {"lang": "en", "dump_date": "20260101", "outcome": "read", "n": 0}
    ]


def test_the_columns_of_the_dump_say_which_value_is_which() -> None:
    line = "INSERT INTO `langlinks` VALUES ('茶','ja',7);".encode()
    rows = list(extract_links(line, ("ll_title", "ll_lang", "ll_from"), "en", "", TARGETS))
    assert (rows[0]["page_id"], rows[0]["target_title"]) == (7, "茶")


def test_props_give_items_and_disambiguation_marks_alone() -> None:
    values = "(1,'wikibase_item','Q1',NULL),(2,'disambiguation','',NULL),(3,'defaultsort','x',1);"
    assert props(values) == [
        {"outcome": "prop", "lang": "th", "page_id": 1, "qid": "Q1", "is_disambiguation": False},
        {"outcome": "prop", "lang": "th", "page_id": 2, "is_disambiguation": True},
    ]


def test_a_broken_property_is_read_and_rejected() -> None:
    rows = props("(1,'wikibase_item','Q1',NULL),(2,'wikib")
    assert [row["outcome"] for row in rows] == ["prop", "read", "page_props"]
    assert [row.get("n") for row in rows] == [None, 1, 1]
