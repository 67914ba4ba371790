"""The table of all wikis: each line is used, and each form of a code is the same wiki."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossic_etl.kernels import wiki_facts
from crossic_etl.kernels.wiki.dump_xml import redirect_link
from crossic_etl.kernels.wiki_facts import (
    WikiFacts,
    canonical_code,
    database_of,
    facts_of,
    forms_of,
    meant_by,
    wiki_codes,
)
from crossic_etl.kernels.wikis import NAMESPACE_NUMBERS, Wiki
from crossic_etl.kernels.wikitext import to_text
from crossic_etl.kernels.wikitext.numbers import format_number, parse_number

FILE, CATEGORY = 6, 14


@pytest.mark.parametrize("code", wiki_codes())
def test_each_wikis_own_words_are_read(code: str) -> None:
    facts, wiki = facts_of(code), Wiki.of(code)
    for name in ("File", "Image", *facts.namespaces.get(FILE, ())):
        assert to_text(f"[[{name}:a.jpg|thumb|Caption]]Body.", code, wiki).text == "Body.", name
    for name in ("Category", *facts.namespaces.get(CATEGORY, ())):
        assert to_text(f"Body.\n\n[[{name}:A|B]]", code, wiki).text == "Body.", name
    for word in ("#REDIRECT", *facts.redirect):
        assert redirect_link(f"{word} [[A]]", wiki) == "A", word
    for switch in ("__NOTOC__", *facts.switches):
        assert to_text(f"{switch}\nBody.", code, wiki).text == "Body.", switch
    for word in facts.words.get("formatnum", ()):
        expected = to_text("{{formatnum:1234567}}", code, wiki).text
        assert to_text(f"{{{{{word}:1234567}}}}", code, wiki).text == expected, word


@pytest.mark.parametrize("code", wiki_codes())
def test_each_wiki_reads_the_numbers_that_it_writes(code: str) -> None:
    form = facts_of(code).numbers
    numbers = ["7", "123", "1234", "12345", "1234567"]
    if form.thousands != form.decimal:  # Khmer's are the same
        numbers += ["1234567.25", "0.5"]
    for number in numbers:
        assert parse_number(format_number(number, code), code) == number
    grouped = form.thousands != ""
    assert (len(format_number("1234", code)) > 4) == (form.least <= 4 and grouped)
    assert len(format_number("12345", code)) == 5 + grouped
    assert len(form.digits) in (0, 10)


@pytest.mark.parametrize("code", wiki_codes())
def test_no_name_is_that_of_two_namespaces(code: str) -> None:
    numbered = [
        (name.casefold(), number)
        for number, names in facts_of(code).namespaces.items()
        for name in names
    ]
    assert len({name for name, _ in numbered}) == len(numbered)
    assert all("_" not in name for name, _ in numbered)
    for name in ("file", "category", "template"):
        assert Wiki.of(code).namespaces[name] == NAMESPACE_NUMBERS[name]


def test_the_table_has_all_wikis_of_wikimedias_list() -> None:
    assert len(wiki_codes()) == 364
    assert {"en", "no", "simple", "be-tarask", "zh-min-nan", "tok", "isv"} <= set(wiki_codes())


@pytest.mark.parametrize(
    ("code", "other", "database"),
    [
        ("be-tarask", "be-x-old", "be_x_oldwiki"),
        ("zh-min-nan", "nan", "zh_min_nanwiki"),
        ("zh-yue", "yue", "zh_yuewiki"),
        ("als", "gsw", "alswiki"),
        ("zh-classical", "lzh", "zh_classicalwiki"),
        ("roa-rup", "rup", "roa_rupwiki"),
        ("bat-smg", "sgs", "bat_smgwiki"),
        ("fiu-vro", "vro", "fiu_vrowiki"),
        ("no", "nb", "nowiki"),
        ("bh", "bho", "bhwiki"),
        ("cbk-zam", "cbk", "cbk_zamwiki"),
        ("eml", "egl", "emlwiki"),
        ("nrm", "nrf", "nrmwiki"),
        ("map-bms", "jv-x-bms", "map_bmswiki"),
        ("roa-tara", "nap-x-tara", "roa_tarawiki"),
        ("simple", "en-simple", "simplewiki"),
        ("de", "de", "dewiki"),
        ("nds-nl", "nds_nl", "nds_nlwiki"),
    ],
)
def test_a_wiki_has_one_code_and_one_database(code: str, other: str, database: str) -> None:
    for form in (code, other, database, code.replace("-", "_")):
        assert (canonical_code(form), database_of(form)) == (code, database)
    assert forms_of(other)[0] == code
    assert {code, other.replace("_", "-")} <= set(forms_of(code))


@given(st.sampled_from([form for code in wiki_codes() for form in forms_of(code)]))
def test_each_form_of_a_code_is_the_same_wiki(form: str) -> None:
    canonical = canonical_code(form)
    assert Wiki.of(form) is Wiki.of(canonical)
    assert database_of(form) == database_of(canonical)
    assert canonical_code(database_of(form)) == canonical == canonical_code(canonical)


def test_two_wikis_share_no_form() -> None:
    forms = [form for code in wiki_codes() for form in forms_of(code)]
    assert len(set(forms)) == len(forms)


def test_an_unknown_code_is_a_wiki_without_facts() -> None:
    assert (canonical_code("xx_yy"), database_of("xx-yy")) == ("xx-yy", "xx_yywiki")
    assert (facts_of("xx"), forms_of("xx")) == (WikiFacts({}), ("xx",))


@pytest.mark.parametrize(
    ("written", "meant"),
    [("jp", "ja"), ("kr", "ko"), ("cn", "zh"), ("ua", "uk"), ("cz", "cs"), ("dk", "da"),
     ("gr", "el"), ("iw", "he"), ("pt-br", "pt"), ("pt_BR", "pt"), ("jpn", "ja"), ("ZH-TW", "zh")],
)  # fmt: skip
def test_a_mistaken_code_is_answered_with_what_was_meant(written: str, meant: str) -> None:
    found = meant_by(written)
    assert found is not None
    assert found[0] == meant


def test_no_wikis_code_is_a_mistake() -> None:
    mistaken = [code for code in wiki_codes() if meant_by(code)]
    assert mistaken == ["kr"]  # a closed wiki without articles
    assert {code for code, _ in wiki_facts._meant().values()} <= set(wiki_codes())
