"""Which spaces between Thai or Lao phrases are called the end of a sentence."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from crossic_etl.kernels.text.phrases import WORDS
from crossic_etl.kernels.text.sentences import PHRASE, SENTENCE, find_borders

FLOOD = "เมื่อวานฝนตกหนักมากจนน้ำท่วมถนนหน้าบ้านของเราทั้งสาย"
MARKET = "ไม่ได้ออกไปซื้อของที่ตลาดในตอนเช้าของวันนั้น"
LAO_FLOOD = "ມື້ວານນີ້ຝົນຕົກແຮງຫຼາຍຈົນນ້ຳຖ້ວມທາງໜ້າເຮືອນຂອງຊາວບ້ານທັງໝົດ"


def kinds(text: str, lang: str) -> list[int]:
    return find_borders(text, lang).kinds.tolist()


@pytest.mark.parametrize(
    ("lang", "text", "expected"),
    [
        ("th", f"{FLOOD}แล้ว พวกเรา{MARKET}", SENTENCE),
        ("th", f"{FLOOD} หลังจากนั้นพวกเรา{MARKET}", SENTENCE),
        ("th", f'{FLOOD}แล้ว "พวกเรา{MARKET}"', SENTENCE),
        ("th", f'"{FLOOD}แล้ว" พวกเรา{MARKET}', SENTENCE),
        ("th", f"{FLOOD}เท่านั้น พวกเรา{MARKET}", SENTENCE),
        ("th", f"{FLOOD} และพวกเรา{MARKET}", PHRASE),
        ("th", f"{FLOOD}แล้ว ซึ่งพวกเรา{MARKET}", PHRASE),
        ("th", f"{FLOOD}นั้น พวกเรา{MARKET}", PHRASE),
        ("th", f"ชาวบ้านที่อยู่ริมแม่น้ำสายนี้บอกเราว่า {FLOOD}", PHRASE),
        ("th", f'"{FLOOD}" เขากล่าวกับพวกเรา{MARKET}', PHRASE),
        ("th", "แมวนอน เขาวิ่ง", PHRASE),
        ("lo", f"{LAO_FLOOD}ແລ້ວ ພວກເຮົາບໍ່ໄດ້ໄປຕະຫຼາດ", SENTENCE),
        ("lo", f"{LAO_FLOOD} ແລະພວກເຮົາບໍ່ໄດ້ໄປຕະຫຼາດ", PHRASE),
        ("lo", f"ຊາວບ້ານທີ່ຢູ່ແຄມນ້ຳບອກພວກເຮົາວ່າ {LAO_FLOOD}", PHRASE),
        ("km", "ឆ្មាដេក ឆ្កែរត់", PHRASE),
    ],
)
def test_the_words_and_lengths_around_a_space_say_whether_a_sentence_ends(
    lang: str, text: str, expected: int
) -> None:
    assert kinds(text, lang) == [expected]


@pytest.mark.parametrize("lang", sorted(WORDS))
def test_no_word_speaks_for_both(lang: str) -> None:
    words = WORDS[lang]
    assert not set(words.begins) & set(words.continues)
    assert not set(words.ends) & set(words.expects)


def joined_lines(text: str) -> tuple[str, set[int]]:
    """The lines, each a sentence, with blanks between them, and where these are."""
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    stops = [len(" ".join(lines[:n])) for n in range(1, len(lines))]
    return " ".join(lines), set(stops)


def test_most_sentence_borders_of_translated_news_are_ends_of_sentences(shared_data: Path) -> None:
    table = pq.read_table(shared_data / "crawl/fineweb/th-000.parquet", columns=["text"])
    found: dict[int, list[bool]] = {SENTENCE: [], PHRASE: []}
    n_true = 0
    for text in table["text"].to_pylist():
        joined, stops = joined_lines(text)
        borders = find_borders(joined, "th")
        n_true += len(stops)
        for start, kind in zip(borders.starts.tolist(), borders.kinds.tolist(), strict=True):
            found[kind].append(start in stops)

    sentences, every = found[SENTENCE], found[SENTENCE] + found[PHRASE]
    assert sum(sentences) / len(sentences) > 0.6
    assert sum(sentences) / n_true > 0.3
    assert sum(every) / len(every) < 0.35  # what calling every space an end would give
