"""Web documents out of crawl files: JSON lines and WET records; what is broken, with its reason.

Everything is bounded: of a file no more is held than the largest record that is allowed, whatever
it unpacks to. Strings come out clean (`clean_text`), so that any of them can be stored.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from crossic_etl.kernels.crawl import warc as warc_records
from crossic_etl.kernels.crawl.names import FIELDS as FIELDS
from crossic_etl.kernels.crawl.warc import BrokenWarc, WarcRecord, read_warc
from crossic_etl.kernels.text.normalize import clean_text
from crossic_etl.kernels.unpacking import Damage, unpack

MAX_BYTES = 8 * 2**20
"""The largest record, ours: Common Crawl cuts pages at 1 MiB before it takes their text."""

TOO_LARGE = warc_records.TOO_LARGE
DAMAGED = warc_records.DAMAGED
NOT_UTF8 = "not_utf8"
NOT_JSON = "not_json"
NOT_AN_OBJECT = "not_an_object"
EMPTY_LINE = "empty_line"
NO_TEXT = "no_text"
EMPTY_TEXT = "empty_text"
REASONS = (
    *warc_records.REASONS,
    NOT_UTF8,
    NOT_JSON,
    NOT_AN_OBJECT,
    EMPTY_LINE,
    NO_TEXT,
    EMPTY_TEXT,
)

_DETAIL_CHARACTERS = 500
_KEY_CHARACTERS = 200
_PART_OF = re.compile(rb"(?mi)^isPartOf:([^\r\n]*)")


@dataclass(frozen=True)
class RawDocument:
    """A document as its crawl has it; ``lang`` is the crawl's own label, ``file`` where it says
    that it took the text from, else the file that was read.
    """

    text: str
    url: str | None = None
    source_id: str | None = None
    date: str | None = None
    lang: str | None = None
    lang_score: float | None = None
    dump: str | None = None
    file: str | None = None


@dataclass(frozen=True)
class BrokenRecord:
    """What could not be read: one of `REASONS`, which record it is, the start of what is there."""

    reason: str
    key: str
    detail: str
    file: str | None = None


def parse_json_line(
    line: bytes, fields: Mapping[str, str], file: str | None = None, number: int = 0
) -> RawDocument | BrokenRecord:
    """One line of a JSON Lines file; ``fields`` as in `FIELDS`, ``number`` for the reject's key.

    Raises ``ValueError`` where ``fields`` names a field that documents don't have, or no text.
    """
    unknown = set(fields) - set(RawDocument.__dataclass_fields__)
    if unknown or "text" not in fields:
        wanted = ", ".join(RawDocument.__dataclass_fields__)
        raise ValueError(f"fields must hold text and be among {wanted}; got {', '.join(fields)}")
    reason, values = _values(line, fields)
    if reason is None:
        values["file"] = values.get("file") or file
        return RawDocument(**values)
    key = str(values.get("source_id") or values.get("url") or f"line {number}")
    return _broken(reason, key, line, file)


def _values(line: bytes, fields: Mapping[str, str]) -> tuple[str | None, dict[str, Any]]:
    """The reason for which a line is broken, if it is, and the fields that could be read."""
    if not line.strip():
        return EMPTY_LINE, {}
    try:
        row = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError:
        return NOT_UTF8, {}
    except (ValueError, RecursionError):
        return NOT_JSON, {}
    if not isinstance(row, dict):
        return NOT_AN_OBJECT, {}
    values: dict[str, Any] = {name: _string(_at(row, path)) for name, path in fields.items()}
    if "lang_score" in fields:
        values["lang_score"] = read_number(_at(row, fields["lang_score"]))
    if not isinstance(_at(row, fields["text"]), str):
        return NO_TEXT, values
    return (None if values["text"].strip() else EMPTY_TEXT), values


def _at(row: dict[str, Any], path: str) -> Any:
    for choice in path.split("|"):
        value: Any = row
        for key in choice.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None:
            return value
    return None


def _string(value: Any) -> str | None:
    if isinstance(value, str):
        return clean_text(value)
    return str(value) if isinstance(value, (int, float)) else None


def read_number(value: Any) -> float | None:
    """A finite number, or one that a string says."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def read_json_lines(
    source: bytes | BinaryIO, name: str, fields: Mapping[str, str], max_bytes: int = MAX_BYTES
) -> Iterator[RawDocument | BrokenRecord]:
    """All documents of a JSON Lines file, plain, ``.gz`` or ``.zst``: a result for each line."""
    for number, (line, reason) in enumerate(_lines(source, max_bytes), 1):
        if reason is None:
            yield parse_json_line(line, fields, name, number)
        else:
            yield _broken(reason, f"line {number}", line, name)


def _lines(source: bytes | BinaryIO, max_bytes: int) -> Iterator[tuple[bytes, str | None]]:
    """Lines, and the reason for which one is not whole."""
    held, is_skipping = bytearray(), False
    for piece in unpack(source):
        if isinstance(piece, Damage):
            yield piece.what.encode() + b": " + bytes(held), DAMAGED
            held.clear()
            continue
        held += piece
        if b"\n" in piece:
            *lines, rest = bytes(held).split(b"\n")
            held = bytearray(rest)
            for line in lines:
                if not is_skipping:
                    yield line, None if len(line) <= max_bytes else TOO_LARGE
                is_skipping = False
        if len(held) > max_bytes:
            if not is_skipping:
                yield bytes(held[:_DETAIL_CHARACTERS]), TOO_LARGE
            is_skipping = True
            held.clear()
    if held and not is_skipping:
        yield bytes(held), None


def read_wet(
    source: bytes | BinaryIO, name: str, max_bytes: int = MAX_BYTES
) -> Iterator[RawDocument | BrokenRecord]:
    """All conversion records of a WET file, plain or gzip, as documents; `warc_records` checks
    their lengths and digests, and says what is broken. Other records are passed over: of warcinfo
    comes the dump's name.
    """
    dump = None
    for record in read_warc(source, max_bytes):
        if isinstance(record, BrokenWarc):
            yield _broken(record.reason, record.key or name, record.detail, name)
        elif record.headers.get("warc-type") == "warcinfo":
            found = _PART_OF.search(record.block)
            dump = found[1].decode("utf-8", "replace").strip() if found else None
        elif record.headers.get("warc-type") == "conversion":
            yield _converted(record, dump, name)


def _converted(record: WarcRecord, dump: str | None, name: str) -> RawDocument | BrokenRecord:
    headers = {name: clean_text(value) for name, value in record.headers.items()}
    url, record_id = headers.get("warc-target-uri"), headers.get("warc-record-id")
    try:
        text = clean_text(record.block.decode("utf-8"))
    except UnicodeDecodeError:
        return _broken(NOT_UTF8, record_id or url or name, record.block, name)
    if not text.strip():
        return _broken(EMPTY_TEXT, record_id or url or name, record.block, name)
    languages = headers.get("warc-identified-content-language")
    return RawDocument(text, url, record_id, headers.get("warc-date"), languages, None, dump, name)


def _broken(reason: str, key: str, raw: bytes, file: str | None) -> BrokenRecord:
    detail = clean_text(raw[: 4 * _DETAIL_CHARACTERS].decode("utf-8", "replace"))
    return BrokenRecord(
        reason, clean_text(key)[:_KEY_CHARACTERS], detail[:_DETAIL_CHARACTERS], file
    )
