"""Rules between -{ and }-, on each wiki that has variants of its language, and on none else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossic_etl.kernels.wiki_facts import wiki_codes
from crossic_etl.kernels.wikitext import to_text
from crossic_etl.kernels.wikitext.tables import load_yaml
from crossic_etl.kernels.wikitext.variants import choose_variants
from tests.support.cpu_limit import no_hang

VARIANTS = load_yaml("variants.yaml")


@pytest.mark.parametrize(
    ("lang", "rule", "shown"),
    [
        ("zh", "-{zh-hans:计算机;zh-hant:電腦}-", "计算机"),
        ("zh", "-{zh-hant:電腦;zh-hans:计算机;}-", "计算机"),
        ("zh", "-{zh-tw:電腦; zh-cn:计算机}-", "计算机"),
        ("zh", "-{zh-Hant-TW:電腦;zh-Hans-CN:计算机}-", "计算机"),
        ("zh", "-{zh-tw:電腦}-", "電腦"),
        ("zh", "-{zh-hans:;zh-hant:的}-", "的"),
        ("zh", "-{zh:原;zh-hans:简}-", "原"),
        ("zh", "-{于}-", "于"),
        ("zh", "-{}-", ""),
        ("zh", "-{|于}-", "于"),
        ("zh", "-{R|zh-hans:简}-", "zh-hans:简"),
        ("zh", "-{T|zh-hans:网络;zh-hant:網路}-", ""),
        ("zh", "-{H|zh-hans:网络;zh-hant:網路}-", ""),
        ("zh", "-{H|网络}-", ""),
        ("zh", "-{-|zh-hans:网络;zh-hant:網路}-", ""),
        ("zh", "-{A|zh-hans:网络;zh-hant:網路}-", "网络"),
        ("zh", "-{A;T|zh-hans:网络;zh-hant:網路}-", "网络"),
        ("zh", "-{D|zh-cn:网络;zh-tw:網路}-", "大陆：网络；臺灣：網路；"),
        ("zh", "-{N|zh-tw}-", "臺灣"),
        ("zh", "-{zh-hans;zh-hant|于}-", "于"),
        ("zh", "-{網路=>zh-cn:网络}-", "网络"),
        ("zh", "-{http://example.org/}-", "http://example.org/"),
        ("zh", "-{zh-hans:a&nbsp;b;zh-hant:c}-", "a&nbsp;b"),
        ("zh", '-{zh-hans:<b style="c:d;e:f">a</b>;zh-hant:c}-', '<b style="c:d;e:f">a</b>'),
        ("zh", "-{zh-hans:[[网络|网]];zh-hant:[[網路|網]]}-", "[[网络|网]]"),
        ("zh", "-{zh-hans:{{lang|en|net}};zh-hant:{{x}}}-", "{{lang|en|net}}"),
        ("zh", "{{lang|en|-{zh-hans:a;zh-hant:b}-}}", "{{lang|en|a}}"),
        ("zh", "-{zh-hans:-{于}-是;zh-hant:-{於}-是}-", "于是"),
        ("zh", "-{{x}}-", "-{{x}}-"),
        ("zh", "-{a -{b", "-{a -{b"),
        ("zh", "a}-", "a}-"),
        ("sr", "-{Abgeordnetenhaus}-", "Abgeordnetenhaus"),
        ("sr", "-{sr-el:Lj;sr-ec:Љ}-", "Љ"),
        ("sr", "-{sr-Latn:Lj;sr-Cyrl:Љ}-", "Љ"),
        ("sr", "-{писмо|Љ}-", "Љ"),
        ("uz", "-{uz-cyrl:ў;uz-latn:oʻ}-", "oʻ"),
        ("ku", "-{ku-arab:ئ;ku-latn:e}-", "e"),
        ("de", "-{a}-", "-{a}-"),
        ("zh-yue", "-{a}-", "-{a}-"),
    ],
)
def test_a_rule_shows_what_the_wiki_shows(lang: str, rule: str, shown: str) -> None:
    assert choose_variants(f"<{rule}>", lang) == f"<{shown}>"


@pytest.mark.parametrize("lang", VARIANTS)
def test_each_wiki_with_variants_shows_the_one_it_prefers(lang: str) -> None:
    assert lang in wiki_codes()
    prefer, names = VARIANTS[lang]["prefer"], VARIANTS[lang]["names"]
    assert set(prefer) <= set(names)
    rule = ";".join(f"{code}:text of {code}" for code in reversed(names))
    assert to_text(f"A -{{{rule}}}- b.", lang).text == f"A text of {prefer[0]} b."


def test_a_heading_of_an_end_section_may_be_a_rule() -> None:
    source = "甲。\n\n== -{zh-hans:历史;zh-hant:歷史}- ==\n\n乙。"
    assert to_text(source, "zh").text == "甲。\n\n## 历史\n\n乙。"


def test_nowiki_keeps_the_marks() -> None:
    assert to_text("<nowiki>-{于}-</nowiki>。", "zh").text == "-{于}-。"


@given(st.text(alphabet="-{}|;:=>zhHRAab \n"), st.sampled_from(["zh", "sr"]))
def test_any_text_comes_to_an_end_and_text_without_marks_comes_back(text: str, lang: str) -> None:
    shown = choose_variants(text, lang)
    if "-{" not in text:
        assert shown == text


@given(st.text(alphabet="ab是 ,", min_size=1), st.integers(1, 9))
def test_nested_marks_around_a_plain_text_go(text: str, depth: int) -> None:
    assert choose_variants("-{" * depth + text + "}-" * depth, "zh") == text


@pytest.mark.parametrize(
    "source",
    ["-{" * 200_000, "-{a" * 100_000 + "}-" * 100_000, "-{{{" * 100_000, "-{zh:" + ";" * 200_000,
     ("-{" + "{{") * 50_000 + "}}}-" * 50_000, "-{zh:a;" + " " * 200_000 + "b}-",
     "-{" + ";=>" * 100_000 + "}-", "-{" + "a|" * 100_000 + "}-", "-{" + "&a" * 100_000 + "}-"],
)  # fmt: skip
def test_marks_of_any_number_come_to_an_end(source: str) -> None:
    with no_hang():
        choose_variants(source, "zh")
