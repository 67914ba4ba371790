from __future__ import annotations

import socket
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossic_etl.kernels.text.language_id import UNKNOWN, crawl_language, identify


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("The committee met on Tuesday to discuss the new budget for schools.", "en"),
        ("El comité se reunió el martes para debatir el nuevo presupuesto escolar.", "es"),
        ("O comitê reuniu-se na terça-feira para discutir o novo orçamento das escolas.", "pt"),
        ("委員会は火曜日に開かれ、学校の新しい予算について話し合いました。", "ja"),
        ("위원회는 화요일에 모여 학교의 새 예산에 대해 논의했습니다.", "ko"),
        ("اجتمعت اللجنة يوم الثلاثاء لمناقشة الميزانية الجديدة للمدارس.", "ar"),
        ("คณะกรรมการประชุมเมื่อวันอังคารเพื่อหารือเรื่องงบประมาณใหม่ของโรงเรียน", "th"),
        ("THE COMMITTEE MET ON TUESDAY TO DISCUSS THE NEW BUDGET", "en"),
        ("The committee\nmet on\r\nTuesday\0 to discuss\ud800 the new budget.", "en"),
    ],
)
def test_identify(text: str, lang: str) -> None:
    [(found, score)] = identify([text])
    assert found == lang
    assert 0.5 < score <= 1


@pytest.mark.parametrize("text", ["", " \n", "12345 !!", "٣٤٥", "🚀🚀", "\u200b", "\ud800", "\0"])
def test_a_text_without_letters_has_no_language(text: str) -> None:
    assert identify([text]) == [(UNKNOWN, 0.0)]


def test_a_menu_in_english_does_not_decide() -> None:
    menu = "Home About Contact Privacy Terms Search Login Register Help\n" * 5
    body = "委員会は火曜日に開かれ、学校の新しい予算について話し合いました。\n" * 100
    assert identify([menu + body])[0][0] == "ja"


def test_a_long_text_costs_no_more_than_a_short_one() -> None:
    assert identify(["The cat sat on the mat. " * 400_000])[0][0] == "en"


def test_nothing_is_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the identifier looked for a network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert identify(["The cat sat on the mat."])[0][0] == "en"


@settings(max_examples=50)
@given(st.lists(st.text(st.characters(codec=None), max_size=30), max_size=4))
def test_any_text_has_an_answer(texts: list[str]) -> None:
    answers = identify(texts)
    assert len(answers) == len(texts)
    assert all(lang and 0 <= score <= 1 for lang, score in answers)


@pytest.mark.parametrize(
    ("label", "lang"),
    [
        ("por-BR", "pt"),
        ("spa", "es"),
        ("jpn", "ja"),
        ("kor", "ko"),
        ("arb", "ar"),
        ("ara", "ar"),
        ("tha", "th"),
        ("eng", "en"),
        ("en", "en"),
        ("EN-us", "en"),
        ("zho_Hans", "zh"),
        ("cmn", "zh"),
        ("__label__arb_Arab", "ar"),
        ("eng,spa", "en"),
        ("als_Latn", "sq"),
        ("nb", "no"),
        ("yue", "zh-yue"),
        ("zh-yue", "zh-yue"),
        ("arz", "arz"),
        ("", UNKNOWN),
        (" ", UNKNOWN),
        (None, UNKNOWN),
    ],
)
def test_crawl_language(label: str | None, lang: str) -> None:
    assert crawl_language(label) == lang


@pytest.mark.parametrize("lang", ["ar", "en", "es", "ja", "ko", "pt", "th"])
def test_every_translated_news_document_is_told(shared_data: Path, lang: str) -> None:
    path = shared_data / f"crawl/fineweb/{lang}-000.parquet"
    rows = pq.read_table(path, columns=["text", "url"]).to_pylist()
    answers = identify([row["text"] for row in rows if row["url"].startswith("urn:ntrex:")])
    assert len(answers) >= 62
    assert {found for found, _ in answers} == {lang}
    assert min(score for _, score in answers) > 0.85
