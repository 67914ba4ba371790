from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from crossic_etl.report.content import Grid, ReportData
from crossic_etl.report.html import direction, render, web_address
from tests.report.literal_report import ARABIC, HOSTILE, literal_report

VOID = {"meta", "input", "link", "br", "img", "hr"}


class Page(HTMLParser):
    """The elements of a page with their attributes, ancestors and own text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None], tuple[str, ...], list[str]]] = []
        self._open: list[tuple[str, list[str]]] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        text: list[str] = []
        self.elements.append((tag, dict(attrs), tuple(name for name, _ in self._open), text))
        if tag not in VOID:
            self._open.append((tag, text))

    def handle_endtag(self, tag: str) -> None:
        name, _ = self._open.pop()
        assert name == tag, f"<{name}> closed by </{tag}>"

    def handle_data(self, data: str) -> None:
        if self._open:
            self._open[-1][1].append(data)

    def all(self, tag: str) -> list[tuple[dict[str, str | None], str]]:
        return [(attrs, "".join(text)) for name, attrs, _, text in self.elements if name == tag]


@pytest.fixture(scope="module")
def html() -> str:
    return render(literal_report())


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_what_comes_from_the_data_is_text_and_nothing_else(html: str, page: Page) -> None:
    assert HOSTILE not in html
    assert len(page.all("script")) == 1
    assert page.all("img") == []
    assert not [attrs for _, attrs, _, _ in page.elements if "onerror" in attrs]
    assert not [attrs for _, attrs, _, _ in page.elements if "onclick" in attrs]
    assert sum(HOSTILE in text for _, text in page.all("div")) == 2  # the texts of both sides
    assert sum(HOSTILE in text for _, text in page.all("td")) == 1
    assert {attrs["data-title"] for attrs, _ in page.all("details") if "data-title" in attrs} >= {
        f"{HOSTILE.lower()} · té"
    }


def test_the_only_script_that_may_run_is_ours(page: Page) -> None:
    ((_, script),) = page.all("script")
    policy = next(
        attrs["content"] for attrs, _ in page.all("meta")
        if attrs.get("http-equiv") == "Content-Security-Policy"
    )  # fmt: skip
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in str(policy)
    assert str(policy).startswith("default-src 'none'")


def test_links_lead_to_articles_on_the_web_or_within_the_page(page: Page) -> None:
    links = [str(attrs["href"]) for attrs, _ in page.all("a")]
    assert all(link.startswith(("https://", "#")) for link in links)
    assert "https://ja.wikipedia.org/wiki/茶" in links
    assert 'https://es.wikipedia.org/wiki/"onclick="hurt' in links
    ids = [attrs["id"] for _, attrs, _, _ in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)


def test_nothing_is_loaded_from_anywhere(html: str, page: Page) -> None:
    assert not [attrs for _, attrs, _, _ in page.elements if "src" in attrs]
    assert page.all("link") == []
    assert not re.search(r"@import|url\((?!#)", html)


def test_a_language_is_named_with_its_direction(page: Page) -> None:
    texts = [
        (attrs["lang"], attrs["dir"], text) for attrs, text in page.all("div") if "lang" in attrs
    ]
    assert ("ar", "rtl", ARABIC) in texts  # though it begins in Latin letters
    assert ("ja", "auto", "茶は飲み物である。") in texts
    assert ("en", "auto", "Tea is a drink.\n\nIt is hot.") in texts


def test_english_is_left_in_every_arrangement(page: Page) -> None:
    names = [text for attrs, text in page.all("span") if attrs.get("class") == "language"]
    assert names == ["English", "ja", "English", "ar", "English", "th", "English", "th",
                     "English", "es"]  # fmt: skip


def test_what_a_sample_lacks_and_what_is_cut_is_said(html: str) -> None:
    assert html.count("This arrangement has no text on this side.") == 2
    assert html.count("1,500 more characters") == 2
    assert "part 1 of 2 · 1,234 tokens · train" in html


def test_every_table_has_a_caption_and_headings_of_columns_and_rows(page: Page) -> None:
    tables = page.all("table")
    assert len(tables) == len(page.all("caption")) == 5
    headings = [attrs.get("scope") for attrs, _ in page.all("th")]
    assert set(headings) == {"col", "row"}
    assert headings.count("row") == len([1 for tag, _, _, _ in page.elements if tag == "tr"]) - 5


def test_headings_go_down_one_level_at_a_time(page: Page) -> None:
    levels = [int(tag[1]) for tag, _, _, _ in page.elements if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_charts_are_left_to_the_eye_and_their_numbers_to_everyone(page: Page) -> None:
    assert [attrs["aria-hidden"] for attrs, _ in page.all("svg")] == ["true"] * 3
    assert len(page.all("figcaption")) == 3


def test_numbers_are_written_in_groups_and_unknown_ones_as_a_dash() -> None:
    grid = Grid("x", ("job", "rows", "share", "seconds"), ("", ",d", ".1%", ",.1f"),
                (("pages", 1_234_567, 0.5, 1234.56), ("pairs", None, None, None)))  # fmt: skip
    assert grid.written() == [["pages", "1,234,567", "50.0%", "1,234.6"], ["pairs", "–", "–", "–"]]


def test_a_report_without_samples_has_no_browser_of_them() -> None:
    page = Page(render(ReportData("/data", "now", "1.0", 5, ())))
    assert page.all("form") == []
    assert "#samples" not in [attrs["href"] for attrs, _ in page.all("a")]


@pytest.mark.parametrize(
    ("lang", "expected"),
    [("ar", "rtl"), ("he", "rtl"), ("fa", "rtl"), ("ur", "rtl"), ("ja", "auto"), ("en", "auto")],
)
def test_direction(lang: str, expected: str) -> None:
    assert direction(lang) == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://th.wikipedia.org/wiki/น้ำ", "https://th.wikipedia.org/wiki/น้ำ"),
        ("http://a.example", "http://a.example"),
        ("javascript:alert(1)", ""),
        (" javascript:alert(1)", ""),
        ("JavaScript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("urn:ntrex:1", ""),
        ("//a.example", ""),
        ("http://[", ""),
        ("", ""),
    ],
)
def test_only_addresses_of_the_web_are_links(url: str, expected: str) -> None:
    assert web_address(url) == expected
