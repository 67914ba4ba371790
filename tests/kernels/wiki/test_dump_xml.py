from __future__ import annotations

import bz2
import json
from collections import Counter
from datetime import datetime, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossic_etl.kernels.wiki.dump_records import Dropped, Page, Redirect, Reject
from crossic_etl.kernels.wiki.dump_xml import parse_record, parse_siteinfo, redirect_link
from crossic_etl.kernels.wikis import Wiki
from tests.support.cpu_limit import no_hang

EN = Wiki("en", namespaces={"category": 14, "user talk": 3}, redirect_words=("#redirect",))
JA = Wiki("ja", redirect_words=("#転送", "＃転送"))
MOMENT = datetime(2021, 1, 23, 15, 15, 1, tzinfo=timezone.utc)
HEAD = (
    '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.10/" version="0.10" xml:lang="en">\n'
    "  <siteinfo>\n    <case>first-letter</case>\n    <namespaces>\n"
    '      <namespace key="0" case="first-letter" />\n'
    '      <namespace key="14" case="first-letter">Catégorie</namespace>\n'
    "    </namespaces>\n  </siteinfo>"
)
REVISION = (
    "<revision><id>7</id><parentid>6</parentid><timestamp>2021-01-23T15:15:01Z</timestamp>"
    "<contributor><username>A</username><id>99</id></contributor>"
    "<model>wikitext</model><format>text/x-wiki</format>"
    '<text bytes="5" xml:space="preserve">{}</text><sha1>x</sha1></revision>'
)
PLAIN = f"\n  <page><title>pan &amp; oil</title><ns>0</ns><id>3</id>{REVISION.format('Bread')}"


def parse(record: str, wiki: Wiki = EN) -> object:
    return parse_record(record.encode(), wiki)


def page_with(revision: str, title: str = "Pan", more: str = "<ns>0</ns>") -> str:
    return f"\n  <page><title>{title}</title>{more}<id>3</id>{revision}\n  "


def reason(record: bytes | str) -> str | None:
    outcome = parse_record(record.encode() if isinstance(record, str) else record, EN)
    return outcome.reason if isinstance(outcome, Reject) else None


def test_a_page() -> None:
    assert parse(PLAIN) == Page(3, 0, "Pan & oil", 7, MOMENT, "Bread")


@pytest.mark.parametrize("text", ["", "أكسجين", "東京 🗼", "น้ำผึ้ง", "a\n b\t\n"])
def test_text_is_kept_to_the_letter(text: str) -> None:
    outcome = parse(page_with(f"<revision><id>7</id><text>{text}</text></revision>"))
    assert outcome == Page(3, 0, "Pan", 7, None, text)


def test_the_dumps_head_stands_before_its_first_page() -> None:
    assert parse(HEAD + PLAIN) == parse(PLAIN)
    assert parse("\ufeff" + HEAD + PLAIN) == parse(PLAIN)
    assert parse('<?xml version="1.0"?>\n' + HEAD + PLAIN) == parse(PLAIN)


@pytest.mark.parametrize("record", ["", "\n", "\n</mediawiki>\n", HEAD + "\n</mediawiki>\n"])
def test_no_page_and_nothing_wrong(record: str) -> None:
    assert parse(record) is None


def test_the_last_revision_of_a_history_counts() -> None:
    old = "<revision><id>{}</id><timestamp>{}</timestamp><text>{}</text></revision>"
    first = old.format(10, "2020-01-01T00:00:00Z", "a")
    last = old.format(9, "2021-01-01T00:00:00Z", "b")
    same_second = old.format(8, "2021-01-01T00:00:00Z", "c")
    for record in (first + last + same_second, same_second + last + first):
        outcome = parse(page_with(record))
        assert isinstance(outcome, Page) and (outcome.wikitext, outcome.revision_id) == ("b", 9)


def test_schema_0_3_has_no_ns_and_no_redirect_element() -> None:
    text = "<revision><id>7</id><text>{}</text></revision>"
    redirect = parse(page_with(text.format("#REDIRECT [[oil#Use]]"), more=""))
    assert redirect == Redirect(3, "Pan", "Oil", 0, "")
    category = parse(page_with(text.format("x"), title="Category:Pans", more=""))
    assert category == Dropped("namespace", 3, "Category:Pans")
    assert parse(page_with(text.format("x"), more="")) == Page(3, 0, "Pan", 7, None, "x")


def test_schema_0_11_slots_are_not_the_text() -> None:
    revision = (
        "<revision><id>7</id><origin>7</origin><model>wikitext</model><text>main</text><content>"
        "<role>info</role><model>json</model><text>{}</text></content></revision>"
    )
    assert parse(page_with(revision)) == Page(3, 0, "Pan", 7, None, "main")


def test_a_redirect_takes_its_target_from_its_element_without_a_fragment() -> None:
    element = '<ns>0</ns><redirect title="Watt&#039;s engine" />'
    record = page_with(REVISION.format("#redirect : [[watt's_engine#Early_years|x]]"), more=element)
    assert parse(record) == Redirect(3, "Pan", "Watt's engine", 0, "")


def test_a_redirect_by_the_wikis_own_word() -> None:
    text = "<revision><id>7</id><text>{}</text></revision>"
    assert parse(page_with(text.format("＃転送 [[東京]]")), JA) == Redirect(3, "Pan", "東京", 0, "")
    outcome = parse(page_with(text.format("＃転送 [[東京]]")), EN)
    assert isinstance(outcome, Page)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("#REDIRECT [[A]]", "A"),
        ("\n #Redirect:[[A|b]] {{R}}", "A"),
        ("#redirect [[A%20B]]", "A B"),
        ("#redirect [[A &amp; B]]", "A & B"),
        ("#redirect A", ""),
        ("#redirect see [[A]]", ""),
        ("#redirect [[A\nB]]", ""),
        ("see #redirect [[A]]", ""),
        ("", ""),
    ],
)
def test_redirect_link(text: str, expected: str) -> None:
    assert redirect_link(text, EN) == expected


@pytest.mark.parametrize(
    ("lang", "word"),
    [("tr", "#YÖNLENDİRME"), ("tr", "#yönlendirme"), ("el", "#ΑΝΑΚΑΤΕΥΘΥΝΣΗ"),
     ("ru", "#Перенаправление"), ("az", "#İSTİQAMƏTLƏNDİRMƏ"),
     ("hi", "#पुनर्प्रेषित"), ("zh", "#重定向"), ("de", "#Weiterleitung:")],
)  # fmt: skip
def test_a_redirect_may_begin_with_the_wikis_own_word(lang: str, word: str) -> None:
    assert redirect_link(f"{word} [[A]]", Wiki.of(lang)) == "A"
    assert redirect_link(f"{word} [[A]]", Wiki.of("en")) == ""


def test_redirects_to_other_namespaces_and_wikis_say_so() -> None:
    text = "<revision><id>7</id><text>{}</text></revision>"
    to_category = parse(page_with(text.format("#redirect [[:category:pans]]")))
    assert to_category == Redirect(3, "Pan", "Pans", 14, "")
    to_wiki = parse(page_with(text.format("#redirect [[:fr:poêle]]")))
    assert to_wiki == Redirect(3, "Pan", "poêle", 0, "fr")


def test_what_is_dropped() -> None:
    other = page_with(REVISION.format("x"), more="<ns>10</ns>")
    assert parse(other) == Dropped("namespace", 3, "Pan")
    redirect = page_with(REVISION.format("x"), more='<ns>4</ns><redirect title="A" />')
    assert parse(redirect) == Dropped("namespace", 3, "Pan")
    json_page = page_with(REVISION.format("x").replace("<model>wikitext", "<model>json"))
    assert parse(json_page) == Dropped("content_model", 3, "Pan")
    deleted = page_with('<revision><id>7</id><text bytes="9" deleted="deleted" /></revision>')
    assert parse(deleted) == Dropped("text_deleted", 3, "Pan")


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (page_with(REVISION.format("x")).replace("<id>3</id>", ""), "id"),
        (page_with(REVISION.format("x")).replace("<id>3</id>", "<id>-3</id>"), "id"),
        (page_with(REVISION.format("x"), title=""), "title"),
        (page_with(REVISION.format("x"), more="<ns>main</ns>"), "ns"),
        (page_with(""), "text"),
        (page_with("<revision><id>7</id></revision>"), "text"),
        (page_with('<revision><id>7</id><text bytes="9" /></revision>'), "text"),
        (page_with(REVISION.format("x"), more="<id>4</id>"), "repeated"),
        (PLAIN + PLAIN, "between_pages"),
        (f"junk{PLAIN}", "between_pages"),
        (f"<!DOCTYPE m [<!ENTITY a 'b'>]>{HEAD}{PLAIN}", "between_pages"),
        (page_with(REVISION.format("&a;")), "xml"),
        (page_with(REVISION.format("a <br> b")), "xml"),
        (page_with(REVISION.format("\x01")), "xml"),
        (page_with("<a>" * 100_000), "xml"),
        (PLAIN[: PLAIN.index("Bread")], "cut"),
        (PLAIN[: PLAIN.index("</revision>") + 5], "cut"),
        (PLAIN[: PLAIN.index("bytes")], "cut"),
        ("\n  <pa", "cut"),
        ("\n</mediaw", "cut"),
        ("mid sentence.</text></revision>\n  ", "cut"),
        (HEAD[:60], "cut"),
        ("x" * (8 * 2**20 + 1), "too_large"),
    ],
)  # fmt: skip
def test_what_is_rejected(record: str, expected: str) -> None:
    assert reason(record) == expected


def test_invalid_utf8_is_rejected_and_a_cut_character_is_a_cut() -> None:
    assert reason(PLAIN.encode().replace(b"Bread", b"Br\xffad")) == "utf8"
    assert reason(PLAIN.encode().split(b"Bread")[0] + "ก".encode()[:2]) == "cut"


def test_a_reject_says_which_page_and_shows_its_start() -> None:
    outcome = parse(page_with(REVISION.format("a <br> b")))
    assert isinstance(outcome, Reject)
    assert outcome.key == "3" and outcome.detail.startswith("<page><title>Pan</title>")
    assert len(outcome.detail) <= 500


def test_the_same_id_twice_is_no_contradiction() -> None:
    record = page_with(REVISION.format("x"), more="<ns>0</ns><id>3</id>")
    assert isinstance(parse(record), Page)


def test_siteinfo_goes_over_our_own_tables() -> None:
    wiki = parse_siteinfo(HEAD + PLAIN, "fr")
    assert wiki is not None and wiki.lang == "fr" and wiki.first_letter
    assert wiki.namespaces["catégorie"] == 14
    assert wiki.namespaces["category"] == 14


def test_a_case_sensitive_wiki() -> None:
    wiki = parse_siteinfo(HEAD.replace("<case>first-letter", "<case>case-sensitive").encode(), "en")
    assert wiki is not None and not wiki.first_letter
    outcome = parse(page_with(REVISION.format("x"), title="pan"), wiki)
    assert isinstance(outcome, Page) and outcome.title == "pan"


@pytest.mark.parametrize(
    "head", ["", HEAD[:200], "<!DOCTYPE a>" + HEAD, HEAD.replace("<case>", "<kase>")]
)
def test_no_siteinfo(head: str) -> None:
    assert parse_siteinfo(head, "en") is None


@given(st.data())
def test_mutated_records_never_raise(data: st.DataObject) -> None:
    record = bytearray((HEAD + PLAIN).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(record)))
        junk = data.draw(st.binary(max_size=3) | st.sampled_from([b"<page>", b"</text>", b"]]>"]))
        record[at : at + data.draw(st.integers(0, 40))] = junk
    parse_siteinfo(bytes(record), "en")
    outcome = parse_record(bytes(record), EN)
    assert isinstance(outcome, (Page, Redirect, Dropped, Reject)) or b"<page" not in record


@given(st.binary())
def test_no_bytes_raise(record: bytes) -> None:
    parse_siteinfo(record, "en")
    parse_record(record, EN)
    parse_record(b"<page>" + record, EN)


@given(st.integers(0, len(PLAIN) - 1))
def test_a_cut_anywhere_is_never_a_page(length: int) -> None:
    whole = PLAIN.index("</revision>") + len("</revision>")
    outcome = parse(PLAIN[:length])
    assert length >= whole or outcome is None or isinstance(outcome, Reject)


def test_a_long_text_comes_to_an_end() -> None:
    record = page_with(REVISION.format("&lt;&amp;\n" * 300_000)).encode()
    with no_hang():
        assert isinstance(parse_record(record, EN), Page)


@pytest.mark.parametrize("lang", ["en", "ar", "es", "ja", "ko", "pt", "th"])
def test_real_dumps_have_the_known_pages(shared_data: Path, lang: str) -> None:
    known = json.loads((shared_data / "EXPECTED.json").read_text("utf-8"))["wikis"][lang]
    name = f"wiki/{lang}wiki/20220720/{lang}wiki-20220720-pages-articles-multistream.xml.bz2"
    records = bz2.decompress((shared_data / name).read_bytes()).split(b"</page>")
    wiki = parse_siteinfo(records[0], lang)
    assert wiki is not None
    kinds = Counter(type(parse_record(record, wiki)).__name__ for record in records)
    assert kinds["Page"] == known["articles"]
    assert kinds["Redirect"] == known["redirects_in_namespace_0"]
    assert kinds.total() - kinds["NoneType"] == known["pages"]
    assert kinds["Reject"] == 0 and kinds["NoneType"] == 1
