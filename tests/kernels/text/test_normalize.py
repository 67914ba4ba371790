from __future__ import annotations

import csv
import unicodedata
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crossic_etl.kernels.text.normalize import clean_text, document_id, normalized

ANY_TEXT = st.text(st.characters(codec=None), max_size=40)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("a\0b\x1bc\x7fd\x9fe", "abcde"),
        ("a\ud800b\udfff", "ab"),
        ("\ufeffa\ufffeb\ufdd0", "ab"),
        ("a\r\nb\rc\u2028d\x85e\x0cf", "a\nb\nc\nd\ne\nf"),
        ("a\tb\n\n c", "a\tb\n\n c"),
        ("e\u0301", "é"),
        ("ｱ x² ﷲ", "ｱ x² ﷲ"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("กำ แมว", "กำ แมว"),
    ],
)
def test_clean_text(text: str, expected: str) -> None:
    assert clean_text(text) == expected


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("", " \n\t\u3000"),
        ("straße STRASSE", "STRASSE  strasse\n"),
        ("ＡＢＣ ﾃｽﾄ", "abc テスト"),
        ("ﷲ", "الله"),
        ("a\u00adb\u200bc\u2060", "abc"),
        ("กำ", "ก\u0e4d\u0e32"),
        ("Ⅷ ﬁ x²", "viii fi x2"),
        ("a\ud800b", "ab"),
        ("한국어", "\u1112\u1161\u11ab국어"),
    ],
)
def test_one_text_in_two_spellings_has_one_id(text: str, same: str) -> None:
    assert normalized(text) == normalized(same)
    assert document_id(text) == document_id(same)


def test_different_texts_have_different_ids() -> None:
    texts = ["", "a", "b", "ab", "a b", "แมว", "หมา", "猫", "犬", "قط", "1", "2"]
    assert len({document_id(text) for text in texts}) == len(texts)


def test_the_id_is_stable_between_versions() -> None:
    assert document_id("The cat") == "7203293719e4a3efb9ec20e2c682397f"


@settings(max_examples=300)
@given(ANY_TEXT)
@example("\u0345\u0301")
@example("\u115fa\u3164")
@example("´\u2017ͺ")
def test_both_forms_are_idempotent_and_can_be_encoded(text: str) -> None:
    for form in (clean_text, normalized):
        assert form(form(text)) == form(text)
        form(text).encode()
    assert normalized(clean_text(text)) == normalized(text)


def test_normalized_is_idempotent_on_every_character() -> None:
    assigned = (c for c in map(chr, range(0x20000)) if unicodedata.category(c) != "Cn")
    for character in assigned:
        once = normalized(f"a{character}b")
        assert normalized(once) == once, ascii(character)
        assert unicodedata.is_normalized("NFKC", once)


def test_exact_copies_have_one_id_and_nothing_else_has(shared_data: Path) -> None:
    table = pq.read_table(shared_data / "crawl/fineweb/en-000.parquet", columns=["id", "text"])
    ids = {row["id"]: document_id(row["text"]) for row in table.to_pylist()}
    with (shared_data / "crawl/duplicates.tsv").open() as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    exact = [row for row in rows if row["kind"].startswith("exact")]
    doubled_spaces = [row for row in rows if "space doubled" in row["how"]]
    for row in exact + doubled_spaces:
        assert ids[row["id"]] == ids[row["of_id"]]
    # 184 distinct texts, of which one differs in white space alone
    assert len(set(ids.values())) == 183
