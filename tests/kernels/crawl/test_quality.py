from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossic_etl.kernels.crawl.quality import REASONS, QualityRules, quality_reason
from crossic_etl.kernels.crawl.records import RawDocument, read_wet

EN = """The committee that was set up last spring has now met twelve times to look at the schools.
Its members say that they have found no quick answer, and none that would be cheap to carry out.
Older buildings need new roofs before winter, while newer ones were built without enough rooms.
A report with every figure is expected in June; until then the mayor does not want to comment."""
AR = """عقدت اللجنة التي شكلت في الربيع الماضي اثني عشر اجتماعا لبحث أوضاع المدارس في المدينة.
وقال أعضاؤها إنهم لم يجدوا حلا سريعا ولا حلا رخيصا يمكن تنفيذه قبل نهاية العام الحالي.
وتحتاج المباني القديمة إلى أسقف جديدة قبل الشتاء، بينما بنيت المباني الحديثة دون غرف كافية.
ومن المتوقع صدور تقرير مفصل في يونيو، وحتى ذلك الحين لا يريد رئيس البلدية التعليق على الأمر."""
JA = """昨年の春に設けられた委員会は、市内の学校の状況を調べるためにこれまでに十二回の会合を開いた。
委員たちは、すぐに効く答えも、安く済む答えも見つかっていないと話している。
古い校舎は冬が来る前に屋根を直す必要があり、新しい校舎は教室の数が足りないまま建てられた。
すべての数字を載せた報告書は六月に出る予定で、市長はそれまで何も話さないつもりだという。"""
TH = """คณะกรรมการที่ตั้งขึ้นเมื่อฤดูใบไม้ผลิปีที่แล้วได้ประชุมกันสิบสองครั้งเพื่อดูสภาพของโรงเรียนในเมือง
กรรมการบอกว่ายังไม่พบคำตอบที่รวดเร็วและราคาถูกพอที่จะทำได้ภายในปีนี้
อาคารเก่าต้องการหลังคาใหม่ก่อนถึงฤดูหนาว ส่วนอาคารใหม่ถูกสร้างโดยมีห้องเรียนไม่เพียงพอ
รายงานฉบับเต็มจะออกในเดือนมิถุนายน และจนกว่าจะถึงเวลานั้นนายกเทศมนตรีไม่ต้องการแสดงความเห็น"""
GOOD = {"en": EN, "ar": AR, "ja": JA, "th": TH}
CHATTER = "It was a good day and the weather was fine for all of us that morning. "


def words(n: int, start: int = 0) -> str:
    """Different words, five letters each, without end."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    return " ".join(
        "w" + "".join(letters[i // 26**k % 26] for k in range(4)) for i in range(start, start + n)
    )


@pytest.mark.parametrize("lang", GOOD)
def test_plain_prose_is_kept(lang: str) -> None:
    assert quality_reason(GOOD[lang], lang) is None


@pytest.mark.parametrize(
    ("text", "lang", "reason"),
    [
        ("", "en", "min_words"),
        (" \n\t", "th", "min_words"),
        ("\ud800\0", "ja", "min_words"),
        ("The cat sat on the mat.", "en", "min_words"),
        ("猫が座った。", "ja", "min_words"),
        ("แมวนั่งบนเสื่อ", "th", "min_words"),
        (EN.replace(" ", ""), "en", "min_words"),
        ("a b c d e f g h " * 20, "en", "min_word_length"),
        (AR.replace("ا", "ا" * 9), "ar", "max_word_length"),
        (EN + " 1234 5678 9012" * 20, "en", "min_words_with_letters"),
        (TH + "12345 !!" * 40, "th", "min_letters"),
        (JA + "０１２３４５★" * 30, "ja", "min_letters"),
        (EN.replace(" ", " #", 20), "en", "max_hash_signs"),
        (EN.replace(" ", "... ", 20), "en", "max_ellipses"),
        (JA.replace("。", "……") + "…" * 30, "ja", "max_ellipses"),
        (words(80) + ".", "en", "min_common_words"),
        (words(80) + ".", "es", "min_common_words"),
        (EN, "ja", "min_common_words"),
        (EN + " Lorem ipsum dolor sit amet.", "en", "lorem_ipsum"),
        ("\n".join(f"• {line}" for line in EN.split("\n")), "en", "max_bullet_lines"),
        (EN.replace(".\n", "...\n"), "en", "max_ellipsis_lines"),
        (EN.replace(".", "").replace("\n", " the\n"), "en", "min_punctuated_lines"),
        (JA.replace("。", ""), "ja", "min_punctuated_lines"),
        (EN.replace(" ", "\n", 40).replace("\n", ".\n"), "en", "max_short_lines"),
        (JA.replace("、", "\n").replace("。", "\n"), "ja", "min_punctuated_lines"),
        ("\n".join([EN, *(f"Here is line number {w} of it all." for w in [1] * 9)]), "en",
         "max_repeated_lines"),
        (EN + ("\n" + CHATTER * 3) * 2, "en", "max_characters_in_repeated_lines"),
        (EN + " and so on and so on" * 12, "en", "max_top_ngrams"),
        (JA + "ありがとう" * 20, "ja", "max_top_ngrams"),
        (TH + "ราคาถูกที่สุดวันนี้" * 12, "th", "max_top_ngrams"),
        (f"{EN} {' '.join(EN.split()[:30])}", "en", "max_repeated_ngrams"),
        (TH + TH[:120], "th", "max_repeated_ngrams"),
        (JA + JA[5:60], "ja", "max_repeated_ngrams"),
    ],
)  # fmt: skip
def test_a_rule_that_a_text_breaks(text: str, lang: str, reason: str) -> None:
    assert reason in REASONS
    assert quality_reason(text, lang) == reason


def test_paragraphs_are_counted_beside_lines() -> None:
    rules = QualityRules(max_repeated_lines=1, max_characters_in_repeated_lines=1)
    paragraph = "Some words of it.\nSome more words."
    text = "\n\n".join([EN, *[paragraph] * 4])
    assert quality_reason(text, "en", rules) == "max_repeated_paragraphs"
    text = f"{EN}\n\n{EN}"
    assert quality_reason(text, "en", replace(rules, max_repeated_paragraphs=1)) == (
        "max_characters_in_repeated_paragraphs"
    )


def test_too_many_words_is_told_before_anything_is_sorted() -> None:
    assert quality_reason("word " * 100_001, "en") == "max_words"
    assert quality_reason("猫" * 300_000, "ja") == "max_words"


def test_too_many_lines_for_the_words() -> None:
    text = "\n".join(f"The {word} and the rest." for word in words(30).split())
    rules = QualityRules(max_short_lines=2, max_lines_per_word=0.1)
    assert quality_reason(text, "en", rules) == "max_lines_per_word"


def test_thresholds_are_configuration() -> None:
    short = "The committee has to meet again before June."
    assert quality_reason(short, "en", QualityRules(min_words=5)) is None
    assert quality_reason(EN, "en", QualityRules(max_word_length=4)) == "max_word_length"
    assert quality_reason(EN + "{", "en") is None
    assert quality_reason(EN + "{", "en", QualityRules(curly_brackets=True)) == "curly_brackets"


def test_a_language_without_a_word_list_is_not_asked_for_common_words() -> None:
    assert quality_reason(words(80) + ".", "de") is None


@settings(max_examples=100)
@given(
    st.text(st.characters(codec=None), max_size=200),
    st.sampled_from(["en", "ja", "th", "ko", "ar", "xx", "und"]),
)
def test_no_text_raises(text: str, lang: str) -> None:
    for rules in (
        QualityRules(),
        QualityRules(min_words=0),
        QualityRules(min_words=0, max_words=9),
    ):
        assert quality_reason(text, lang, rules) in {None, *REASONS}


REJECTED = {
    # it says the same thing over and over, in each language
    **{f"urn:ntrex:dailymail.co.uk.298630{suffix}": "max_repeated_ngrams"
       for suffix in ("", ":es", ":ja", ":pt", ":th")},
    # words without spaces between them
    "urn:ntrex:dailymail.co.uk.298759:ar": "max_word_length",
}  # fmt: skip


@pytest.mark.parametrize("lang", ["ar", "en", "es", "ja", "ko", "pt", "th"])
def test_translated_news_is_kept_in_every_language(shared_data: Path, lang: str) -> None:
    path = shared_data / f"crawl/fineweb/{lang}-000.parquet"
    rows = pq.read_table(path, columns=["text", "url"]).to_pylist()
    news = {row["url"]: row["text"] for row in rows if row["url"].startswith("urn:ntrex:")}
    reasons = {url: quality_reason(text, lang) for url, text in news.items()}
    assert len(reasons) == 62
    assert {url: reason for url, reason in reasons.items() if reason} == {
        url: reason for url, reason in REJECTED.items() if url in reasons
    }


def test_a_page_of_menus_is_rejected(shared_data: Path) -> None:
    path = shared_data / "crawl/wet/whirlwind.warc.wet.gz"
    [page] = read_wet(path.read_bytes(), path.name)
    assert isinstance(page, RawDocument)
    assert quality_reason(page.text, "es") == "min_punctuated_lines"
