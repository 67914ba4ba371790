"""Filters web documents by address, length, language, quality and evaluation sets, in this order.

Cheap rules come first. A document is dropped for the first rule that it breaks.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from hashlib import sha256
from typing import Any

import numpy as np

from crossic_etl.kernels.crawl import quality
from crossic_etl.kernels.crawl import records as crawl_records
from crossic_etl.kernels.crawl.quality import QualityRules, quality_reason
from crossic_etl.kernels.crawl.records import (
    EMPTY_LINE,
    EMPTY_TEXT,
    NO_TEXT,
    NOT_UTF8,
    TOO_LARGE,
    BrokenRecord,
    RawDocument,
    parse_json_line,
    read_number,
)
from crossic_etl.kernels.crawl.url_blocks import BLOCKED_DOMAIN, BLOCKED_URL, UrlBlockList
from crossic_etl.kernels.fingerprint import fingerprint
from crossic_etl.kernels.text.contamination import NgramIndex
from crossic_etl.kernels.text.language_id import UNKNOWN, crawl_language, identify
from crossic_etl.kernels.text.normalize import clean_text, document_id

READ, DOCUMENT = "read", "document"
TOO_SHORT, TOO_LONG = "too_short", "too_long"
OTHER_LANGUAGE = "other_language"
UNSURE_LANGUAGE = "unsure_language"
CONTAMINATED = "contaminated"
DUPLICATE, NEAR_DUPLICATE = "duplicate", "near_duplicate"
DROPPED = (
    EMPTY_LINE,
    BLOCKED_DOMAIN,
    BLOCKED_URL,
    TOO_SHORT,
    TOO_LONG,
    OTHER_LANGUAGE,
    UNSURE_LANGUAGE,
    *quality.REASONS,
    CONTAMINATED,
    DUPLICATE,
    NEAR_DUPLICATE,
)
"""Reasons that are counted only. The two kinds of copies are found later, among all documents."""

DAMAGED_FILE = "damaged_file"
REJECTED = (DAMAGED_FILE, *(reason for reason in crawl_records.REASONS if reason != EMPTY_LINE))
"""Reasons of what is broken: each record or file has a row in ``rejects``."""

LICENCE = "NOASSERTION"
"""SPDX's word for a licence that is not known: no crawl knows those of its pages."""

_DETAIL_CHARACTERS = 500
StagedRow = dict[str, Any]


@dataclass(frozen=True)
class DocumentRules:
    """What a document must be like to be kept; plain values, so that it travels to the workers.

    ``languages`` are codes of Wikipedias. With ``trusts_labels`` the crawl's own label is the
    language where there is one, and its score, or 1 where it has none, the score. ``quality`` is
    None where the rules are off.
    """

    languages: frozenset[str]
    trusts_labels: bool = False
    min_language_score: float = 0.65
    min_chars: int = 200
    max_chars: int = 200_000
    quality: QualityRules | None = field(default_factory=QualityRules)
    blocked: UrlBlockList = field(default_factory=UrlBlockList)
    evaluation: NgramIndex | None = None

    def digest(self) -> str:
        """Hash of all values, of block list and evaluation texts too, 64 hex digits."""
        return sha256(json.dumps(self, default=_plain, sort_keys=True).encode()).hexdigest()


def _plain(value: object) -> object:
    """A value that JSON lacks, in others."""
    if is_dataclass(value):
        return {item.name: getattr(value, item.name) for item in fields(value) if item.init}
    if isinstance(value, np.ndarray):
        return sha256(value.tobytes()).hexdigest()
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(f"a rule is {value!r}")


def filter_records(
    records: Iterable[RawDocument | BrokenRecord], rules: DocumentRules, dump: str = ""
) -> Iterator[StagedRow]:
    """A staged row for each document that is kept or broken, then one for each count.

    ``read`` counts all records. ``dump`` names the dump of records that don't name theirs.
    """
    counts: Counter[str] = Counter()
    for record in records:
        counts[READ] += 1
        outcome = filter_record(record, rules, dump)
        if isinstance(outcome, str):
            counts[outcome] += 1
        else:
            yield outcome
    for reason, n in counts.items():
        yield {"outcome": reason, "n": n}


def filter_record(
    record: RawDocument | BrokenRecord, rules: DocumentRules, dump: str = ""
) -> StagedRow | str:
    """The staged row of a document that is kept or of a broken record, or the reason for a drop."""
    if isinstance(record, BrokenRecord):
        return record.reason if record.reason == EMPTY_LINE else _reject(record)
    reason = rules.blocked.reason(record.url) or _length_reason(record.text, rules)
    if reason is not None:
        return reason
    lang, score = _language(record, rules)
    reason = _reason(record.text, lang, score, rules)
    if reason is not None:
        return reason
    return {
        "outcome": DOCUMENT,
        "n": 1,
        "doc_id": document_id(record.text),
        "text": record.text,
        "text_hash": sha256(record.text.encode()).hexdigest(),
        "n_chars": len(record.text),
        "lang": lang,
        "lang_score": score,
        "crawl_lang": record.lang,
        "crawl_lang_score": record.lang_score,
        "url": record.url,
        "source_id": record.source_id,
        "dump": record.dump or dump or None,
        "file": record.file,
        "date": record.date,
        "licence": LICENCE,
    }


def _length_reason(text: str, rules: DocumentRules) -> str | None:
    if len(text) < rules.min_chars:
        return TOO_SHORT
    return TOO_LONG if len(text) > rules.max_chars else None


def _language(record: RawDocument, rules: DocumentRules) -> tuple[str, float]:
    if rules.trusts_labels:
        lang = crawl_language(record.lang)
        if lang != UNKNOWN:
            return lang, 1.0 if record.lang_score is None else record.lang_score
    return identify([record.text])[0]


def _reason(text: str, lang: str, score: float, rules: DocumentRules) -> str | None:
    if lang not in rules.languages:
        return OTHER_LANGUAGE
    if score < rules.min_language_score:
        return UNSURE_LANGUAGE
    if rules.quality is not None:
        reason = quality_reason(text, lang, rules.quality)
        if reason is not None:
            return reason
    if rules.evaluation is not None and rules.evaluation.overlap(text).hits:
        return CONTAMINATED
    return None


def _reject(record: BrokenRecord) -> StagedRow:
    file = record.file or ""
    # A file's own name is the key of what has no better one.
    key = record.key if record.key.startswith(file) else f"{file} {record.key}"
    return reject_row(record.reason, key, record.detail)


def reject_row(reason: str, key: str, detail: str) -> StagedRow:
    """The staged row of a broken record or file; its language is unknown."""
    return {"outcome": reason, "n": 1, "lang": UNKNOWN, "key": key, "detail": detail}


def read_row(
    file: str,
    number: int | None,
    text: bytes | None,
    url: str | None = None,
    source_id: str | None = None,
    date: str | None = None,
    lang: str | None = None,
    lang_score: str | None = None,
    dump: str | None = None,
    named_file: str | None = None,
) -> RawDocument | BrokenRecord:
    """One row of a columnar file, its text in bytes, since nobody checks that they are UTF-8.

    ``file`` is the one that was read, ``named_file`` the one that the row says it comes from.
    """
    strings = {"url": url, "source_id": source_id, "date": date, "lang": lang, "dump": dump}
    clean = {name: value and clean_text(value) for name, value in strings.items()}
    reason, decoded = _decoded(text)
    if reason is None:
        score = read_number(lang_score)
        return RawDocument(decoded, lang_score=score, file=clean_text(named_file or file), **clean)
    key = clean["source_id"] or clean["url"] or f"row {number}"
    return BrokenRecord(reason, key, decoded[:_DETAIL_CHARACTERS], file)


def _decoded(text: bytes | None) -> tuple[str | None, str]:
    if text is None:
        return NO_TEXT, ""
    if len(text) > crawl_records.MAX_BYTES:
        return TOO_LARGE, _start(text)
    try:
        clean = clean_text(text.decode("utf-8"))
    except UnicodeDecodeError:
        return NOT_UTF8, _start(text)
    return (None if clean.strip() else EMPTY_TEXT), clean


def read_line(line: bytes, fields: dict[str, str], file: str) -> RawDocument | BrokenRecord:
    """A line of a JSON Lines file; as its number isn't known, a key names it by its hash."""
    unnamed = "line 0"
    if len(line) > crawl_records.MAX_BYTES:
        record: RawDocument | BrokenRecord = BrokenRecord(TOO_LARGE, unnamed, _start(line), file)
    else:
        record = parse_json_line(line, fields, file)
    if isinstance(record, BrokenRecord) and record.key == unnamed:
        key = f"line with hash {fingerprint(line)}"
        return BrokenRecord(record.reason, key, record.detail, file)
    return record


def _start(raw: bytes) -> str:
    start = clean_text(raw[: 4 * _DETAIL_CHARACTERS].decode("utf-8", "replace"))
    return start[:_DETAIL_CHARACTERS]
