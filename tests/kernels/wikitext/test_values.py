"""Value templates of the largest Wikipedias: the sentence has what the reader of the page sees."""

from __future__ import annotations

import pytest

from crossic_etl.kernels.wikitext import to_text


def text(source: str, lang: str) -> str:
    return to_text(source, lang, title="Some title").text


@pytest.mark.parametrize(
    ("lang", "source", "expected"),
    [
        ("de", "{{Zahl|12345}} {{Höhe|1234|DE-NHN}}", "12.345 1234 m ü. NHN"),
        ("de", "{{Bruch|9|3|4}} {{Bruch|8}}", "9 3/4 1/8"),
        ("fr", "{{unité|12500|km}} {{unité|10|m|s|-1}}", "12 500 km 10 m s⁻¹"),
        ("fr", "{{unité|62.6613|ha}} {{unité|3|à=4|km|/h}}", "62,661 3 ha 3 à 4 km/h"),
        ("fr", "{{nombre|1234|habitants}} {{nb|4.11 millions}}", "1 234 habitants 4,11 millions"),
        ("fr", "{{nombre|250000 déportés}}", "250 000 déportés"),
        ("fr", "{{dunité|3|4|m}} {{euro|1500}}", "3 × 4 m 1 500 €"),
        ("fr", "{{heure|21|30}} {{heure|9}} {{durée|1|20|5}}", "21 h 30 9 h 1 h 20 min 5 s"),
        ("fr", "{{1er|semestre}} {{2e}} {{1ère}} {{23e|place}}", "1er semestre 2e 1re 23e place"),
        ("fr", "{{n°|13}} {{p.|117}} {{M.|Dupont}}", "no 13 p. 117 M. Dupont"),
        ("fr", "{{18e arrondissement de Paris}}", "18e arrondissement de Paris"),
        ("fr", "CO{{ind|2}} {{fchim|H|2|O}}", "CO2 H2O"),
        ("ru", "{{число|12345}} {{num|5|км2}}", "12 345 5 км²"),
        ("ru", "{{convert|10|km|mi}} {{frac|1|2}}", "10 км 1/2"),
        ("uk", "{{s|12 км}} {{frac|1|2}}", "12 км 1/2"),
        ("it", "{{M|10|ul=km}} {{M|5|k|m}} {{M|5,97|e=24|ul=kg}}", "10 km 5 km 5,97×10²⁴ kg"),
        ("it", "{{tutto attaccato|30 km}} {{converti|10|mi|km}}", "30 km 10 mi"),
        ("zh", "长{{convert|10|km|mi}}，{{val|5|u=m}}", "长10公里，5米"),
        ("zh", "{{NT$|1500}} {{USD|20}}", "NT$1,500 20美元"),
        ("pl", "{{liczba|12345}} {{ułamek|1|2}}", "12 345 1/2"),
        ("vi", "{{số|12345}} {{convert|10|km|mi}}", "12.345 10 km"),
        ("nl", "de 19{{e}} eeuw, {{getal|12345}}", "de 19e eeuw, 12.345"),
        ("sv", "{{bråk|1|2}} {{nowrap|5 km}}", "1/2 5 km"),
        ("fa", "{{عدد|۱۲}} {{کوچک|الف}}", "۱۲ الف"),
        ("cs", "{{nezalomit|10 km}} {{zlomek|1|2}}", "10 km 1/2"),
        ("hu", "{{tört|1|2}} {{nowrap|10 km}}", "1/2 10 km"),
        ("fi", "{{murtoluku|1|2}} {{muunnos|10|km|mi}}", "1/2 10 km"),
        ("tr", "{{çevir|10|km|mi}} {{kesir|1|2}}", "10 km 1/2"),
        ("id", "{{angka|12345}} {{convert|10|km|mi}}", "12.345 10 km"),
        ("he", "{{המרה|10|km|mi}} {{שבר|1|2}}", "10 קילומטר 1/2"),
        ("hi", "{{convert|10|km|mi}}", "10 किलोमीटर"),
        ("ro", "{{fracție|1|2}} {{convert|10|km|mi}}", "1/2 10 km"),
        ("ca", "{{unitat|12345|km}} {{format num|12345}}", "12.345 km 12.345"),
        ("en", "{{INRConvert|40|b|year=2006}} {{USD}} {{USD|5}}", "₹40 billion US$ US$5"),
        ("simple", "{{convert|10|km|mi}} {{val|5|u=m}}", "10 kilometres (6.2 mi) 5 m"),
    ],
)
def test_numbers_and_units(lang: str, source: str, expected: str) -> None:
    assert text(source, lang) == expected


@pytest.mark.parametrize(
    ("lang", "source", "expected"),
    [
        ("fr", "{{date|3|mai|1901}} {{date-|4 février 2023}}", "3 mai 1901 4 février 2023"),
        ("fr", "{{date|1|1|1996}} {{date|14|juillet}}", "1er janvier 1996 14 juillet"),
        ("fr", "{{date de naissance|17 11 1994}} {{date||mai|1901}}", "17 novembre 1994 mai 1901"),
        ("fr", "{{s|XIX|e}} {{s-|XII}} {{s|I|er}}", "XIXe siècle XIIe siècle Ier siècle"),
        ("fr", "{{-s|IV|e}} {{s mini|XV}}", "IVe siècle av. J.-C. XVe"),
        ("fr", "{{s2|XIX|e|XX|e}} {{sp-|XVIII|-|XXI}}", "XIXe et XXe siècles XVIIIe – XXIe siècle"),
        ("fr", "{{XIXe siècle}} {{XXe}} {{av JC}}", "XIXe siècle XXe av. J.-C."),
        ("de", "{{Datum|3|5|1901}} {{Datum|1901-05-03}}", "3. Mai 1901 3. Mai 1901"),
        ("ru", "{{date|3|5|1901}} {{дата рождения|1|1|1950}}", "3 мая 1901 1 января 1950"),
        ("ru", "{{OldStyleDate|6 июня|1799|26 мая}}", "26 мая (6 июня) 1799"),
        ("ru", "{{СС3|26.5.1799}} {{СС3|8.4.1765}}", "26 мая (6 июня) 1799 8 (19) апреля 1765"),
        ("ru", "{{СС3|25.12.1850}}", "25 декабря 1850 (6 января 1851)"),
        ("ru", "{{СС3|1.5.1945}} {{СС3|весна}}", "1 мая 1945 весна"),
        ("uk", "{{ДН|1|1|1950}} {{дата|||1950}}", "1 січня 1950 1950"),
        ("it", "{{data|1|5|1901}}", "1º maggio 1901"),
        (
            "zh",
            "某人（{{bd|1923年|11月1日|2001年|2月3日}}）",
            "某人（1923年11月1日－2001年2月3日）",
        ),
        ("zh", "某人（{{bd|1989年|4月18日}}）", "某人（1989年4月18日）"),
        ("zh", "{{birth date|1950|1|2}}", "1950年1月2日"),
        ("pl", "{{data|3|5|1901}}", "3 maja 1901"),
        ("vi", "{{ngày sinh|1950|1|2}}", "2 tháng 1 năm 1950"),
        ("nl", "{{datum|3|5|1901}} {{v.Chr.}}", "3 mei 1901 v.Chr."),
        ("sv", "{{åldersdatum|1950|1|2}}", "2 januari 1950"),
        ("fa", "{{تاریخ تولد|1950|1|2}}", "2 ژانویه 1950"),
        ("cs", "{{datum narození a věk|1950|1|2}}", "2. ledna 1950"),
        ("cs", "{{datum úmrtí a věk|2000|3|4|1950|5|6}}", "4. března 2000 (ve věku 49 let)"),
        ("hu", "{{születési hely és idő|Budapest|1950|január|2}}", "Budapest, 1950. január 2."),
        ("hu", "{{dátum|1950|1|2}}", "1950. január 2."),
        ("fi", "{{syntymäaika|1950|1|2}} {{päivämäärä|3|5}}", "2. tammikuuta 1950 3. toukokuuta"),
        ("tr", "{{doğum tarihi ve yaşı|1950|1|2}} {{MÖ|500}}", "2 Ocak 1950 MÖ 500"),
        ("id", "{{tanggal lahir|1950|1|2}}", "2 Januari 1950"),
        ("id", "({{lahirmati||1|1|1950||2|2|2000}})", "(1 Januari 1950 – 2 Februari 2000)"),
        ("he", "{{תאריך לידה|1950|1|2}}", "2 בינואר 1950"),
        ("hi", "{{जन्म तिथि|1950|1|2}}", "2 जनवरी 1950"),
        ("ro", "{{data nașterii|1950|1|2}} {{î.Hr.}}", "2 ianuarie 1950 î.Hr."),
        ("ca", "{{data naixement|2|4|1950}}", "2 d'abril de 1950"),
        (
            "ca",
            "{{segle|XIX}} {{segle|5|aC}} {{segles|XVIII|XIX}}",
            "segle XIX segle V aC segles XVIII i XIX",
        ),
        ("en", "{{nfly|2019}} {{NFL Year|1974}} {{nhly|1999}}", "2019 1974 1999–00"),
        ("simple", "{{birth date|1950|1|2}}", "January 2, 1950"),
    ],
)
def test_dates_and_centuries(lang: str, source: str, expected: str) -> None:
    assert text(source, lang) == expected


@pytest.mark.parametrize(
    ("lang", "source", "expected"),
    [
        ("de", "{{enS|Republic of Malta}}", "englisch Republic of Malta"),
        ("de", "{{grcS|ἔπος|épos|de=Wort}}", "altgriechisch ἔπος épos ‚Wort‘"),
        ("de", "{{lang|fr|la ville}} {{laS|mare}}", "la ville lateinisch mare"),
        ("fr", "{{lang|en|texte=Hi}} {{langue|la|mare}}", "Hi mare"),
        (
            "fr",
            "{{lang-el|Αλέξανδρος}} {{grec ancien|ἀρχή|arkhḗ}}",
            "grec moderne : Αλέξανδρος ἀρχή / arkhḗ",
        ),
        ("fr", "{{japonais|Tokyo|東京|Tōkyō}}", "Tokyo (東京, Tōkyō)"),
        ("ru", "{{lang-en|River}} {{lang-en2|River}} {{lang|la|mare}}", "англ. River River mare"),
        ("uk", "{{lang-la|mare}} {{lang-en2|River}}", "лат. mare River"),
        ("it", "{{russo|матрёшка|matrëška}}", "in russo матрёшка, traslitterato matrëška"),
        ("it", "{{lang|en|Hi}} {{nihongo|Tokyo|東京|Tōkyō}}", "Hi Tokyo (東京, Tōkyō)"),
        ("zh", "{{lang|ja|東京}}（{{lang-en|Tokyo}}）", "東京（英语：Tokyo）"),
        ("zh", "{{地区用词|cn=网络|tw=網路}}{{反應式|H|+|OH}}{{en|Hi}}", "网络H+OHHi"),
        ("pl", "{{lang|en|Hi}} {{jęz-en|Hi}}", "Hi ang. Hi"),
        ("vi", "{{lang-en|Hi}} {{nihongo|Tokyo|東京|Tōkyō}}", "tiếng Anh: Hi Tokyo (東京, Tōkyō)"),
        ("nl", "{{lang-en|Hi}} {{lang|la|mare}}", "Engels: Hi mare"),
        ("sv", "{{lang-en|Hi}} {{lang|la|mare}}", "engelska: Hi mare"),
        ("fa", "فو ({{به انگلیسی|Foo}})", "فو (به انگلیسی: Foo)"),
        (
            "cs",
            "{{Vjazyce2|zh|大将}} {{vjazyce|en}} {{cizojazyčně|la|mare}}",
            "čínsky 大将 anglicky mare",
        ),
        ("hu", "{{lang-en|Hi}} {{lang|la|mare}}", "angolul: Hi mare"),
        ("fi", "{{k-en|Hi}} {{lang|la|mare}}", "engl. Hi mare"),
        ("tr", "{{lang-en|Hi}} {{dil-fr|ville}}", "İngilizce: Hi Fransızca: ville"),
        ("id", "{{lang-en|Hi}} {{lang|la|mare}}", "bahasa Inggris: Hi mare"),
        ("he", "{{אנגלית|Hi}} {{משמאל לימין|abc}}", "באנגלית: Hi abc"),
        ("hi", "{{lang-en|Hi}} {{आईएएसटी|veda}}", "अंग्रेज़ी: Hi veda"),
        ("ro", "{{lang-en|Hi}} {{lang|la|mare}}", "în engleză Hi mare"),
        ("ca", "{{lang-en|Hi}} {{lang|la|mare}}", "en anglès: Hi mare"),
        (
            "en",
            "{{langr|de|Freiheit}} {{trans|freedom}} {{in lang|de}}",
            "Freiheit transl. freedom (in German)",
        ),
        ("en", "{{PIE|''(p)lo''}}", "(p)lo"),
    ],
)
def test_language_translation_and_transliteration(lang: str, source: str, expected: str) -> None:
    assert text(source, lang) == expected


@pytest.mark.parametrize(
    ("lang", "source", "expected"),
    [
        ("en", '{{qi|a}} {{"|b}} {{tqq|c}} {{tq|d}}', "“a” “b” “c” d"),
        ("de", '{{"|ein Wort}}', "„ein Wort“"),
        ("de", "{{Zitat|Text=Geh|Sprache=en|Übersetzung=Lauf|Autor=A}}", "„Geh“\n„Lauf“\n— A"),
        ("fr", '{{citation|un mot}} {{"|b}}', "« un mot » « b »"),
        ("fr", "a\n{{citation bloc|un mot}}", "a\n\n« un mot »"),
        ("ru", "a\n{{цитата|Слово.|Автор}}", "a\n\n«Слово.»\n— Автор"),
        ("uk", "a\n{{цитата|Слово.|Автор}}", "a\n\n«Слово.»\n— Автор"),
        ("it", "a\n{{Citazione|Parola.|Autore}}", "a\n\n«Parola.»\n— Autore"),
        ("zh", "a\n{{quote|话。|作者}}", "a\n\n话。\n— 作者"),
        ("pl", "a\n{{cytat|Słowo.|Autor}}", "a\n\nSłowo.\n— Autor"),
        ("vi", "a\n{{cquote|Lời.|Tác giả}}", "a\n\nLời.\n— Tác giả"),
        ("nl", "a\n{{Citaat|Woord.|Auteur}}", "a\n\nWoord.\n— Auteur"),
        ("sv", "a\n{{citat|Ord.|Författare}}", "a\n\nOrd.\n— Författare"),
        ("fa", "a\n{{نقل قول|سخن}}", "a\n\nسخن"),
        ("cs", "a\n{{citát|Slovo.|Autor}} {{uvozovky|b}}", "a\n\nSlovo.\n— Autor\n\n„b“"),
        ("hu", "a\n{{idézet|Szó.|Szerző}}", "a\n\nSzó.\n— Szerző"),
        ("fi", "a\n{{lainaus|Sana.|Sanoja}}", "a\n\nSana.\n— Sanoja"),
        ("tr", "a\n{{alıntı|Söz.|Yazar}}", "a\n\nSöz.\n— Yazar"),
        ("id", "a\n{{kutipan|Kata.|Penulis}}", "a\n\nKata.\n— Penulis"),
        ("he", "a\n{{ציטוט|תוכן=מילה}} {{ציטוטון|ב}}", 'a\n\nמילה\n\n"ב"'),
        ("hi", "a\n{{उद्धरण|शब्द।|लेखक}}", "a\n\nशब्द।\n— लेखक"),
        ("ro", "a\n{{citat|Cuvânt.|Autor}}", "a\n\nCuvânt.\n— Autor"),
        ("ca", "a\n{{citació|Mot.|Autor}}", "a\n\n«Mot.»\n— Autor"),
    ],
)
def test_quotations(lang: str, source: str, expected: str) -> None:
    assert text(source, lang) == expected


@pytest.mark.parametrize(
    ("lang", "source", "expected"),
    [
        ("fr", "{{Lien|fr=Saul|lang=en}} {{lien|langue=en|trad=X|fr=Y|texte=Z}}", "Saul Z"),
        ("ru", "{{нп5|Река|Реке|en|River}} {{нп3|А||en|A}}", "Реке А"),
        ("ru", "{{не переведено|есть=:en:A|надо=Б|текст=|язык=en}}", "Б"),
        ("uk", "{{нп|Річка|Річці|en|River}} {{не перекладено|треба=А|є=B}}", "Річці А"),
        ("zh", "{{link-en|河口|Estuary}} {{le|河|River|大河}} {{tsl|en|River|河}}", "河口 大河 河"),
        ("zh", "{{link-interwiki|zh=河|lang=en|lang_title=River}}", "河"),
        ("pl", "{{link-interwiki|Rzeka|en|River|tekst=rzekę}}", "rzekę"),
        ("he", "{{קישור שפה|אנגלית|Estuary|שפך}}", "שפך"),
        ("ro", "{{ill-wd|Q1|3=Text}} {{ill-wd|Q1}} {{ill|en|River|Râu}}", "Text Râu"),
        ("tr", "{{ill|Nehir|en|River}}", "Nehir"),
        ("vi", "{{ill|Sông|en|River}}", "Sông"),
        ("nl", "{{ill|Rivier|en|River|lt=de rivier}}", "de rivier"),
        ("it", "{{ill|Fiume|en|River}}", "Fiume"),
        ("id", "{{ill|Sungai|en|River}}", "Sungai"),
        ("fi", "{{ill|Joki|en|River}}", "Joki"),
        ("ca", "{{ill|Riu|en|River}}", "Riu"),
    ],
)
def test_links_to_pages_that_only_other_wikis_have(lang: str, source: str, expected: str) -> None:
    assert text(source, lang) == expected


@pytest.mark.parametrize(
    ("lang", "source", "expected"),
    [
        ("pl", "Miasto{{u|nota}} leży{{r|źródło}}.", "Miasto leży."),
        ("ru", "замо{{'}}к", "замо\u0301к"),
        ("nl", "{{s|a}} {{date|3|mei|1901}} b", "b"),
        ("it", "{{e|5}} {{S|biografie}} b", "b"),
        ("sv", "{{zh|x}} {{ms|x}} {{d.|1900}} b", "b"),
        ("de", "{{GBS|x}} {{AbcS|x}} b", "b"),
        ("fr", "{{vie|x}} {{es}} b", "b"),
        ("da", "{{date|3|maj|1901}} {{r.|x}} b", "b"),
    ],
)
def test_a_short_english_name_means_nothing_on_other_wikis(
    lang: str, source: str, expected: str
) -> None:
    assert text(source, lang) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Ordet {{sitat|en liten by}} står her.", "Ordet en liten by står her."),
        ("Ordet {{x|[[a|en by]]}} står.", "Ordet står."),
        ("Ordet {{x|en by|to}} {{x|y=en by}} står.", "Ordet står."),
        ("Ordet {{x|by}} {{x|12 13}} står.", "Ordet står."),
        ("Ordet{{efn|en liten by}} {{Refn|en by}} står.", "Ordet står."),
        ("Ordet{{x|Dette er en note.}} står.", "Ordet står."),
        ("Ordet {{x|en to tre fire fem seks sju åtte ni}} står.", "Ordet står."),
        ("{{Se også|en liten by}}\nOrdet står.", "Ordet står."),
        ("* {{x|en liten by}}\nOrdet står {{x|en liten by}}", "Ordet står"),
    ],
)
def test_a_wiki_without_a_table_shows_the_words_of_an_unknown_call_in_a_line(
    source: str, expected: str
) -> None:
    assert text(source, "no") == expected


def test_a_wiki_with_a_table_shows_nothing_of_an_unknown_call() -> None:
    actual = to_text("Le mot {{x|une petite ville}} est.", "fr")

    assert (actual.text, actual.left_out) == ("Le mot est.", {"template:x": 1})


def test_the_wikis_own_rule_goes_before_the_shared_one_of_the_same_name() -> None:
    assert text("{{e|x}}", "fr") == "e x"
    assert text("a{{e|6}}", "en") == "a×10⁶"


def test_a_sign_names_itself_on_every_wiki() -> None:
    assert text("a{{·}}b L{{'}}Aquila {{±}}", "it") == "a · b L'Aquila ±"


def test_the_name_of_a_template_may_hold_its_value_in_any_case() -> None:
    assert text("{{Calcio Manchester City|N}}", "it") == "Manchester City"
    assert text("{{calcio_Napoli|N}}", "it") == "Napoli"
    assert text("{{France}} {{États-Unis}}", "fr") == "France États-Unis"
