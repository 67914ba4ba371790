"""Numbers as ``formatnum`` writes them, and magic words in a wiki's own language."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossic_etl.kernels.wiki_facts import wiki_codes
from crossic_etl.kernels.wikitext import to_text
from crossic_etl.kernels.wikitext.numbers import format_number, parse_number


@pytest.mark.parametrize(
    ("lang", "number", "shown"),
    [
        ("en", "1234", "1,234"),
        ("en", "-1234.50", "−1,234.50"),
        ("en", "0001234", "0,001,234"),
        ("no", "12345", "12 345"),
        ("nb", "12345", "12 345"),
        ("de", "12345", "12.345"),
        ("pl", "1234", "1234"),
        ("pl", "12345", "12 345"),
        ("es", "1234.5", "1234,5"),
        ("hi", "1234567", "12,34,567"),
        ("bn", "1234567.5", "১২,৩৪,৫৬৭.৫"),
        ("ar", "12345.6", "12٬345٫6"),
        ("fa", "12345", "۱۲٬۳۴۵"),
        ("my", "12345", "၁၂,၃၄၅"),
        ("ka", "12345", "12 345"),
        ("zh-classical", "1234.5", "一二三四點五"),
        ("xx", "12345", "12,345"),
        ("en", "12,345", "12,345"),
    ],
)
def test_a_number_is_written_as_its_wiki_does(lang: str, number: str, shown: str) -> None:
    assert format_number(number, lang) == shown


@pytest.mark.parametrize(
    ("lang", "call", "shown"),
    [
        ("de", "{{formatnum:12345}}", "12.345"),
        ("de", "{{ZAHLENFORMAT:12345}}", "12.345"),
        ("de", "{{formatnum:12345 km}}", "12.345 km"),
        ("fr", "{{formatnum:12 345,6|R}}", "12345.6"),
        ("fr", "{{formatnum:12&nbsp;345,6|R}}", "12345.6"),
        ("bn", "{{formatnum:১২,৩৪৫|R}}", "12345"),
        ("bn", "{{formatnum:12345|NOSEP}}", "১২৩৪৫"),
        ("tr", "{{BİÇİMNUM:12345}}", "12.345"),
    ],
)
def test_formatnum_and_its_flags(lang: str, call: str, shown: str) -> None:
    assert to_text(f"A {call} b.", lang).text == f"A {shown} b."


@pytest.mark.parametrize(
    ("lang", "call", "shown"),
    [
        ("de", "{{SEITENNAME}}", "Titel"),
        ("de", "{{INITIAL_KLEIN:ABC}}", "aBC"),
        ("de", "{{#wechsle:b|a=1|b=2}}", "2"),
        ("tr", "{{SAYFAADI}}", "Titel"),
        ("hi", "{{#यदि:x|a|b}}", "a"),
        ("ar", "{{#تبديل:c|a=1|#افتراضي=3}}", "3"),
        ("ru", "{{МАЛЕНЬКИМИ_БУКВАМИ:ABC}}", "abc"),
        ("de", "{{SORTIERUNG:Titel}}", ""),
        ("pl", "{{DOMYŚLNIESORTUJ:Titel}}", ""),
    ],
)
def test_a_magic_word_may_be_the_wikis_own(lang: str, call: str, shown: str) -> None:
    assert to_text(f"[{call}]", lang, title="Titel").text == (f"[{shown}]" if shown else "")


@pytest.mark.parametrize(
    ("lang", "source"),
    [
        ("de", "{{Seitenname}}"),  # a template: words that stand alone have their letters' case
        ("en", "{{SEITENNAME}}"),
        ("fr", "{{ZAHLENFORMAT:12345}}"),
    ],
)
def test_another_wikis_word_is_a_template(lang: str, source: str) -> None:
    extraction = to_text(f"A {source} b.", lang, title="Titel")
    assert extraction.text == "A b."
    assert [name for name in extraction.left_out if name.startswith("template:")]


@pytest.mark.parametrize(
    ("lang", "switch"),
    [("de", "__KEIN_INHALTSVERZEICHNIS__"), ("fr", "__AUCUNSOMMAIRE__"), ("pl", "__BEZSPISU__"),
     ("ja", "＿＿目次＿＿"), ("tr", "__İÇİNDEKİLERYOK__"), ("es", "__SIN_TDC__"),
     ("nl", "__GEENINHOUD__")],
)  # fmt: skip
def test_a_switch_may_be_the_wikis_own(lang: str, switch: str) -> None:
    assert to_text(f"{switch}\nA __WORD__.", lang).text == "A __WORD__."


@given(st.integers(0, 10**12), st.sampled_from(wiki_codes()))
def test_a_whole_number_comes_back(number: int, lang: str) -> None:
    assert parse_number(format_number(str(number), lang), lang) == str(number)
