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
        ("de", "Einzelnachweise"),
        ("fr", "Notes et références"),
        ("ru", "Примечания"),
        ("it", "Collegamenti esterni"),
        ("zh", "參考文獻"),
        ("pl", "Przypisy"),
        ("vi", "Liên kết ngoài"),
        ("nl", "Bronnen, noten en/of referenties"),
        ("uk", "Див. також"),
        ("sv", "Se även"),
        ("fa", "پیوند به بیرون"),
        ("cs", "Externí odkazy"),
        ("hu", "Jegyzetek"),
        ("fi", "Aiheesta muualla"),
        ("tr", "Kaynakça"),
        ("id", "Pranala luar"),
        ("he", "הערות שוליים"),
        ("hi", "बाहरी कड़ियाँ"),
        ("ro", "Legături externe"),
        ("ca", "Vegeu també"),
        ("simple", "Other websites"),
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
    ("source", "expected", "n_dropped"),
    [
        ("a\n== B ==", "a", 1),
        ("== B ==", "", 1),
        ("== B ==\n{|\n| c\n|}\n== D ==\ne", "## D\n\ne", 1),
        ("== B ==\n{{c}}\n* {{c}}\n<ref>c</ref>\n== D ==\ne", "## D\n\ne", 1),
        ("== B ==\n&nbsp;\n''\n== D ==\ne", "## D\n\ne", 1),
        ("== B ==\n=== C ===\nd", "## B\n\n### C\n\nd", 0),
        ("== B ==\n=== C ===\n{{x}}\n=== D ===\ne", "## B\n\n### D\n\ne", 1),
        ("== B ==\n=== C ===\n{{x}}\n== D ==\ne", "## D\n\ne", 2),
        ("== B ==\n=== C ===\n== D ==\n=== E ===\nf", "## D\n\n### E\n\nf", 2),
        ("=== B ===\n== C ==\nd", "## C\n\nd", 1),
        ("== B ==\n==== C ====\nd\n=== E ===", "## B\n\n#### C\n\nd", 1),
        ("== B ==\n=== References ===\nc\n== D ==\ne", "## D\n\ne", 1),
        ("== B ==\nc\n== D ==\n* e", "## B\n\nc\n\n## D\n\n- e", 0),
        ("== #B ==\nc\n== ##D ==\n== E ==\nf", "## #B\n\nc\n\n## E\n\nf", 1),
        ("a\n<nowiki># b</nowiki>", "a\n# b", 0),
        ("== B ==\n<nowiki># c</nowiki>\n== D ==\ne", "## B\n\n# c\n\n## D\n\ne", 0),
        ("== 歴史 ==\n{{年表}}\n== 文化 ==\n猫。", "## 文化\n\n猫。", 1),
        ("== تاريخ ==\n{|\n|ا\n|}\n== علم ==\nب", "## علم\n\nب", 1),
        ("== ประวัติ ==\n{{ก}}\n== ศิลปะ ==\nแมว", "## ศิลปะ\n\nแมว", 1),
        ("", "", 0),
    ],
)
def test_a_heading_without_text_below_it_is_dropped(
    source: str, expected: str, n_dropped: int
) -> None:
    actual = to_text(source, "en")

    assert (actual.text, actual.left_out.get("heading", 0)) == (expected, n_dropped)


def test_headings_without_text_may_be_kept() -> None:
    actual = to_text("a\n== B ==\n{{c}}", "en", options=Options(empty_headings=True))

    assert actual == Extraction("a\n\n## B", {"template:c": 1})


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
        ("de", "{{Begriffsklärung}}"),
        ("fr", "{{Homonymie}}"),
        ("ru", "{{неоднозначность}}"),
        ("it", "{{disambigua}}"),
        ("zh", "{{消歧义}}"),
        ("pl", "{{Ujednoznacznienie}}"),
        ("vi", "{{Trang định hướng}}"),
        ("nl", "{{dp}}"),
        ("uk", "{{DisambigG}}"),
        ("sv", "{{Förgrening}}"),
        ("fa", "{{ابهام‌زدایی}}"),
        ("cs", "{{Rozcestník}}"),
        ("hu", "{{egyért}}"),
        ("fi", "{{Täsmennyssivu}}"),
        ("tr", "{{Anlam ayrımı}}"),
        ("id", "{{disambiguasi}}"),
        ("he", "{{פירושונים}}"),
        ("hi", "{{बहुविकल्पी शब्द}}"),
        ("ro", "{{Dezambiguizare}}"),
        ("ca", "{{Desambiguació}}"),
        ("no", "{{peker}}"),
        ("el", "{{αποσαφήνιση}}"),
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
