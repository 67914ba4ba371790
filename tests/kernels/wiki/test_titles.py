from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossic_etl.kernels.wiki import titles
from crossic_etl.kernels.wiki.titles import canonical_title, split_interwiki, split_namespace
from crossic_etl.kernels.wikis import Wiki

EN = Wiki("en", namespaces={"category": 14, "user talk": 3, "wikipedia": 4})


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Peste_negra", "Peste negra"),
        ("  Black \t Death_", "Black Death"),
        ("No\u00a0break\u3000space", "No break space"),
        ("geología", "Geología"),
        ("Cafe\u0301", "Café"),
        ("\u200eDon\u200ft\u202c", "Dont"),
        (":Main", "Main"),
        ("Atom#History", "Atom"),
        ("#History", ""),
        ("", ""),
        (" _ ", ""),
        ("أكسجين", "أكسجين"),
        ("東京", "東京"),
        ("น้ำผึ้ง", "น้ำผึ้ง"),
        ("2001: a space odyssey", "2001: a space odyssey"),
        ("iPhone", "IPhone"),
    ],
)
def test_canonical_title(title: str, expected: str) -> None:
    assert canonical_title(title, EN) == expected


@pytest.mark.parametrize(
    ("lang", "title", "expected"),
    [
        ("de", "ßtest", "ßtest"),
        ("en", "ŉ", "ŉ"),
        ("ka", "თბილისი", "თბილისი"),
        ("en", "ǆ", "Ǆ"),
        ("en", "ǅ", "ǅ"),
        ("el", "ᾳδης", "ᾼδης"),
        ("en", "ⅷ", "ⅷ"),
        ("en", "ﬁne", "ﬁne"),
        ("tr", "istanbul", "İstanbul"),
        ("az", "ilham", "İlham"),
        ("en", "istanbul", "Istanbul"),
        ("tr", "ılgaz", "Ilgaz"),
        ("ru", "яблоко", "Яблоко"),
        ("ff", "𞤆ular", "𞤆ular"),
    ],
)
def test_first_letter_is_raised_as_mediawiki_does(lang: str, title: str, expected: str) -> None:
    assert canonical_title(title, Wiki(lang)) == expected


def test_first_letter_stays_where_the_wiki_says_so() -> None:
    assert canonical_title("iPhone", Wiki("jbo", first_letter=False)) == "iPhone"


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Category:physics", (14, "Physics")),
        (":category : physics", (14, "Physics")),
        ("USER_talk:x", (3, "X")),
        ("2001: A Space Odyssey", (0, "2001: A Space Odyssey")),
        ("physics", (0, "Physics")),
        ("Category:", (14, "")),
        ("", (0, "")),
    ],
)
def test_split_namespace(title: str, expected: tuple[int, str]) -> None:
    assert split_namespace(title, EN) == expected


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        (":fr:tour Eiffel", ("fr", "tour Eiffel")),
        ("wikt:word", ("wikt", "word")),
        ("Wikipedia:About", ("", "Wikipedia:About")),
        ("en:Self", ("", "en:Self")),
        ("Alien: Covenant", ("", "Alien: Covenant")),
    ],
)
def test_split_interwiki(title: str, expected: tuple[str, str]) -> None:
    assert split_interwiki(title, EN) == expected


@pytest.mark.parametrize("code", ["mnw", "isv", "nan", "be-x-old", "jp"])
def test_each_code_of_a_wikipedia_is_an_interwiki_prefix(code: str) -> None:
    assert split_interwiki(f"{code}:A", EN) == (code, "A")


def test_a_wikis_own_code_in_another_form_is_no_other_wiki() -> None:
    assert split_interwiki("nb:A", Wiki.of("no")) == ("", "nb:A")


_TITLES = st.text(st.sampled_from("ab i_:# éß\u200e\u0301\u0345\u3000ǆაあก\u00a0")) | st.text()


@given(_TITLES)
def test_a_canonical_title_comes_back_as_it_is(title: str) -> None:
    once = canonical_title(title, EN)
    assert canonical_title(once, EN) == once


@given(_TITLES)
def test_a_canonical_title_has_nothing_left_to_clean(title: str) -> None:
    result = canonical_title(title, EN)
    assert not set(result) & set("_#\t\n\u00a0\u200e")
    assert "  " not in result and result == result.strip(" ")
    assert unicodedata.is_normalized("NFC", result)


@given(_TITLES)
def test_the_cheap_path_gives_what_the_long_one_gives(title: str) -> None:
    if titles._is_clean(title):
        assert titles._clean(title) == title
