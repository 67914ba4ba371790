"""Records of WARC files whose lengths and digests are true; of the others, why they are not.

fastwarc and warcio believe a record's length: one that is too long swallows the records after it,
one too short ends the reading. Here a record must be followed by another one or by the end of the
file, and agree with its digest where it has one; if not, it is one reject, and reading goes on at
the next header, so that nothing after it is lost. No more is held than the largest record that is
allowed. Source: WARC 1.0 and 1.1 (ISO 28500).
"""

from __future__ import annotations

import re
from base64 import b32encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha1
from typing import BinaryIO

from crossic_etl.kernels.unpacking import Damage, unpack

DAMAGED = "damaged"
TOO_LARGE = "too_large"
NO_HEADER = "no_warc_header"
NO_LENGTH = "no_content_length"
WRONG_LENGTH = "wrong_content_length"
WRONG_DIGEST = "wrong_digest"
CUT = "cut"
REASONS = (DAMAGED, TOO_LARGE, NO_HEADER, NO_LENGTH, WRONG_LENGTH, WRONG_DIGEST, CUT)

_HEADER_BYTES = 2**16
_MARK_BYTES = 256
_LENGTH_DIGITS = 18
_DETAIL_BYTES = 2000
# Anywhere, since what should end the line before may be what is damaged.
_MARK = re.compile(rb"WARC/[01]\.\d{1,3}\r?\n(?=[A-Za-z][A-Za-z-]{0,99}:)")
_BLANK = re.compile(rb"[\r\n]*")
_END_OF_HEADER = re.compile(rb"\r?\n\r?\n")
_AFTER_RECORD = re.compile(rb"(?:\r?\n)+WARC/[01]\.|[\r\n]*\Z")


@dataclass(frozen=True)
class WarcRecord:
    """A whole record: header fields by their lower-case names, and the block as it is."""

    headers: Mapping[str, str]
    block: bytes


@dataclass(frozen=True)
class BrokenWarc:
    """One of `REASONS`, the record's id or url where it has one, and how it begins."""

    reason: str
    key: str
    detail: bytes


def read_warc(source: bytes | BinaryIO, max_bytes: int) -> Iterator[WarcRecord | BrokenWarc]:
    """All records of a WARC file, plain or gzip, of no type in particular, in order."""
    pieces = unpack(source)
    damage: Damage | None = None
    while True:
        stretch = _Stretch(pieces, follows_damage=damage is not None)
        yield from _records(stretch, max_bytes)
        damage = stretch.damage
        if damage is None:
            return
        yield BrokenWarc(DAMAGED, "", damage.what.encode())


class _Stretch:
    """Unpacked bytes up to the next damage; ``held`` is what is in hand of them."""

    def __init__(self, pieces: Iterator[bytes | Damage], follows_damage: bool) -> None:
        self._pieces = pieces
        self._has_ended = False
        self.follows_damage = follows_damage
        self.held = bytearray()
        self.damage: Damage | None = None

    def hold(self, n_bytes: int) -> bool:
        """Read until so many bytes are in hand; False where there are no more."""
        while len(self.held) < n_bytes and not self._has_ended:
            piece = next(self._pieces, None)
            if isinstance(piece, bytes):
                self.held += piece
                continue
            self._has_ended, self.damage = True, piece
        return len(self.held) >= n_bytes

    def pass_blank_lines(self) -> bool:
        """Drop newlines; whether anything follows them."""
        while self.hold(1):
            blank = _BLANK.match(self.held)
            n_blank = blank.end() if blank else 0
            if n_blank == 0:
                return True
            del self.held[:n_blank]
        return False

    def is_at_header(self) -> bool:
        self.hold(_MARK_BYTES)
        return _MARK.match(self.held) is not None

    def seek_header(self, start: int) -> None:
        """Drop everything up to the first header at or after ``start``, or to the end."""
        while True:
            mark = _MARK.search(self.held, start)
            if mark is not None:
                del self.held[: mark.start()]
                return
            # a header may begin in the last bytes
            del self.held[: max(start, len(self.held) - _MARK_BYTES)]
            start = 0
            if not self.hold(len(self.held) + 1):
                self.held.clear()
                return


def _records(stretch: _Stretch, max_bytes: int) -> Iterator[WarcRecord | BrokenWarc]:
    if stretch.follows_damage:
        stretch.hold(1)
        if not stretch.is_at_header():
            stretch.seek_header(1)
    while stretch.pass_blank_lines():
        outcome, start, end = _next_record(stretch, max_bytes)
        if outcome is not None:
            yield outcome
        if end:
            del stretch.held[:end]
        else:
            stretch.seek_header(start)


def _next_record(
    stretch: _Stretch, max_bytes: int
) -> tuple[WarcRecord | BrokenWarc | None, int, int]:
    """What is in hand, where to look for the next header if it is broken, and where it ends (0)."""
    held = stretch.held
    if not stretch.is_at_header():
        return _broken(NO_HEADER, {}, held), 1, 0
    stretch.hold(_HEADER_BYTES)
    header = _END_OF_HEADER.search(held, 0, _HEADER_BYTES)
    if header is None or _MARK.search(held, 1, header.end()):  # the next record's
        return _broken(NO_HEADER, {}, held), 1, 0
    start, headers = header.end(), _headers(held[: header.start()])
    if not headers.get("content-length", "").isdecimal():
        return _broken(NO_LENGTH, headers, held), start, 0
    end = start + int(headers["content-length"][:_LENGTH_DIGITS])
    if end - start > max_bytes:
        is_wanted = headers.get("warc-type") == "conversion"
        return (_broken(TOO_LARGE, headers, held) if is_wanted else None), start, 0
    reason = _what_is_wrong(stretch, headers, start, end)
    if reason is not None:
        return _broken(reason, headers, held), start, 0
    return WarcRecord(headers, bytes(held[start:end])), start, end


def _what_is_wrong(
    stretch: _Stretch, headers: Mapping[str, str], start: int, end: int
) -> str | None:
    held = stretch.held
    stretch.hold(end + _MARK_BYTES)
    if len(held) < end:
        return CUT if _MARK.search(held, start) is None else WRONG_LENGTH
    is_true = _agrees_with_digest(held[start:end], headers.get("warc-block-digest", ""))
    if is_true:
        return None
    after = _AFTER_RECORD.match(held, end)
    if after is None or (is_true is None and _MARK.search(held, start, end)):
        return WRONG_LENGTH
    if is_true is False:
        return WRONG_DIGEST
    is_last = not after[0].strip()
    is_tainted = stretch.damage is not None and stretch.damage.is_tainted
    return DAMAGED if is_last and is_tainted else None


def _agrees_with_digest(block: bytearray, digest: str) -> bool | None:
    """None where there is no digest, or none of the kind that crawls use."""
    algorithm, _, expected = digest.partition(":")
    if algorithm.strip().lower() != "sha1":
        return None
    found = sha1(block, usedforsecurity=False)
    return expected.strip().upper() in {
        b32encode(found.digest()).decode(), found.hexdigest().upper(),
    }  # fmt: skip


def _headers(block: bytearray) -> dict[str, str]:
    """Fields by lower-case name; the first of a name counts, a line that goes on is joined."""
    fields: dict[str, str] = {}
    text = block.decode("utf-8", "replace").replace("\r\n", "\n")
    for line in re.sub(r"\n[ \t]+", " ", text).split("\n")[1:]:
        name, colon, value = line.partition(":")
        if colon:
            fields.setdefault(name.strip().lower(), value.strip())
    return fields


def _broken(reason: str, headers: Mapping[str, str], held: bytearray) -> BrokenWarc:
    key = headers.get("warc-record-id") or headers.get("warc-target-uri") or ""
    return BrokenWarc(reason, key, bytes(held[:_DETAIL_BYTES]))
