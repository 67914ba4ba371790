from __future__ import annotations

from collections import Counter
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from crossic_etl.kernels.crawl import records as crawl_records
from crossic_etl.kernels.crawl.documents import (
    CONTAMINATED,
    DOCUMENT,
    DROPPED,
    OTHER_LANGUAGE,
    REJECTED,
    TOO_LONG,
    TOO_SHORT,
    UNSURE_LANGUAGE,
    DocumentRules,
    filter_record,
    filter_records,
    read_line,
    read_row,
)
from crossic_etl.kernels.crawl.records import (
    EMPTY_LINE,
    EMPTY_TEXT,
    FIELDS,
    NO_TEXT,
    NOT_JSON,
    NOT_UTF8,
    TOO_LARGE,
    BrokenRecord,
    RawDocument,
)
from crossic_etl.kernels.crawl.url_blocks import BLOCKED_DOMAIN, UrlBlockList
from crossic_etl.kernels.text.contamination import NgramIndex
from crossic_etl.kernels.text.language_id import UNKNOWN
from crossic_etl.kernels.text.normalize import document_id

ENGLISH = (
    "The potter who works by the river has kept a kiln there for more than thirty years, and in "
    "the spring she opens it to people of the village who would like to see how a bowl is made.\n"
    "First the clay is cut and kneaded with both hands until no air is left in it. Then it is "
    "thrown on the wheel, and with wet fingers she draws its wall up to a rim that is as thin "
    "as a coin. After a week on the shelf the bowl goes to the fire."
)
SPANISH = (
    "La alfarera que trabaja junto al río tiene allí un horno desde hace más de treinta años, y "
    "en primavera lo abre a los vecinos del pueblo que quieren ver cómo se hace un cuenco.\n"
    "Primero se corta el barro y se amasa con las dos manos hasta que no queda aire en él. "
    "Después se pone en el torno y con los dedos mojados se levanta la pared hasta el borde, tan "
    "fino como una moneda. Tras una semana en la estantería el cuenco va al fuego."
)
RULES = DocumentRules(frozenset({"en", "th"}))


def test_a_kept_document_is_a_row_with_all_that_is_known_of_it() -> None:
    record = RawDocument(ENGLISH, "https://a.example/1", "id1", "2024", "eng", 0.9, "CC-1", "f.gz")
    row = filter_record(record, RULES)
    assert isinstance(row, dict)
    assert row.pop("lang_score") > 0.9
    assert row == {
        "outcome": DOCUMENT,
        "n": 1,
        "doc_id": document_id(ENGLISH),
        "text": ENGLISH,
        "text_hash": sha256(ENGLISH.encode()).hexdigest(),
        "n_chars": len(ENGLISH),
        "lang": "en",
        "crawl_lang": "eng",
        "crawl_lang_score": 0.9,
        "url": "https://a.example/1",
        "source_id": "id1",
        "dump": "CC-1",
        "file": "f.gz",
        "date": "2024",
        "licence": "NOASSERTION",
    }


@pytest.mark.parametrize(("own", "given", "expected"), [
    ("CC-1", "CC-2", "CC-1"), (None, "CC-2", "CC-2"), (None, "", None),
])  # fmt: skip
def test_a_record_is_of_its_own_dump_or_of_the_configured_one(
    own: str | None, given: str, expected: str | None
) -> None:
    row = filter_record(RawDocument(ENGLISH, dump=own), RULES, given)
    assert isinstance(row, dict)
    assert row["dump"] == expected


BLOCKED = UrlBlockList.of(["bad.example"])
EVALUATION = NgramIndex.of(
    ["Then it is thrown on the wheel, and with wet fingers she draws its wall up"]
)


@pytest.mark.parametrize(
    ("text", "url", "changes", "expected"),
    [
        (ENGLISH, "https://www.bad.example/x", {"blocked": BLOCKED}, BLOCKED_DOMAIN),
        ("The kiln.", None, {}, TOO_SHORT),
        (ENGLISH, None, {"max_chars": len(ENGLISH) - 1}, TOO_LONG),
        (SPANISH, None, {}, OTHER_LANGUAGE),
        ("1 2 3 " * 50, None, {}, OTHER_LANGUAGE),
        (ENGLISH, None, {"min_language_score": 1.0}, UNSURE_LANGUAGE),
        (ENGLISH.replace(" ", "# ", 30), None, {}, "max_hash_signs"),
        ("The bowl and the fire. " * 20, None, {}, "max_top_ngrams"),
        (ENGLISH, None, {"evaluation": EVALUATION}, CONTAMINATED),
        # the cheaper reason counts
        ("The kiln.", "https://bad.example", {"blocked": BLOCKED}, BLOCKED_DOMAIN),
    ],
)
def test_a_document_is_dropped_for_its_first_reason(
    text: str, url: str | None, changes: dict[str, Any], expected: str
) -> None:
    assert filter_record(RawDocument(text, url), replace(RULES, **changes)) == expected
    assert expected in DROPPED


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        (ENGLISH, {"min_chars": len(ENGLISH), "max_chars": len(ENGLISH)}),
        (ENGLISH.replace(" ", "# ", 30), {"quality": None}),
        (SPANISH, {"languages": frozenset({"es"}), "evaluation": EVALUATION}),
    ],
)
def test_a_document_within_the_rules_is_kept(text: str, changes: dict[str, Any]) -> None:
    assert isinstance(filter_record(RawDocument(text), replace(RULES, **changes)), dict)


@pytest.mark.parametrize(
    ("label", "score", "expected"),
    [
        ("tha_Thai", 0.7, ("th", 0.7)),
        ("tha,eng", None, ("th", 1.0)),
        ("tha", 0.6, UNSURE_LANGUAGE),
        ("deu", 1.0, OTHER_LANGUAGE),
        (None, 0.1, "en"),
        ("", 0.1, "en"),
    ],
)
def test_a_trusted_label_is_the_language_where_there_is_one(
    label: str | None, score: float | None, expected: object
) -> None:
    rules = replace(RULES, trusts_labels=True, quality=None)
    row = filter_record(RawDocument(ENGLISH, lang=label, lang_score=score), rules)
    if isinstance(expected, tuple):
        assert isinstance(row, dict)
        assert (row["lang"], row["lang_score"]) == expected
    else:
        assert (row["lang"] if isinstance(row, dict) else row) == expected


def test_a_label_that_is_not_trusted_is_only_kept() -> None:
    row = filter_record(RawDocument(ENGLISH, lang="tha", lang_score=1.0), RULES)
    assert isinstance(row, dict)
    assert (row["lang"], row["crawl_lang"], row["crawl_lang_score"]) == ("en", "tha", 1.0)


@pytest.mark.parametrize(
    ("key", "file", "expected"),
    [
        ("line 3", "c/f.jsonl", "c/f.jsonl line 3"),
        ("c/f.wet.gz", "c/f.wet.gz", "c/f.wet.gz"),
        ("id1", None, "id1"),
    ],
)
def test_what_is_broken_is_a_reject_whose_key_names_its_file(
    key: str, file: str | None, expected: str
) -> None:
    row = filter_record(BrokenRecord(NOT_JSON, key, "{", file), RULES)
    assert row == {
        "outcome": NOT_JSON, "n": 1, "lang": UNKNOWN, "key": expected, "detail": "{",
    }  # fmt: skip


def test_an_empty_line_is_only_counted() -> None:
    assert filter_record(BrokenRecord(EMPTY_LINE, "line 1", "", "f"), RULES) == EMPTY_LINE
    assert EMPTY_LINE in DROPPED
    assert {*REJECTED} & {*DROPPED} == set()
    assert {*crawl_records.REASONS} <= {*REJECTED, *DROPPED}


def test_counts_balance() -> None:
    records = [
        RawDocument(ENGLISH),
        RawDocument(ENGLISH),
        RawDocument("short"),
        RawDocument("shorter"),
        RawDocument(SPANISH),
        BrokenRecord(NOT_JSON, "line 4", "{", "f"),
        BrokenRecord(EMPTY_LINE, "line 5", "", "f"),
    ]
    counts: Counter[str] = Counter()
    for row in filter_records(records, RULES):
        counts[row["outcome"]] += row["n"]
    assert counts == {
        "read": 7, DOCUMENT: 2, TOO_SHORT: 2, OTHER_LANGUAGE: 1, NOT_JSON: 1, EMPTY_LINE: 1,
    }  # fmt: skip
    assert list(filter_records([], RULES)) == []


def test_a_row_of_a_columnar_file_comes_out_clean() -> None:
    row = read_row(
        "f.parquet",
        7,
        b"a\0b\r\nc",
        "http://x\0",
        "id\ud800",
        "2024",
        "eng",
        "0.5",
        "CC",
        None,
    )
    assert row == RawDocument("ab\nc", "http://x", "id", "2024", "eng", 0.5, "CC", "f.parquet")
    named = read_row("f.parquet", 7, b"a", lang_score="NaN", named_file="segment.wet.gz")
    assert named == RawDocument("a", file="segment.wet.gz")


@pytest.mark.parametrize(
    ("text", "url", "source_id", "expected"),
    [
        (None, None, "id1", BrokenRecord(NO_TEXT, "id1", "", "f")),
        (b" \0\n", "http://x", None, BrokenRecord(EMPTY_TEXT, "http://x", " \n", "f")),
        (b"caf\xe9", None, None, BrokenRecord(NOT_UTF8, "row 7", "caf\ufffd", "f")),
    ],
)
def test_a_row_without_a_text_is_broken(
    text: bytes | None, url: str | None, source_id: str | None, expected: BrokenRecord
) -> None:
    assert read_row("f", 7, text, url, source_id) == expected


def test_a_row_or_line_that_is_too_large_is_broken() -> None:
    huge = b"x" * (crawl_records.MAX_BYTES + 1)
    row, line = read_row("f", 7, huge), read_line(huge, dict(FIELDS["c4"]), "f")
    assert row == BrokenRecord(TOO_LARGE, "row 7", "x" * 500, "f")
    assert isinstance(line, BrokenRecord)
    assert (line.reason, line.detail) == (TOO_LARGE, "x" * 500)


def test_a_line_without_number_is_named_by_its_hash() -> None:
    fields = dict(FIELDS["c4"])
    assert read_line(b'{"text": "a", "url": "u"}', fields, "f") == RawDocument(
        "a", "u", "u", file="f"
    )
    first, second = (read_line(line, fields, "f") for line in (b"{", b"{{"))
    assert isinstance(first, BrokenRecord)
    assert isinstance(second, BrokenRecord)
    assert first.key == "line with hash " + sha256(b"{").hexdigest()[:16]
    assert first.key != second.key
    named = read_line(b'{"url": "u"}', fields, "f")
    assert isinstance(named, BrokenRecord)
    assert (named.reason, named.key) == (NO_TEXT, "u")
