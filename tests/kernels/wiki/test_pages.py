from __future__ import annotations

import hashlib
from datetime import datetime, timezone
from typing import Any

import pytest

from crossic_etl.kernels.wiki import pages
from crossic_etl.kernels.wiki.pages import extract_page, licence, page_url, text_hash
from crossic_etl.kernels.wikis import Wiki


def record(text: str, title: str = "Tea", ns: int = 0) -> bytes:
    return (
        f"<page><title>{title}</title><ns>{ns}</ns><id>12</id><revision><id>7</id>"
        f"<timestamp>2025-06-01T10:20:30Z</timestamp><text>{text}</text></revision>"
    ).encode()


def staged(source: bytes, lang: str = "en", max_bytes: int = 10_000) -> list[dict[str, Any]]:
    return list(extract_page(source, Wiki.of(lang), "20260101", max_bytes))


def test_an_article_is_staged_with_the_columns_of_pages() -> None:
    assert staged(record("'''Tea''' is [[water|hot]].&lt;ref&gt;x&lt;/ref&gt;", "tea_pot")) == [
        {
            "outcome": "page",
            "n": 1,
            "lang": "en",
            "dump_date": "20260101",
            "page_id": 12,
            "title": "Tea pot",
            "url": "https://en.wikipedia.org/wiki/Tea_pot",
            "revision_id": 7,
            "timestamp": datetime(2025, 6, 1, 10, 20, 30, tzinfo=timezone.utc),
            "text": "Tea is hot.",
            "text_hash": hashlib.sha256(b"Tea is hot.").hexdigest(),
            "n_chars": 11,
            "is_disambiguation": False,
            "left_out": {"ref": 1},
            "licence": "CC-BY-SA-4.0",
        }
    ]


@pytest.mark.parametrize(
    ("lang", "text", "n_chars"),
    [("ar", "الشاي مشروب.", 12), ("ja", "茶は飲み物。", 6), ("th", "น้ำชา", 5), ("ja", "𠮷野家", 3)],
)
def test_characters_are_code_points(lang: str, text: str, n_chars: int) -> None:
    (row,) = staged(record(text), lang)
    assert (row["text"], row["n_chars"]) == (text, n_chars)


def test_an_empty_article_is_a_page_without_text() -> None:
    (row,) = staged(record(""))
    assert (row["outcome"], row["text"], row["n_chars"]) == ("page", "", 0)


def test_a_redirect_is_staged_with_its_target() -> None:
    assert staged(record("#เปลี่ยนทาง [[น้ำชา#ประวัติ]]", "ชา"), "th") == [
        {
            "outcome": "redirect",
            "n": 1,
            "lang": "th",
            "dump_date": "20260101",
            "page_id": 12,
            "title": "ชา",
            "revision_id": 7,
            "target_title": "น้ำชา",
        }
    ]


@pytest.mark.parametrize(
    ("target", "expected"),
    [("Category:Tea", "Category:Tea"), (":fr:Tea", "fr:Tea"), ("User talk:Tea", "User talk:Tea")],
)
def test_a_redirect_out_of_the_articles_leads_to_none_of_them(target: str, expected: str) -> None:
    (row,) = staged(record(f"#REDIRECT [[{target}]]", "Tea pot"))
    assert (row["outcome"], row["target_title"]) == ("redirect", expected)


def test_a_disambiguation_template_marks_its_page() -> None:
    (row,) = staged(record("'''Tea''' may be:\n* a drink\n{{disambiguation}}"))
    assert row["is_disambiguation"] is True


def test_another_namespace_is_dropped_by_its_reason() -> None:
    assert [row["outcome"] for row in staged(record("x", "Talk:Tea", ns=1))] == ["namespace"]


def test_a_cut_record_is_rejected_with_key_and_detail() -> None:
    (row,) = staged(record("Tea is hot.")[:-40])
    assert (row["outcome"], row["key"]) == ("cut", "12")
    assert row["detail"].startswith("<page><title>Tea</title>")


def test_a_record_over_the_limit_is_rejected() -> None:
    assert [row["outcome"] for row in staged(record("x" * 100), max_bytes=100)] == ["too_large"]


@pytest.mark.parametrize("between", [b"", b"\n</mediawiki>\n"])
def test_what_stands_after_the_last_page_is_no_row(between: bytes) -> None:
    assert staged(between) == []


def test_a_page_that_breaks_the_extractor_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr(pages, "to_text", broken)
    assert staged(record("x")) == [
        {
            "outcome": "wikitext",
            "n": 1,
            "lang": "en",
            "dump_date": "20260101",
            "key": "12",
            "detail": "Tea: RecursionError: too deep",
        }
    ]


@pytest.mark.parametrize(
    ("lang", "title", "expected"),
    [
        ("en", "AC/DC", "https://en.wikipedia.org/wiki/AC/DC"),
        ("en", "Who? (100%)", "https://en.wikipedia.org/wiki/Who%3F_(100%25)"),
        ("ja", "茶", "https://ja.wikipedia.org/wiki/%E8%8C%B6"),
    ],
)
def test_a_page_has_its_address_on_wikipedia(lang: str, title: str, expected: str) -> None:
    assert page_url(lang, title) == expected


@pytest.mark.parametrize(
    ("dump_date", "expected"),
    [("20230606", "CC-BY-SA-3.0"), ("20230607", "CC-BY-SA-4.0"), ("", "CC-BY-SA-4.0")],
)
def test_the_licence_is_that_of_the_dump_date(dump_date: str, expected: str) -> None:
    assert licence(dump_date) == expected


def test_the_hash_is_of_the_utf8_text() -> None:
    assert text_hash("茶") == hashlib.sha256(b"\xe8\x8c\xb6").hexdigest()
