"""Running text: what a reader sees of each construct of MediaWiki's grammar."""

from __future__ import annotations

import pytest

from crossic_etl.kernels.wikis import Wiki
from crossic_etl.kernels.wikitext import Extraction, Options, to_text


def text(source: str, lang: str = "en", **options: str) -> str:
    return to_text(source, lang, options=Options(**options)).text  # type: ignore[arg-type]


def test_an_article_keeps_its_prose_headings_and_lists() -> None:
    source = (
        "{{Infobox river|length={{convert|9|km}}}}\n"
        "The '''Aa''' is a [[river]].<ref name=a>{{cite web|title=x}}</ref> It is [[a|long]].\n"
        "\n"
        "== Course ==\n"
        "It passes:\n"
        "* [[Town A]]\n"
        "** a ''suburb''\n"
        "* Town B\n"
        "{| class=wikitable\n|-\n| cell\n|}\n"
        "== References ==\n"
        "{{reflist}}\n"
        "[[Category:Rivers]]\n"
    )

    actual = to_text(source, "en")

    assert actual == Extraction(
        text=(
            "The Aa is a river. It is long.\n\n## Course\n\nIt passes:\n\n"
            "- Town A\n  - a suburb\n- Town B"
        ),
        left_out={
            "ref": 1,
            "section:references": 1,
            "template:infobox river": 1,
            "table": 1,
        },
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("[[Rome]]", "Rome"),
        ("[[Rome|the city]]", "the city"),
        ("[[bus]]es", "buses"),
        ("[[Rome#History|history]]", "history"),
        ("[[Rome#History]]", "Rome#History"),
        ("[[#History|above]]", "above"),
        ("[[Rome|the ''eternal'' city]]", "the eternal city"),
        ("[[Rome|a|b]]", "a|b"),
        ("[[Rome|[1]]]", "[1]"),
        ("[[Rome (city)|]]", "Rome"),
        ("[[Help:Rome|]]", "Rome"),
        ("[[Alien: Covenant]]", "Alien: Covenant"),
        ("[[2001: A Space Odyssey|the film: 2001]]", "the film: 2001"),
        ("[[wikt:house|house]]", "house"),
        ("[[:Category:Rivers]]", "Category:Rivers"),
        ("[[:de:Rom]]", "de:Rom"),
        ("[[Media:Song.ogg|listen]]", "listen"),
        ("[[User:A|A]]", "A"),
        ("a [[link\nover lines]] b", "a link\nover lines b"),
        ("[http://example.org the site]", "the site"),
        ("[//example.org the site]", "the site"),
        ("[https://example.org/?a=b [PDF] file]", "[PDF file]"),
        ("[http://example.org\u3000名前]", "名前"),
        ("[mailto:a@example.org write]", "write"),
        ("[http://example.org/a''b'' c]", "b c"),
        ("[http://example.org/<b>a</b> b]", "a b"),
        ("[http://example.org/a[b]", "[b"),
        ("[http://[2001:db8::1]/a b]", "b"),
        ("[http://example.org a [[wikt:b|c]] d]", "a c d"),
        ("[[http://example.org a]] [[//example.org b]]", "[a] [b]"),
        ("[[Caf%C3%A9]] 10%", "Café 10%"),
        ("[[Rome|the [http://x eternal]]]", "the eternal"),
        ("see http://example.org now", "see http://example.org now"),
        ("an [aside] in brackets", "an [aside] in brackets"),
    ],
)
def test_a_link_shows_its_text(source: str, expected: str) -> None:
    assert text(source) == expected


@pytest.mark.parametrize(
    ("source", "expected", "left_out"),
    [
        ("a [[File:x.jpg|thumb|A caption]] b", "a b", {"file": 1}),
        ("a [[Image:x.jpg|thumb|A [[link|nested]] and [http://x y]]] b", "a b", {"file": 1}),
        ("a [[file:x.jpg|thumb|In it [[File:y.png|20px]]]] b", "a b", {"file": 2}),
        ("a [[File:x.jpg|thumb|b\n\nc<br>\n* d [[e]]]] f", "a f", {"file": 1}),
        ("a\n[[Category:Rivers|Aa]]", "a", {"category": 1}),
        ("a\n[[fr:Aa]]\n[[zh-min-nan:Aa]]", "a", {"interlanguage link": 2}),
        ("a [http://example.org], b", "a, b", {}),
        ("a <gallery>\nx.jpg|[[b]]\n</gallery> c", "a c", {"gallery": 1}),
        ("a<ref>b</ref><ref name=c /> d", "a d", {"ref": 2}),
        ("a <ref>b</ref>, c", "a, c", {"ref": 1}),
        ("a<REF group='n'>b [[c]] {{d}} <!-- e --></REF>.", "a.", {"ref": 1}),
        ("a<references><ref>b</ref></references>", "a", {"references": 1}),
        ("a<!-- b -->c", "ac", {}),
        ("a\n<!-- b -->\nc", "a\nc", {}),
        ("a\n{|\n! b\n|-\n| c\n|}\nd", "a\n\nd", {"table": 1}),
        ("a\n{|\n|\n{|\n| b\n|}\n|}\nd", "a\n\nd", {"table": 1}),
        ("a\n:{|\n| b\n|}\nd", "a\n\nd", {"table": 1}),
        ("a\n<table><tr><td>b</td></tr></table>\nd", "a\n\nd", {"table": 1}),
        ("__NOTOC__a __FORCETOC__ __目次強制__ b", "a b", {}),
        ("__FILE__ is __NoToc__ a macro", "__FILE__ is a macro", {}),
        ("{{DEFAULTSORT:Aa}}a", "a", {}),
        ("a\n----\nb", "a\n\nb", {}),
    ],
)
def test_what_is_no_prose_is_cut_and_counted(
    source: str, expected: str, left_out: dict[str, int]
) -> None:
    assert to_text(source, "en") == Extraction(expected, left_out)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("''a'' '''b''' '''''c'''''", "a b c"),
        ("'''''a''' b''", "a b"),
        ("''''a''''", "'a'"),
        ("''''''a''''''", "'a'"),
        ("''Time'''s cover", "Time's cover"),
        ("L'''amour'' fou", "L'amour fou"),
        ("it's 'so'", "it's 'so'"),
        ("'''a''bb'''cc dd'''", "'abbcc dd"),
        ("'''a'''<ref>x</ref>'''b'''", "ab"),
        ("'''a'''<!-- x -->'''b'''", "'a'b"),
        ("''a''<sub>''b''</sub> ''[[c|''d'']]''", "ab d"),
        ("''a''{{lang|en|''b''}}{{'}}''c''", "ab'c"),
        ("'''open\n''too", "open\ntoo"),
        ("H<sub>2</sub>O and <small>small</small> <b>bold</b>", "H2O and small bold"),
        ("10<sup>6</sup> and 10<sup>&minus;3</sup>", "10⁶ and 10−3"),
        ("10<sup>−3</sup> and 19<sup>th</sup>", "10⁻³ and 19th"),
        ("5 km<sup>2</sup>, ''r''<sup>2</sup>, (a)<sup> 3</sup>", "5 km², r², (a)³"),
        ("word<sup>1</sup> and <sup>14</sup>C", "word1 and 14C"),
        ("a<br>b<br />c", "a\nb\nc"),
        ("a<br>\nb\n<br />c<br><br>d<br>\n\ne", "a\nb\nc\n\nd\n\ne"),
        ('<div class="x">a</div>b', "a\n\nb"),
        ("<blockquote>a</blockquote>", "a"),
        ("<poem>\na\nb\n</poem>", "a\nb"),
        ("<ul><li>a</li><li>b</li></ul>", "- a\n- b"),
        ("<h3>a</h3>b", "### a\n\nb"),
        ("<h3>a <b>b</b>\n</h3>c", "### a b\n\nc"),
        ("<ruby>漢<rp>(</rp><rt>かん</rt><rp>)</rp></ruby>字", "漢字"),
        ("a<span style='display:none'>b</span>c", "ac"),
        ("a <onlyinclude>b</onlyinclude><includeonly>c</includeonly> d", "a b d"),
        ("<span <noinclude>id=a</noinclude>>b</span>", "b"),
        ("1 < 2 and 3 > 2 <foo>", "1 < 2 and 3 > 2 <foo>"),
    ],
)
def test_text_inside_formatting_stays(source: str, expected: str) -> None:
    assert text(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("== A ==\nb", "## A\n\nb"),
        ("= A =", "# A"),
        ("======A======", "###### A"),
        ("=======A=======", "###### =A="),
        ("=== A ==", "## = A"),
        ("== A == <!-- b -->\nc", "## A\n\nc"),
        ("== [[A|B]] ''c'' ==", "## B c"),
        ("== A = b ==", "## A = b"),
        ("== A ==\n<br>b<br>\n== C ==\nd", "## A\n\nb\n\n## C\n\nd"),
        ("== {{x}} ==\nb", "b"),
        ("== <center>A</center><br>b ==", "## A b"),
        ("==", "=="),
        ("====", "# =="),
        ("===============", "###### ==="),
        ("x == A ==", "x == A =="),
        ("== A", "== A"),
    ],
)
def test_a_heading_is_a_line_with_its_level(source: str, expected: str) -> None:
    assert to_text(source, "en", options=Options(empty_headings=True)).text == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("* a\n* b", "- a\n- b"),
        ("*a\n**b\n*#c\n#d", "- a\n  - b\n  1. c\n1. d"),
        ("p\n* a\nq", "p\n\n- a\n\nq"),
        ("; term : meaning\n: more", "term\nmeaning\nmore"),
        ("; term\n: meaning", "term\nmeaning"),
        (";term:meaning", "term\nmeaning"),
        ("*;term:meaning", "term\nmeaning"),
        (";term:", "term"),
        (";;a::b", "a\n:b"),
        (";[[Help:A]]:b", "Help:A\nb"),
        (";[http://x.org/ a :b] :c", "a :b\nc"),
        (";see http://x.org/:80 :c", "see http://x.org/:80\nc"),
        (";a <b>c : d</b>:e", "a c : d\ne"),
        (";'''1:00''':b", "1:00\nb"),
        (";a<br/>b :c", "a\nb\nc"),
        (" * no item", "* no item"),
        ("* a<br>b\n* c", "- a\n  b\n- c"),
        ("* a<br>\n* b<br />\n\nc", "- a\n- b\n\nc"),
        ("* a\n<br>b", "- a\n\nb"),
        ("a<br># b", "a\n# b"),
        ("[[#Part]]\n*[[*x|*y]]", "#Part\n\n- *y"),
        (": indented", "indented"),
        ("* a\n*\n* b", "- a\n- b"),
        ("*a:b", "- a:b"),
    ],
)
def test_list_items_are_lines_of_their_own(source: str, expected: str) -> None:
    assert text(source) == expected


def test_list_items_may_stand_without_markers() -> None:
    assert text("* a\n** b<br>c\n# d\n: e", lists="none") == "a\nb\nc\nd\ne"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a\n\nb", "a\n\nb"),
        ("a\n\n\n\nb", "a\n\nb"),
        ("a\nb", "a\nb"),
        ("a   b", "a b"),
        ("a\r\nb", "a\nb"),
        (" preformatted", "preformatted"),
        ("", ""),
        ("\n\n", ""),
    ],
)
def test_paragraph_borders_survive(source: str, expected: str) -> None:
    assert text(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("&lt;b&gt; &amp; &copy; &mdash; &hearts;", "<b> & © — ♥"),
        ("&#65;&#x42;", "AB"),
        ("&#000000065;&#x0000042; &#13;", "AB &#13;"),
        ("&amp;lt; &amp;nbsp; &amp;amp;", "&lt; &nbsp; &amp;"),
        ("&foo; &lt &#0; &#xD800; &#x110000;", "&foo; &lt &#0; &#xD800; &#x110000;"),
        ("&#91;&#91;a&#93;&#93; &#123;&#123;b&#125;&#125;", "[[a]] {{b}}"),
        ("a&nbsp;b\u00a0c\u202fd&#160;e", "a b c d e"),
        ("a&nbsp; b", "a b"),
        ("co&shy;op\u00aderate", "cooperate"),
        ("e\u0301", "é"),
        ("a\u200eb\u200bc", "abc"),
        ("a\ufeffb", "ab"),
    ],
)
def test_characters_are_decoded_once_and_plain(source: str, expected: str) -> None:
    assert text(source) == expected


def test_arabic_keeps_the_marks_of_direction() -> None:
    assert text("ا\u200fب &rlm;ج", "ar") == "ا\u200fب \u200fج"


def test_thai_keeps_its_invisible_word_breaks() -> None:
    assert text("กา\u200bแฟ", "th") == "กา\u200bแฟ"


def test_joiners_stay() -> None:
    assert text("می\u200cخواهم", "fa") == "می\u200cخواهم"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<nowiki>[[a]] {{b}} ''c''</nowiki>", "[[a]] {{b}} ''c''"),
        ("<nowiki>* a</nowiki>", "* a"),
        ("<nowiki>&lt;</nowiki>", "<"),
        ("<nowiki><nowiki></nowiki>a", "<nowiki>a"),
        ("<pre><nowiki>[[a]]</nowiki></pre>", "[[a]]"),
        ("a<nowiki/>b '<nowiki />'c'<nowiki />'", "ab ''c''"),
        ("<pre>\n* a\n  [[b]]\n</pre>", "* a\n  [[b]]"),
        ("<nowiki><ref></nowiki> a <nowiki></ref></nowiki>", "<ref> a </ref>"),
        ("{{nowrap|<nowiki>|</nowiki>}}", "|"),
        ("<!-- <nowiki> -->a<!-- </nowiki> -->", "a"),
    ],
)
def test_nowiki_and_pre_are_honoured(source: str, expected: str) -> None:
    assert text(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a ({{x}}) b", "a b"),
        ("a ({{x}}; {{x}}) b", "a b"),
        ("a ({{x}}, born 1900) b", "a (born 1900) b"),
        ("a (born 1900; {{x}}) b", "a (born 1900) b"),
        ("a (b, {{x}}, c)", "a (b, c)"),
        ("a ( {{x}} ), b", "a, b"),
        ("a（{{x}}）は", "aは"),
        ("a（{{x}}、b）は", "a（b）は"),
        ("«{{x}}» a", "a"),
        ('a "{{x}}" b', "a b"),
        ("a {{x}}, b {{x}}.", "a, b."),
        ("a, {{x}}, b", "a, b"),
        ("a {{x}} b", "a b"),
        ("a{{x}} b", "a b"),
        ("a.{{x}} .NET b{{x}} ''?'' c.{{x}} ''?'' d", "a. .NET b? c. ? d"),
        ("a [[Category:x]] [[Category:y]]b", "a b"),
        ("a (equal to ${{x}} in {{y}}) b", "a b"),
        ("a ({{x}} or {{y}}) b", "a b"),
        ("* {{flag}} - [[a]]", "- a"),
        ("* a\n* {{x}}\n* b\n* {{x}} = {{x}}", "- a\n- b"),
        ("* ({{x}}), a\n* ({{x}})\n* {{x}}, b", "- a\n- b"),
        ("{{x}} ({{y}}), a", "a"),
        ("カ行にあたる {{x}} 、タ", "カ行にあたる、タ"),
        ("a (said: {{x}}, also b)", "a (said, also b)"),
        ("a, ({{x}}), b. {{x}}. At {{x}} ({{y}}).{{z}}", "a, b. At."),
        ("a (e.g.,<ref>x</ref>) b", "a (e.g.) b"),
        ("a -{{x}}\nb", "a\nb"),
        ("{{x}}, a", "a"),
        (":{{x}},\nwhere", "where"),
        ("a (<ref>x</ref>) b", "a b"),
        ("a (<!-- x -->; b) c", "a (b) c"),
        ("f() and ( ; ) , stay", "f() and ( ; ) , stay"),
    ],
)
def test_what_a_hole_leaves_empty_is_tidied(source: str, expected: str) -> None:
    assert text(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a {{b|c\n\nd", "a c\n\nd"),
        ("a {{b c\n\nd", "a b c\n\nd"),
        ("a [[b|c\n\nd [[e]]", "a c\n\nd e"),
        ("a [[File:b.jpg|thumb|c\n\nd", "a c\n\nd"),
        ("a <ref>b\n\nc<ref>d</ref> e", "a b\n\nc e"),
        ("a <ref name=b>c\n\nd", "a c\n\nd"),
        ("a <!-- b\nc\n\nd", "a\n\nd"),
        ("a\n{|\n| b\n|-\n! c\n\nd", "a\n\nd"),
        ("a\n{|\n|-\n{|\n| b\n|}\n\nc", "a\n\nc"),
        ("a [[b] c", "a b c"),
        ("a <nowiki>b <nowiki>[[c]]</nowiki>", "a b <nowiki>[[c]]"),
        ("a <math>b\n\nc", "a b\n\nc"),
        ("a<ref></ref><!--", "a"),
        ("a\n== b == <!--\nc\n\nd", "a\n\n## b\n\nd"),
        ("a <nowiki>b\n\n[[c]]", "a b\n\nc"),
        ("a }} b ]] c |} d", "a b c |} d"),
        ("a {{b [[c}} d]] e", "a d e"),
        ("a [[b {{c]] d}} e", "a b e"),
        ("a <b>c\n\nd", "a c\n\nd"),
    ],
)
def test_an_unclosed_construct_loses_no_text_outside_it(source: str, expected: str) -> None:
    assert text(source) == expected


def test_a_file_name_of_the_wiki_comes_from_its_own_words() -> None:
    wiki = Wiki("xx", namespaces={"bildo": 6, "kategorio": 14})

    actual = to_text("a [[Bildo:b.jpg|c]] [[Kategorio:d]] [[File:e.jpg|f]]", "xx", wiki)

    assert actual == Extraction("a f", {"file": 1, "category": 1})


@pytest.mark.parametrize(
    ("lang", "source"),
    [
        ("ar", "ا [[ملف:x.jpg|تصغير|ب]] [[صورة:x.jpg]] [[تصنيف:ج]]"),
        ("es", "a [[Archivo:x.jpg|miniatura|b]] [[Imagen:x.jpg]] [[Categoría:c]]"),
        ("ja", "あ [[ファイル:x.jpg|サムネイル|b]] [[画像:x.jpg]] [[カテゴリ:c]]"),
        ("ko", "가 [[파일:x.jpg|섬네일|b]] [[그림:x.jpg]] [[분류:c]]"),
        ("pt", "a [[Ficheiro:x.jpg|thumb|b]] [[Imagem:x.jpg]] [[Categoria:c]]"),
        ("th", "ก [[ไฟล์:x.jpg|thumb|b]] [[ภาพ:x.jpg]] [[หมวดหมู่:c]]"),
        ("de", "a [[Datei:x.jpg|mini|b]] [[Bild:x.jpg]] [[Kategorie:c]]"),
    ],
)
def test_files_and_categories_are_known_by_their_local_names(lang: str, source: str) -> None:
    actual = to_text(source, lang)

    assert actual == Extraction(source[0], {"file": 2, "category": 1})
