"""Templates: what stays in the sentence, what goes, what is counted."""

from __future__ import annotations

import pytest

from crossic_etl.kernels.wikitext import Extraction, to_text


def text(source: str, lang: str) -> str:
    return to_text(source, lang, title="Some title").text


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{convert|10|km|mi}}", "10 kilometres (6.2 mi)"),
        ("{{Convert|1234.5|km2|sqmi|abbr=on}}", "1,234.5 km² (476.6 sq mi)"),
        ("{{cvt|5|ft|10|in|m}}", "5 ft 10 in (1.78 m)"),
        ("{{convert|10|to|20|°C|°F}}", "10 to 20 °C (50 to 68 °F)"),
        ("{{convert|10|-|20|m}}", "10–20 metres (33–66 ft)"),
        ("{{convert|3|x|4|m|ft}}", "3 by 4 metres (9.8 ft × 13.1 ft)"),
        ("{{convert|1+1/2|mi}}", "1 1/2 miles (2.4 km)"),
        ("{{convert|-5|C|F}}", "−5 °C (23 °F)"),
        ("{{val|1.23|0.05|e=5|u=kg}}", "(1.23±0.05)×10⁵ kg"),
        ("{{val|12345|ul=m|up=s}}", "12,345 m/s"),
        ("{{formatnum:1234567.89}}", "1,234,567.89"),
        ("{{formatnum:1,234|R}}", "1234"),
        ("{{nts|1234}}", "1,234"),
        ("{{frac|1|2}} {{frac|3|1|2}} {{frac|4}}", "1/2 3 1/2 1/4"),
        ("{{start date|1999|5|12}}", "May 12, 1999"),
        ("{{start date|1999|5|12|df=y}}", "12 May 1999"),
        ("{{start date|1999|5}} {{birth date|1999}}", "May 1999 1999"),
        ("{{birth date and age|1950|1|2}}", "January 2, 1950"),
        ("{{death date and age|2000|3|4|1950|5|6}}", "March 4, 2000 (aged 49)"),
        ("{{death date and age|2000|6|4|1950|5|6|df=yes}}", "4 June 2000 (aged 50)"),
        ("{{circa|1900}} {{c.|1900|1910}} {{circa}}", "c. 1900 c. 1900 – c. 1910 c."),
        ("{{reign|1800|1810}} {{fl.|1900}}", "r. 1800–1810 fl. 1900"),
        (
            "{{as of|2010|5}} {{as of|2010|lc=y}} {{as of|2010|alt=now}}",
            "As of May 2010 as of 2010 now",
        ),
        ("{{lang|fr|[[Paris|la ville]]}}", "la ville"),
        ("{{lang-fr|bonjour}}", "French: bonjour"),
        ("{{langx|el|λόγος}}", "Greek: λόγος"),
        ("{{lang-xx|word}}", "word"),
        ("{{transl|ar|ALA|kitāb}}", "kitāb"),
        ("{{nihongo|Tokyo|東京|Tōkyō}}", "Tokyo (東京, Tōkyō)"),
        ("{{nihongo|Tokyo||Tōkyō|lit. capital}}", "Tokyo (Tōkyō, lit. capital)"),
        ("{{nihongo||東京|Tōkyō}}", "東京 (Tōkyō)"),
        ("{{ill|Foo|de|Bar}} {{ill|Foo|de|lt=Baz}}", "Foo Baz"),
        ("{{zh|t=中國|p=Zhōngguó}}", "traditional Chinese: 中國; pinyin: Zhōngguó"),
        ("{{quote|It is.|A. Author|A book}}", "It is.\n— A. Author, A book"),
        ("a{{blockquote|text=It is.}}b", "a\n\nIt is.\n\nb"),
        ("{{nowrap|5 km}} {{small|a}} {{abbr|Mr|Mister}}", "5 km a Mr"),
        ("a{{snd}}b a{{nbsp}}b a{{ndash}}b", "a – b a b a–b"),
        ("Anime{{'}}s and ''Time''{{'s}}", "Anime's and Time's"),
        ("{{sic|teh}} {{sic|hide=y|te|h}}", "teh [sic] teh"),
        ("{{harvtxt|Smith|Jones|2000|p=3}} say", "Smith & Jones (2000) say"),
        ("{{US$|5 million}} {{£|1234}}", "US$5 million £1,234"),
        ("{{chem|H|2|O}} {{chem2|CO2}} {{e|6}} 10{{sup|3}}", "H2O CO2 ×10⁶ 10³"),
        ("{{ubl|a|b}}", "- a\n- b"),
        ("{{ordered list|a|b}}", "1. a\n2. b"),
        ("{{plainlist|\n* a\n* b\n}}", "- a\n- b"),
        ("{{hlist|a|b}}", "a · b"),
        ("{{HMS|Victory}} {{ship|USS|Enterprise}}", "HMS Victory USS Enterprise"),
        ("B{{music|flat}}", "B♭"),
        ("{{color|red|a}} {{font color|red|b}}", "a b"),
        ("{{ordinal|21}} {{ordinal|12}}", "21st 12th"),
        ("{{RA|12|30}} {{bibleverse|1|John|3:16}}", "12h 30m 1 John 3:16"),
        ("{{lang-rus|Москва|Moskva}}", "Russian: Москва, romanized: Moskva"),
        ("{{langx|el|λόγος|logos|word}}", "Greek: λόγος, romanized: logos, lit. 'word'"),
        ("{{lang-de|Haus|x|lit=house}}", "German: Haus, lit. 'house'"),
        ("{{div col|content=\n* a\n* b\n}}{{div col|colwidth=9em}}\n* c", "- a\n- b\n\n- c"),
        ("{{currency|13 billion|USD}} {{currency|5|XYZ}}", "US$13 billion 5 XYZ"),
        ("{{flag|USA}} {{flagcountry|Japan}} {{JPN}}", "United States Japan Japan"),
        ("({{née}} Whelan) {{née|Whelan}}", "(née Whelan) née Whelan"),
        ("{{etymology|la|albedo|whiteness}}", "from Latin albedo 'whiteness'"),
        ("{{val|e=19}} {{val|e=3|u=m}}", "10¹⁹ 10³ m"),
        ("{{OldStyleDateNY|2 May|20 April}}", "2 May [O.S. 20 April]"),
        ("{{uscsub|18|3553|a}} {{usc|17|107}}", "18 U.S.C. § 3553(a) 17 U.S.C. § 107"),
        ("{{ill|de|Foo|Text}} {{ill|Foo|de|Bar}}", "Text Foo"),
        ("a{{mdashb}}b {{vr|c}} {{w|d}} {{EC number|1.1.1.1}}", "a—b ⟨c⟩ d EC 1.1.1.1"),
        ("*{{lang|ine|*deiwos}}\n*a", "- *deiwos\n- a"),
        ("{{nowrap|#1}} b", "#1 b"),
        ("a {{plainlist|* b\n* c}}", "a\n\n- b\n- c"),
    ],
)
def test_english_sentences_have_no_hole(source: str, expected: str) -> None:
    assert text(source, "en") == expected


@pytest.mark.parametrize(
    ("lang", "source", "expected"),
    [
        (
            "ja",
            "{{仮リンク|日本|en|Japan}} {{仮リンク|日本 (曖昧)|en|Japan|label=日本}}",
            "日本 日本",
        ),
        ("ja", "{{読み仮名|東京|とうきょう}} {{ruby|漢字|かんじ}}", "東京（とうきょう） 漢字"),
        (
            "ja",
            "{{lang-en-short|Tokyo}} {{lang-fr|ville}} {{en|Hi}}",
            "英: Tokyo フランス語: ville Hi",
        ),
        ("ja", "{{要出典範囲|本文|date=2010}}{{要出典|date=2010}}。", "本文。"),
        ("ja", "{{生年月日と年齢|1960|1|2}}", "1960年1月2日"),
        ("ja", "{{死亡年月日と没年齢|1920|3|4|1990|1|2}}", "1990年1月2日（69歳没）"),
        ("ja", "{{JIS2004フォント|&#x9C2F;}} {{formatnum:12345}}人", "鰯 12,345人"),
        ("ja", "（とうきょう、{{IPA|x}}）は", "（とうきょう）は"),
        ("ko", "{{llang|en|Seoul}} {{lang-ja|東京}}", "영어: Seoul 일본어: 東京"),
        ("ko", "{{국기나라|독일}} {{임시링크|문서|en|Page}}", "독일 문서"),
        ("ko", "{{출생일과 나이|1980|1|2}} {{formatnum:3562166}}", "1980년 1월 2일 3,562,166"),
        ("es", "{{lang-de|Berlin}} {{unidad|50000|km²}}", "en alemán: Berlin 50 000 km²"),
        ("es", "{{siglo|V|a|s}} y {{siglo|20||s}}", "siglo V a. C. y siglo XX"),
        ("es", "45{{esd}}km, {{fecha|5|3|2010}}", "45 km, 5 de marzo de 2010"),
        ("es", "{{formatnum:1234567.5}} {{formatnum:1234}}", "1 234 567,5 1234"),
        ("es", "{{convert|10000|km|mi}} {{cita requerida|esto}}", "10 000 km esto"),
        (
            "pt",
            "{{lang-de|Berlin}} {{séc|XX}} {{fmtn|50000|km}}",
            "em alemão: Berlin século XX 50 000 km",
        ),
        ("pt", "{{dni|5|3|1980|si}} {{formatnum:3711930}}", "5 de março de 1980 3 711 930"),
        (
            "pt",
            "{{morte|1|2|2000|3|4|1950}} {{AC|500}}",
            "1 de fevereiro de 2000 (49 anos) 500 a.C.",
        ),
        ("ar", "برلين ({{ألمانية|Berlin}})", "برلين (بالألمانية: Berlin)"),
        ("ar", "نهر {{إنج|Spree}}، ثم", "نهر (بالإنجليزية: Spree)، ثم"),
        ("ar", "{{تحويل|10|كم|ميل}} {{وإو|تر=Foo|عر=فو}}", "10 كم فو"),
        ("ar", "{{تاريخ الولادة والعمر|1980|1|2}} {{formatnum:12345}}", "2 يناير 1980 12٬345"),
        ("th", "{{lang-de|Berlin}} {{convert|10|km|mi}}", "เยอรมัน: Berlin 10 กิโลเมตร"),
        ("th", "{{วันเกิดและอายุ|1980|1|2}} {{formatnum:12345}}", "2 มกราคม ค.ศ. 1980 12,345"),
        ("th", "{{คำพูด|สวัสดี}}", "สวัสดี"),
        ("th", "{{วันเกิดและอายุ|2530|1|15}}", "15 มกราคม พ.ศ. 2530"),
        ("th", "{{พ.ศ.}} {{พ.ศ.|2475}} {{lang-pi|x}}", "พ.ศ. พ.ศ. 2475 บาลี: x"),
        ("th", "{{convert|5|to|6|km}} {{zh|c=北京|p=x}}", "5 ถึง 6 กิโลเมตร จีน: 北京; พินอิน: x"),
        (
            "pt",
            "{{PBPE|Camiseta|''t-shirt''}}, {{séc|V|a.C.}} {{convert|5|to|6|km}}",
            "Camiseta (português brasileiro) ou t-shirt (português europeu), século V a.C. 5 a 6"
            " km",
        ),
        ("pt", "{{dni|||1970}} {{dmi|1|2|2000|3|4|1950}}", "1970 1 de fevereiro de 2000 (49 anos)"),
        ("pt", "{{colunas|2|\n* c\n* d}} {{citar bíblia|João|3|16}}", "- c\n- d\n\nJoão 3:16"),
        ("ar", "({{lang-en|A}}، {{lang-fr|B}})", "(بالإنجليزية: A، بالفرنسية: B)"),
        ("ar", "({{فرن|A}}، من", "((بالفرنسية: A)، من"),
        ("ar", "{{بيت|a|b}}\n{{بيت|c|d}}", "a … b\nc … d"),
        ("ar", "{{رض}} 320 {{كم2}} {{كم|45}}", "رضي الله عنه 320 كم² 45 كم"),
        ("ar", "{{اقتباس خاص|نص=كلام|المؤلف=أحمد}}", "كلام\n— أحمد"),
        ("ar", "{{صيغة_رقم:1234}} {{اسم_الصفحة}}", "1٬234 Some title"),
        ("ja", "死去。{{没年齢|1966|7|11|2021|5|6}}。", "死去。54歳没。"),
        ("ja", "{{USA}}と{{flag|JPN}} {{lang-zh|東}}", "アメリカ合衆国と日本 中国語: 東"),
        ("ja", "略称（{{IPA|x}} または {{IPA|y}}）。", "略称。"),
        ("ko", "* {{범례|#EB|[[a]] (2석)}}\n* {{USA}} [[b]]", "- a (2석)\n- 미국 b"),
    ],
)
def test_the_other_wikis_templates_render_too(lang: str, source: str, expected: str) -> None:
    assert text(source, lang) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{PAGENAME}} {{SITENAME}}", "Some title Wikipedia"),
        ("{{lc:ABC}} {{ucfirst:abc}} {{padleft:7|3}}", "abc Abc 007"),
        ("{{padleft:7|6|ab}} {{padright:7|3}}", "ababa7 700"),
        ("{{formatnum:12345|NOSEP}}", "12345"),
        ("{{#if: x | yes | no }} {{#if: | yes | no }}", "yes no"),
        ("{{#ifeq: 1 | 1.0 | same | other }}", "same"),
        ("{{#switch: b | a = 1 | b = 2 | 3 }}", "2"),
        ("{{#switch: c | a | c = 1 | #default = 3 }}", "1"),
        ("{{#switch: z | a = 1 | #default = 3 }}", "3"),
        ("{{#expr: 2400/100 }} {{#expr: 1 + 2 * (3 - 4) }}", "24 -1"),
        ("{{#expr: 10/3 round 2 }} {{#expr: 7/2 }}", "3.33 3.5"),
        ("{{#expr: 1/0 }}{{#expr: 9**9**9 }}{{#expr: a }}b", "b"),
        ("a {{!}} {{=}}", "a | ="),
        ("{{nowrap|a{{!}}b{{=}}c}}", "a|b=c"),
        ("{{{1|default}}} {{{name|}}}{{{none}}}.", "default."),
        ("{{{1|default|void}}} {{{1|[[a|b]]}}}", "default b"),
        ("{{nowrap|{{{1|a}}}}}", "a"),
        ("{{Template:nowrap|a}} {{subst:nowrap|b}}", "a b"),
        ("{{ nowrap \n| a }} {{no_wrap|b}}", "a b"),
        ("{{nowrap|1=a=b}} {{nowrap|[[x|y=z]]}}", "a=b y=z"),
        ("{{nowrap|<!-- c -->a}}", "a"),
        ("{{{{nowrap|nowrap}}|a}}", "a"),
        ("a {{{{nowrap|{{{{0}}}}}}}} b", "a b"),
        ("{{{!}}\n{{!}} a\n{{!}}}\nb", "b"),
        ("{{(!}} class=x\n{{!}} a\n{{!)}}\nb", "b"),
    ],
)
def test_magic_words_and_arguments_follow_mediawiki(source: str, expected: str) -> None:
    assert text(source, "en") == expected


def test_a_template_that_no_table_names_is_left_out_and_counted_by_name() -> None:
    source = "a {{Some_box|b={{inner|c}}}} d{{some box}}{{#invoke:Mod|f}}{{UNKNOWN:x}}."

    actual = to_text(source, "en")

    assert actual == Extraction(
        "a d.",
        {
            "template:inner": 1,
            "template:some box": 2,
            "template:#invoke:mod": 1,
            "template:unknown:x": 1,
        },
    )


def test_ipa_and_coordinates_are_left_out_whole() -> None:
    actual = to_text("Aa ({{IPA-fr|a|lang}}; {{coord|1|2}}) is.", "en")

    assert actual == Extraction("Aa is.", {"template:ipa-fr": 1, "template:coord": 1})


def test_a_known_template_without_its_argument_is_left_out() -> None:
    assert to_text("a {{convert}} b {{lang|fr}}", "en") == Extraction(
        "a b", {"template:convert": 1, "template:lang": 1}
    )


def test_a_template_name_in_one_language_means_nothing_in_another() -> None:
    assert text("a {{仮リンク|b|en|c}}", "en") == "a"
    assert text("a {{séc|XX}}", "ja") == "a"
