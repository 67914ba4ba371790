"""Reads the undamaged parts of damaged bz2 and gzip files.

A bz2 stream is a run of blocks of at most 900 kB, each with a checksum of its own, which begin at
any bit. Each block is decoded as a stream by itself (the method of ``bzip2recover``), so damage
costs only the blocks that it hits, and each block is checked before it is returned. A gzip member
has one checksum at its end: the data before a cut is returned unchecked.
"""

from __future__ import annotations

import bz2
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import merge

_BLOCK_MAGIC = 0x314159265359
_END_MAGIC = 0x177245385090
_MAGIC_BITS = 48
_CHECKSUM_BITS = 32
_GZIP_MAGIC = b"\x1f\x8b"
_BZ2_MAGIC = b"BZh"
_BZ2_START = re.compile(rb"BZh[1-9]1AY&SY")
_GZIP_OUT = 2**20
_GZIP_IN = 2**16
RECORD_LIMIT = 64 * 2**20


@dataclass(frozen=True)
class Piece:
    """Bytes unpacked from ``offset`` of the file on; with an ``error``, what follows is lost.

    ``starts_stream`` is true for the first piece of a bz2 stream or gzip member. No piece is
    larger than 47 MB, what the largest bz2 block can unpack to.
    """

    offset: int
    data: bytes
    error: str | None = None
    starts_stream: bool = False


def salvage_bz2(data: bytes) -> Iterator[Piece]:
    """Every whole block of a bz2 file, one stream or many, and an error for each that is not."""
    marks = _bz2_marks(data)
    mark = next(marks, None)
    if data and mark is None:
        yield Piece(0, b"", "no bz2 block found")
    while mark is not None:
        (bit, magic), mark = mark, next(marks, None)
        is_last = mark is None
        if magic == _END_MAGIC:
            end = (bit + _MAGIC_BITS + _CHECKSUM_BITS + 7) // 8
            yield from _trailing(data, end, is_last)
            continue
        until = len(data) * 8 if mark is None else mark[0]
        head = data[max(0, bit // 8 - 4) : bit // 8]
        yield _unpack_block(data, bit, until, bit % 8 == 0 and head.startswith(_BZ2_MAGIC))
        if is_last:
            yield Piece(len(data), b"", "bz2 data ends without an end mark")


def _bz2_marks(data: bytes) -> Iterator[tuple[int, int]]:
    """Bit positions of all block and end marks, in order.

    One at a time: a file that is nothing but marks has one in every six bytes.
    """
    kinds = [(magic, shift) for magic in (_BLOCK_MAGIC, _END_MAGIC) for shift in range(8)]
    return merge(*(_marks_at(data, magic, shift) for magic, shift in kinds))


def _marks_at(data: bytes, magic: int, shift: int) -> Iterator[tuple[int, int]]:
    """The marks of one kind that begin so many bits before the end of a byte."""
    # the whole bytes inside the mark when it begins ``shift`` bits into a byte
    whole = 6 if shift == 0 else 5
    pattern = (magic >> shift & (1 << whole * 8) - 1).to_bytes(whole, "big")
    at = data.find(pattern)
    while at >= 0:
        bit = at * 8 if shift == 0 else at * 8 - (8 - shift)
        if bit >= 0 and _bits(data, bit, bit + _MAGIC_BITS) == magic:
            yield bit, magic
        at = data.find(pattern, at + 1)


def _bits(data: bytes, start: int, end: int) -> int:
    if end > len(data) * 8:
        return -1
    last = (end + 7) // 8
    number = int.from_bytes(data[start // 8 : last], "big") >> last * 8 - end
    return number & (1 << end - start) - 1


def _unpack_block(data: bytes, bit: int, until: int, starts_stream: bool) -> Piece:
    """Decode one block as a stream by itself: head, block, end mark, its own checksum."""
    n_bits = until - bit
    if n_bits < _MAGIC_BITS + _CHECKSUM_BITS or n_bits > 2**25:
        return Piece(bit // 8, b"", "damaged bz2 block", starts_stream)
    block = _bits(data, bit, until)
    checksum = block >> n_bits - _MAGIC_BITS - _CHECKSUM_BITS & (1 << _CHECKSUM_BITS) - 1
    stream = (block << _MAGIC_BITS | _END_MAGIC) << _CHECKSUM_BITS | checksum
    total = n_bits + _MAGIC_BITS + _CHECKSUM_BITS
    padding = -total % 8
    packed = b"BZh9" + (stream << padding).to_bytes((total + padding) // 8, "big")
    try:
        return Piece(bit // 8, bz2.decompress(packed), None, starts_stream)
    except (OSError, ValueError) as error:
        return Piece(bit // 8, b"", f"damaged bz2 block: {error}", starts_stream)


def _trailing(data: bytes, end: int, is_last: bool) -> Iterator[Piece]:
    if end > len(data):
        yield Piece(len(data), b"", "bz2 data is cut inside an end mark")
    elif data[end : end + 3] != _BZ2_MAGIC and data[end:].strip(b"\0"):
        yield Piece(end, b"", "bytes after the last stream" if is_last else "damaged bz2 head")


def salvage_gzip(data: bytes) -> Iterator[Piece]:
    """All that can be unpacked of a gzip file of one or more members, and an error where it stops.

    After a wrong checksum reading goes on with the next member (the data was returned already);
    after any other error it ends.
    """
    offset = 0
    while offset < len(data):
        if data[offset : offset + 2] != _GZIP_MAGIC:
            if data[offset:].strip(b"\0"):
                yield Piece(offset, b"", "no gzip member where one should begin")
            return
        unpacker = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
        start = _gzip_body(data, offset)
        checksum, size, at, is_first = 0, 0, start, True
        pending = b""
        while start >= 0 and not unpacker.eof:
            if not pending:
                pending, at = data[at : at + _GZIP_IN], at + _GZIP_IN
                if not pending:
                    break
            chunk, error = _inflate(unpacker, pending)
            pending = unpacker.unconsumed_tail
            checksum, size = zlib.crc32(chunk, checksum), size + len(chunk)
            if chunk or error:
                yield Piece(offset, chunk, error, is_first)
                is_first = False
            if error:
                return
        if start < 0 or not unpacker.eof:
            yield Piece(len(data), b"", "gzip data is cut", is_first)
            return
        end = min(at, len(data)) - len(unpacker.unused_data) + 8
        trailer = data[end - 8 : end]
        if trailer != checksum.to_bytes(4, "little") + (size % 2**32).to_bytes(4, "little"):
            yield Piece(end, b"", "gzip data is cut" if len(trailer) < 8 else "wrong gzip checksum")
        offset = end


def _gzip_body(data: bytes, offset: int) -> int:
    """Where the compressed data of a member begins (RFC 1952), or -1 where its head is cut."""
    if len(data) < offset + 10:
        return -1
    flags, at = data[offset + 3], offset + 10
    if flags & 4:
        at += 2 + int.from_bytes(data[at : at + 2], "little")
    for flag in (8, 16):
        if flags & flag:
            at = data.find(b"\0", at) + 1
            if at == 0:
                return -1
    at += 2 if flags & 2 else 0
    return at if at <= len(data) else -1


def _inflate(unpacker: zlib._Decompress, packed: bytes) -> tuple[bytes, str | None]:
    """At most a chunk of output; where the input is broken, what comes before that."""
    before = unpacker.copy()
    try:
        return unpacker.decompress(packed, _GZIP_OUT), None
    except zlib.error as error:
        out = bytearray()
        try:
            for i in range(len(packed)):
                out += before.decompress(packed[i : i + 1])
        except zlib.error:
            pass
        return bytes(out), f"damaged gzip data: {error}"


def salvage_records(
    data: bytes, separator: bytes, limit: int = RECORD_LIMIT
) -> Iterator[tuple[bytes, str | None]]:
    """Records of a bz2, gzip or plain file, split at ``separator`` as Spark's ``lineSep`` does.

    With an error the record is a fragment. It is the text before the damage, or the text after it
    up to the next separator, or the first ``limit`` bytes of a longer record. There is no fragment
    after the damage where a new stream begins, since dumps begin streams between records.
    """
    waiting, lost, error = bytearray(), False, "resumed inside a record"
    for piece in _pieces(data):
        if lost and piece.starts_stream and piece.data:
            lost = False
        if piece.data:
            waiting += piece.data
            *records, rest = bytes(waiting).split(separator)
            waiting = bytearray(rest)
            for record in records:
                yield record, error if lost else None
                lost = False
        if piece.error is not None:
            yield bytes(waiting), f"{piece.error} at byte {piece.offset}"
            waiting.clear()
            lost = True
        elif len(waiting) > limit:
            yield bytes(waiting[:limit]), "record too large"
            del waiting[: max(0, len(waiting) - len(separator))]
            lost = True
    if waiting:
        yield bytes(waiting), error if lost else None


def _pieces(data: bytes) -> Iterator[Piece]:
    if data.startswith(_BZ2_MAGIC) or _has_bz2_stream(data):
        return salvage_bz2(data)
    if data.startswith(_GZIP_MAGIC):
        return salvage_gzip(data)
    return iter([Piece(0, data, None, True)] if data else [])


def _has_bz2_stream(data: bytes) -> bool:
    """Whether a stream begins behind other bytes; a text that quotes such a head is no stream."""
    start = _BZ2_START.search(data)
    if start is None:
        return False
    try:
        data[start.start() : start.start() + _GZIP_IN].decode()
    except UnicodeDecodeError as error:
        return error.reason != "unexpected end of data"
    return False
