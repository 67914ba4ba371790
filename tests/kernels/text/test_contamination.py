from __future__ import annotations

import gzip
import json
import pickle
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossic_etl.kernels.crawl.records import RawDocument, read_wet
from crossic_etl.kernels.text.contamination import NgramIndex, Overlap, read_evaluation

QUESTION = "Which of the rivers that rise in the Alps flows into the Black Sea after ten countries?"
JA = "アルプス山脈に源を発し、十か国を流れた後に黒海へ注ぐ川は次のうちどれですか。"
TH = "แม่น้ำสายใดที่มีต้นกำเนิดในเทือกเขาแอลป์และไหลผ่านสิบประเทศก่อนลงสู่ทะเลดำ"
AR = "أي من الأنهار التي تنبع من جبال الألب يصب في البحر الأسود بعد أن يمر بعشر دول؟"
NOTHING = Overlap(0, 0.0, 0)


@pytest.mark.parametrize("text", [QUESTION, JA, TH, AR])
def test_a_copied_question_is_found_inside_a_page(text: str) -> None:
    index = NgramIndex.of([text])
    page = f"Quiz of the day, number 7. {text} Answer below."
    found = index.overlap(page)
    assert found.hits > 0
    assert 0.5 < found.share < 1
    assert index.overlap(text).share == 1.0


@pytest.mark.parametrize(
    ("text", "copy"),
    [
        (QUESTION, QUESTION.upper().replace(" ", "\n\n- ")),
        (QUESTION, QUESTION.replace("Alps", "**Alps**\u00ad").replace(" ", "\u3000")),
        (JA, JA.replace("、", " ").replace("アルプス", "ｱﾙﾌﾟｽ")),
        (AR, AR.replace("الألب", "اَلْأَلْب")),
        (TH, TH.replace("ที่", "ที่\u200b")),
    ],
)
def test_case_spaces_punctuation_and_signs_do_not_hide_a_copy(text: str, copy: str) -> None:
    assert NgramIndex.of([text]).overlap(copy).share == 1.0


@pytest.mark.parametrize(
    "text", ["", " ", "!!!", "\ud800\0", "Paris", "猫", "x" * 5000, QUESTION[:40]]
)
def test_what_is_not_shared_is_not_found(text: str) -> None:
    assert NgramIndex.of([QUESTION, JA, TH, AR]).overlap(text) == NOTHING


def test_an_empty_index_finds_nothing() -> None:
    assert NgramIndex.of([]).overlap(QUESTION) == NOTHING
    assert NgramIndex.of(["", "Paris", "42"]).n_ignored == 3
    assert NgramIndex.of(["", "Paris", "42"]).overlap("Paris 42") == NOTHING


def test_a_short_text_is_found_whole_or_not_at_all() -> None:
    short = "Name the largest lake of South America."
    index = NgramIndex.of([short])
    assert index.overlap(f"Question: {short} Thank you.").hits == 1
    assert index.overlap(f"Question: {short} Thank you.").longest == 32
    assert index.overlap("Name the largest lake of South Africa.") == NOTHING
    assert index.overlap("Name the largest lake of South Ameri") == NOTHING


def test_a_short_japanese_text_is_found_in_half_the_characters() -> None:
    index = NgramIndex.of(["南米で最も大きい湖の名前は何ですか。"])
    assert index.overlap("問題：南米で最も大きい湖の名前は何ですか？答え").hits == 1
    assert index.overlap("南米で最も大きい湖") == NOTHING


def test_the_longest_stretch_is_that_of_letters_and_digits() -> None:
    index = NgramIndex.of(["abcdefghij" * 3 + "0123456789" * 3], n=10, step=1)
    assert index.overlap("abcdefghij-abcdefghij").longest == 20
    assert index.overlap("abcdefghij xxx 0123456789 yyy abcdefghij") == Overlap(3, 30 / 36, 10)


def test_wrong_lengths_are_refused() -> None:
    for n, step in ((3, 1), (10, 0), (10, 11)):
        with pytest.raises(ValueError, match=f"n={n} and step={step}"):
            NgramIndex.of([], n, step)


@settings(max_examples=80)
@given(st.text("abcdef0", min_size=40, max_size=90), st.integers(0, 50), st.integers(1, 5))
def test_every_long_enough_shared_stretch_is_found(text: str, at: int, step: int) -> None:
    n = 20
    stretch = text[at : at + n + step - 1]
    found = NgramIndex.of([text], n, step).overlap(f"x y {stretch} z")
    assert found.hits > 0 or len(stretch) < n + step - 1


@settings(max_examples=80)
@given(st.lists(st.text(st.characters(codec=None), max_size=40), max_size=4))
def test_no_text_raises(texts: list[str]) -> None:
    index = NgramIndex.of(texts, n=8, step=2)
    for text in texts:
        found = index.overlap(text)
        assert 0 <= found.share <= 1
    assert 0 <= index.n_ignored <= len(texts)


def test_it_travels_small() -> None:
    index = NgramIndex.of([f"{i:060}" + QUESTION for i in range(100)])
    packed = pickle.dumps(index)
    assert pickle.loads(packed).overlap(QUESTION) == index.overlap(QUESTION)
    assert len(packed) < 8 * 100 * 30 + 2000


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_read_evaluation(pack) -> None:  # type: ignore[no-untyped-def]
    rows = [{"q": "一", "choices": ["a", {"t": "b"}], "n": 1}, {"q": "二", "id": None}]
    jsonl = "\n\n".join(map(json.dumps, rows)).encode()
    assert read_evaluation("s3a://b/e.jsonl", pack(jsonl)) == ["一", "a", "b", "二"]
    assert read_evaluation("e.jsonl.gz", pack(jsonl), ["q", "t"]) == ["一", "b", "二"]
    assert read_evaluation("e.json", pack(json.dumps(rows).encode())) == ["一", "a", "b", "二"]
    assert read_evaluation("e.txt", pack("\ufeffหนึ่ง\r\n\n สอง".encode())) == ["หนึ่ง", "สอง"]
    assert read_evaluation("e.txt", pack(b"")) == []


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("e.jsonl", b'{"q": "a"}\n\n{"q": ', "e.jsonl, line 3: not JSON"),
        ("e.json", b"[" * 100_000, "e.json: not JSON"),
        ("e.txt", b"\xff", "e.txt: not UTF-8 at byte 0"),
        ("e.txt.gz", gzip.compress(b"abc", mtime=0)[:-2], "e.txt.gz: gzip data is cut"),
        ("e.txt", b"a" * 200, "e.txt: more than 100 bytes"),
    ],
)
def test_an_evaluation_file_that_cannot_be_read_stops(name: str, data: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_evaluation(name, data, max_bytes=100_001 if name == "e.json" else 100)


@pytest.mark.parametrize("lang", ["ar", "en", "es", "ja", "ko", "pt", "th"])
def test_real_documents_are_found_and_what_they_quote(shared_data: Path, lang: str) -> None:
    path = shared_data / f"crawl/fineweb/{lang}-000.parquet"
    rows = pq.read_table(path, columns=["text", "url"]).to_pylist()
    pack = shared_data / "crawl/wet/ntrex-pack.warc.wet.gz"
    records = [r for r in read_wet(pack.read_bytes(), pack.name) if isinstance(r, RawDocument)]
    suffix = "" if lang == "en" else f":{lang}"
    packed = {r.url: r.text for r in records if f"{r.url}:".split(":")[3] == suffix[1:]}
    assert len(packed) == 10
    index = NgramIndex.of(line for text in packed.values() for line in text.split("\n"))
    found = {row["url"]: index.overlap(row["text"]) for row in rows}
    hits = {url for url, overlap in found.items() if overlap.hits}
    assert all(found[url].share > 0.9 for url in packed)
    # two English news documents have a clause of 60 letters in common
    assert hits - set(packed) == ({"urn:ntrex:reuters.218932"} if lang == "en" else set())
    assert all(found[url].share < 0.05 for url in hits - set(packed))
