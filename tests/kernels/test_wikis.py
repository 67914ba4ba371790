"""The words of wikis as our own tables have them."""

from __future__ import annotations

import pytest

from crossic_etl.kernels.wikis import Wiki, language_codes


@pytest.mark.parametrize(
    ("lang", "file", "category", "redirect"),
    [
        ("ar", "ملف", "تصنيف", "#تحويل"),
        ("es", "archivo", "categoría", "#redirección"),
        ("ja", "ファイル", "カテゴリ", "#転送"),
        ("ko", "파일", "분류", "#넘겨주기"),
        ("pt", "ficheiro", "categoria", "#redirecionamento"),
        ("th", "ไฟล์", "หมวดหมู่", "#เปลี่ยนทาง"),
        ("en", "image", "category", "#redirect"),
        ("no", "fil", "kategori", "#omdirigering"),
        ("da", "billede", "kategori", "#redirect"),
        ("bg", "картинка", "категория", "#пренасочване"),
        ("tr", "resim", "kategori", "#yönlendirme"),
        ("sr", "slika", "kategorija", "#preusmeri"),
        ("nan", "tóng-àn", "lūi-pia̍t", "#redirect"),
    ],
)
def test_a_known_wiki_has_its_own_words(lang: str, file: str, category: str, redirect: str) -> None:
    wiki = Wiki.of(lang)

    assert wiki.namespaces[file] == 6
    assert wiki.namespaces[category] == 14
    assert redirect in wiki.redirect_words


def test_english_names_are_known_on_every_wiki() -> None:
    wiki = Wiki.of("xx")

    assert (wiki.lang, wiki.first_letter, wiki.redirect_words) == ("xx", True, ("#redirect",))
    assert (wiki.namespaces["file"], wiki.namespaces["category"]) == (6, 14)


def test_a_wiki_is_the_same_by_any_form_of_its_code() -> None:
    assert Wiki.of("nan") is Wiki.of("zh_min_nanwiki") is Wiki.of("zh-min-nan")
    assert Wiki.of("nan").lang == "zh-min-nan"


def test_the_case_of_first_letters_is_the_wikis() -> None:
    assert (Wiki.of("jbo").first_letter, Wiki.of("de").first_letter) == (False, True)


def test_one_wiki_does_not_know_anothers_words() -> None:
    assert "파일" not in Wiki.of("ja").namespaces
    assert "ファイル" not in Wiki.of("en").namespaces


def test_names_are_casefolded_without_underscores() -> None:
    for lang in ("ar", "es", "ja", "ko", "pt", "th", "de", "vi"):
        names = Wiki.of(lang).namespaces
        assert all(name == name.casefold() and "_" not in name for name in names)


def test_language_codes_hold_codes_and_no_namespaces() -> None:
    codes = language_codes()

    assert {"de", "ja", "no", "simple", "zh-min-nan", "nan", "be-x-old", "jp", "mo"} <= codes
    assert not {"file", "wikt", "s", "alien"} & codes
