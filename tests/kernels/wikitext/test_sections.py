"""Sections at an article's end, cut by a table of headings for each language."""

from __future__ import annotations

import pytest

from crossic_etl.kernels.wikitext import Extraction, Options, is_disambiguation, to_text


@pytest.mark.parametrize(
    ("lang", "heading"),
    [
        ("en", "References"),
        ("en", "See also"),
        ("en", "EXTERNAL LINKS"),
        ("en", "''Further reading'':"),
        ("en", "Notes and references"),
        ("ar", "مراجع"),
        ("ar", "انظر أيضًا"),
        ("ar", "وصلات خارجية"),
        ("ar", "وصلات خارجيّة"),
        ("ar", "معرض صور"),
        ("es", "Referencias"),
        ("es", "Véase también"),
        ("es", "Enlaces externos"),
        ("ja", "脚注"),
        ("ja", "関連項目"),
        ("ja", "外部リンク"),
        ("ja", "参考文献"),
        ("ko", "각주"),
        ("ko", "같이 보기"),
        ("ko", "외부 링크"),
        ("pt", "Referências"),
        ("pt", "Ver também"),
        ("pt", "Ligações externas"),
        ("pt", "{{Ligações externas}}"),
        ("th", "อ้างอิง"),
        ("th", "ดูเพิ่ม"),
        ("th", "แหล่งข้อมูลอื่น"),
    ],
)
def test_an_end_section_is_cut_in_each_language(lang: str, heading: str) -> None:
    actual = to_text(f"a\n== {heading} ==\nb\n", lang)

    assert actual.text == "a"
    assert [key.split(":")[0] for key in actual.left_out] == ["section"]


def test_subsections_go_with_it_and_the_next_section_stays() -> None:
    source = (
        "== A ==\na\n== Notes ==\nb\n=== C ===\nc\n== D ==\nd\n=== See also ===\ne\n=== F ===\nf"
    )

    actual = to_text(source, "en")

    assert actual == Extraction(
        "## A\n\na\n\n## D\n\nd\n\n### F\n\nf", {"section:notes": 1, "section:see also": 1}
    )


def test_an_unknown_language_keeps_all_sections() -> None:
    assert to_text("a\n== References ==\nb", "xx").text == "a\n\n## References\n\nb"


def test_end_sections_may_be_kept() -> None:
    actual = to_text("a\n== References ==\nb", "en", options=Options(end_sections=True))

    assert actual.text == "a\n\n## References\n\nb"


def test_a_heading_inside_a_template_or_table_cuts_nothing_else() -> None:
    assert to_text("{{box|\n== Notes ==\na\n}}\nb", "en").text == "b"
    assert to_text("{|\n|\n== Notes ==\na\n|}\nb", "en").text == "b"


def test_a_heading_in_a_comment_or_nowiki_is_none() -> None:
    assert to_text("a\n<!--\n== Notes ==\n-->\nb", "en").text == "a\nb"


@pytest.mark.parametrize(
    ("lang", "source"),
    [
        ("en", "'''A''' may be:\n* b\n{{disambiguation}}"),
        ("en", "a\n{{Hndis|name=A}}"),
        ("en", "a\n{{Geodis}}"),
        ("en", "a __DISAMBIG__"),
        ("ja", "a\n{{Aimai}}"),
        ("ja", "a\n{{人名の曖昧さ回避}}"),
        ("ko", "a\n{{동음이의}}"),
        ("ar", "{{توضيح}}\na"),
        ("es", "{{Desambiguación}}\na"),
        ("pt", "{{desambiguação|A}}\na"),
        ("th", "{{แก้กำกวม}}\na"),
    ],
)
def test_disambiguation_pages_are_known_by_template_or_magic_word(lang: str, source: str) -> None:
    assert is_disambiguation(source, lang)


@pytest.mark.parametrize(
    ("lang", "source"),
    [
        ("en", "a {{disambiguation needed}}"),
        ("en", "{{For|b|A (disambiguation)}} a"),
        ("en", "{{other uses}} {{redirect|b}}"),
        ("en", "disambiguation"),
        ("ko", "{{다른 뜻}} a"),
        ("xx", ""),
    ],
)
def test_articles_are_no_disambiguation_pages(lang: str, source: str) -> None:
    assert not is_disambiguation(source, lang)
