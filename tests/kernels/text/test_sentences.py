from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossic_etl.kernels.text.clusters import splits_a_cluster
from crossic_etl.kernels.text.sentences import PARAGRAPH, PHRASE, SENTENCE, find_borders

TEXTS = st.text(alphabet="aB1 .!?;。」\n\t\u3000กเำๆ猫؟عとက၊။།\"'", max_size=60)
LANGS = ["en", "th", "lo", "ja", "ar", "el", "my", "bo"]


def borders(text: str, lang: str) -> list[tuple[int, int, int]]:
    found = find_borders(text, lang)
    columns = (found.starts.tolist(), found.stops.tolist(), found.kinds.tolist())
    return list(zip(*columns, strict=True))


@pytest.mark.parametrize(
    ("lang", "text", "expected"),
    [
        ("en", "", []),
        ("en", "One sentence.", []),
        ("en", "One. Two.", [(4, 5)]),
        ("en", "Dr. Smith", []),
        ("en", "It has 3.14 cats", []),
        ("en", "Yes! no", []),
        ("en", 'He said "Never." Then', [(16, 17)]),
        ("ja", "猫。犬。", [(2, 2)]),
        ("ja", "「猫。」犬", [(4, 4)]),
        ("ja", "猫 犬", []),
        ("ar", "هل؟ نعم۔ لا.", [(3, 4), (8, 9)]),
    ],
)
def test_sentences_end_as_their_language_ends_them(
    lang: str, text: str, expected: list[tuple[int, int]]
) -> None:
    assert borders(text, lang) == [(start, stop, SENTENCE) for start, stop in expected]


def marked(text: str, lang: str) -> str:
    """The text with ``|`` at borders of sentences and ``·`` at those of phrases."""
    for start, _, kind in reversed(borders(text, lang)):
        text = text[:start] + {SENTENCE: "|", PHRASE: "·"}[kind] + text[start:]
    return text


@pytest.mark.parametrize(
    ("lang", "expected"),
    [
        ("en", "The U.S. Army left.| J. Smith met Dr. Low at 3.30 p.m. today."),
        ("de", "Am 3. Mai 1901 im 19. Jahrhundert.| Es war 1950.| Dann kam Adam."),
        ("cs", "Dne 21. Ledna přišel.| Pak odešel."),
        ("hu", "A 20. Század vége.| Utána."),
        ("en", "On page p. 12 and ca. 1900 it ends with 21.| Then 3.| It was."),
        ("nl", "Op nr. 5 en p. 12.| Daarna."),
        ("el", "Πού είναι;| Εδώ; εκεί."),
        ("grc", "Τίς;| Ἐγώ."),
        ("en", "α; Β"),
        ("ar", "أين القطة؟| نامت.| ثم جاء د. محمد في 3.14 ثانية"),
        ("ar", "عام 1939م.| وكان بحرًا.| ثم أ. د. محمد"),
        ("he", "החתול ישן.| א. כהן בא"),
        ("ur", "بلی سوئی۔| کتا بھاگا"),
        ("ur", "پی۔ایچ۔ڈی کیا"),
        ("hy", "Կատուն քնեց։| Շունը վազեց։"),
        ("hy", "Ժամը 10։30 է"),
        ("hi", "बिल्ली सोई।| कुत्ता भागा।|बारिश हुई॥| सब सोए।"),
        ("hi", "डॉ. राम और ए. पी. जे. अब्दुल कलाम"),
        ("mr", "मांजर झोपले.| कुत्रा पळाला."),
        ("am", "ድመቷ ተኛች።| ውሻው ሮጠ።|ዝናብ ዘነበ፧| አዎ"),
        ("mn", "ᠮᠣᠷᠢ᠃| ᠨᠣᠬᠠᠢ"),
        ("zh", "猫睡了。|“狗跑了。”|雨停了！|真的？|是。"),
        ("zh", "圆周率是３．１４。"),
        ("ja", "「行く。」と言った。|「来た。」|彼は笑った。|（猫。）|犬"),
        ("ja", "「猫！？」って何。"),
        ("my", "သူ· လာသည်။| ကြောင်အိပ်သည် ။| နေပူသည်၊· မိုးရွာသည်"),
        ("my", "၃.၅ ပေ"),
        ("shn", "မႄး· ၼွၼ်း။| မႃ"),
        ("km", "ឆ្មាដេក។| ឆ្កែរត់· ហើយឈប់៕"),
        ("km", "ឆ្មា ១៥ ក្បាល· ឆ្កែ ។ល។"),
        ("bo", "བྱི་ལ་ཉལ།| ཁྱི་རྒྱུགས། །|དེ་ནས།།|སོང"),
        ("bo", "ངས་མཐོང· ཁྱོད"),
        ("th", "แมวนอน· หมาวิ่ง"),
        ("th", "แมวนอนไหม?| หมาวิ่ง"),
        ("th", "มีแมว 3 ตัว· และ iPhone ใหม่ (สีดำ) อยู่ที่นี่"),
        ("th", "พ.ศ. ๒๕๓๒ ดร. สมชาย· เดินทางไปกรุงเทพฯ บ่อย"),
        ("th", "ปลาต่าง ๆ กัน"),
        ("th", 'แมวนอน· "หมาวิ่ง"· นกบิน'),
        ("th", "แมวนอน·  หมาวิ่ง"),
        ("lo", "ແມວນອນ· ໝາແລ່ນ 12 ໂຕ· ຕ່າງ ໆ ກັນ"),
        ("en", "แมว หมา"),
        ("", ""),
    ],
)
def test_marks_and_spaces_of_each_script_end_what_they_end(lang: str, expected: str) -> None:
    assert marked(expected.replace("|", "").replace("·", ""), lang) == expected


def test_the_greek_question_mark_is_also_the_one_of_its_own() -> None:
    assert marked("Πού\u037e Εδώ", "el") == "Πού\u037e| Εδώ"


def test_a_phrase_border_is_never_at_a_newline() -> None:
    assert borders("แมว\nหมา", "th") == [(4, 4, SENTENCE)]


def test_a_blank_line_after_a_full_stop_ends_a_paragraph() -> None:
    assert borders("One.\n\nTwo", "en") == [(6, 6, PARAGRAPH)]


def test_a_short_line_without_full_stop_ends_like_a_sentence() -> None:
    assert borders("Head\n\nTwo", "en") == [(6, 6, SENTENCE)]


@pytest.mark.parametrize("blanks", [" ", "\t ", "\r", "\u3000"])
def test_white_space_behind_a_full_stop_changes_no_kind(blanks: str) -> None:
    at = 5 + len(blanks)
    assert borders(f"One.{blanks}\nTwo", "en") == [(at, at, PARAGRAPH)]
    assert borders(f"One{blanks}\nTwo", "en") == [(at - 1, at - 1, SENTENCE)]


def test_an_indent_after_a_newline_may_go_to_either_side() -> None:
    assert borders("One.\n  Two", "en") == [(5, 7, PARAGRAPH)]


@given(TEXTS, st.sampled_from(LANGS))
def test_borders_are_in_order_and_inside_the_text(text: str, lang: str) -> None:
    found = borders(text, lang)
    starts = [start for start, _, _ in found]
    assert starts == sorted(set(starts))
    assert all(0 < start <= stop <= len(text) and start < len(text) for start, stop, _ in found)


@given(TEXTS, st.sampled_from(LANGS))
def test_only_white_space_may_go_to_either_side_of_a_border(text: str, lang: str) -> None:
    assert "".join(text[start:stop] for start, stop, _ in borders(text, lang)).strip() == ""


@pytest.mark.parametrize(
    ("text", "at", "expected"),
    [
        ("ab", 1, False),
        ("ab", 0, False),
        ("ab", 2, False),
        ("e\u0301a", 1, True),
        ("e\u0301a", 2, False),
        ("กำ", 1, True),
        ("เก", 1, True),
        ("กา", 1, True),
        ("กข", 1, False),
        ("👩\u200d🚀", 1, True),
        ("👩\u200d🚀", 2, True),
        ("👍🏽", 1, True),
        ("🇹🇭", 1, True),
        ("猫犬", 1, False),
        ("\u1112\u1161", 1, True),
        ("بَ", 1, True),
        ("က္က", 2, True),
        ("ក្រ", 2, True),
        ("क्ष", 2, True),
        ("க்க", 2, False),
        ("क् ", 2, False),
        ("🏴\U000e0067\U000e007f", 1, True),
        ("🏴\U000e0067\U000e007f", 2, True),
    ],
)
def test_whether_a_cut_parts_a_cluster(text: str, at: int, expected: bool) -> None:
    assert splits_a_cluster(text, at) is expected
