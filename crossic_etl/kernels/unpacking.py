"""Unpacks gzip, zstd and plain files as a stream of pieces of a bounded size.

A crawl's gzip files have a member for each record, so damage costs the members that it hits: the
next one is found by its magic bytes.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa

_GZIP_MAGIC = b"\x1f\x8b\x08"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_READ = 2**16
PIECE = 2**20
MAX_DAMAGES = 1000
"""After so many a file is given up: its bytes are made to look like one member after another."""


@dataclass(frozen=True)
class Damage:
    """A place where bytes are missing: the bytes before and after it are not adjacent in the data.

    ``is_tainted``: some of the bytes before it come from the damaged member and may be wrong.
    """

    what: str
    is_tainted: bool = False


def unpack(source: bytes | BinaryIO) -> Iterator[bytes | Damage]:
    """The unpacked bytes of a file in pieces of at most `PIECE`, and where some of them are lost.

    The format is read from the first bytes, never from the name. Memory does not grow with the
    unpacked size. Damaged input never raises; an error of reading the stream does. After
    `MAX_DAMAGES` damages the rest of the file is one more.
    """
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    head = stream.read(_READ)
    if head.startswith(_GZIP_MAGIC):
        return _up_to_the_last_straw(_gunzip(head, stream))
    if head.startswith(_ZSTD_MAGIC):
        return _unzstd(head, stream)
    return _as_it_is(head, stream)


def _up_to_the_last_straw(pieces: Iterator[bytes | Damage]) -> Iterator[bytes | Damage]:
    n_damages = 0
    for piece in pieces:
        n_damages += isinstance(piece, Damage)
        if n_damages > MAX_DAMAGES:
            yield Damage(f"given up after {MAX_DAMAGES} damages")
            return
        yield piece


def _as_it_is(head: bytes, stream: BinaryIO) -> Iterator[bytes]:
    while head:
        yield head
        head = stream.read(_READ)


def _gunzip(packed: bytes, stream: BinaryIO) -> Iterator[bytes | Damage]:
    unpacker: zlib._Decompress | None = None
    skipped = False  # something else than padding stood where a member should begin
    is_told = False  # the damage before it has been given out already
    has_given = False  # something has come out of this member
    while packed or (packed := stream.read(_READ)):
        is_fresh = unpacker is None
        if unpacker is None:
            start = packed.find(_GZIP_MAGIC)
            skipped |= bool(packed[: start if start >= 0 else None].strip(b"\0"))
            if start < 0:
                # a magic may begin in the last two bytes
                rest = stream.read(_READ)
                packed = packed[-2:] + rest if rest else b""
                continue
            if skipped and not is_told:
                yield Damage("bytes between gzip members")
            packed, skipped, has_given = packed[start:], False, False
            unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        before = unpacker.copy()
        try:
            piece = unpacker.decompress(packed, PIECE)
        except zlib.error as error:
            rest = _before_the_error(before, packed)
            if rest:
                yield rest
            yield Damage(f"damaged gzip data: {error}", has_given or bool(rest))
            packed, unpacker, is_told = packed[is_fresh:], None, True
            continue
        is_told = False
        if piece:
            yield piece
            has_given = True
        packed = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
        if unpacker.eof:
            unpacker = None
    if unpacker is not None:
        yield Damage("gzip data is cut", has_given)
    elif skipped and not is_told:
        yield Damage("bytes after the last gzip member")


def _before_the_error(unpacker: zlib._Decompress, packed: bytes) -> bytes:
    """What comes out of the bytes up to the one that breaks, at most `PIECE`."""
    out = bytearray()
    try:
        for i in range(len(packed)):
            out += unpacker.decompress(packed[i : i + 1], PIECE - len(out) or 1)
            if len(out) >= PIECE:
                break
    except zlib.error:
        pass
    return bytes(out)


def _unzstd(head: bytes, stream: BinaryIO) -> Iterator[bytes | Damage]:
    packed = pa.PythonFile(_Joined(head, stream), mode="r")
    with pa.CompressedInputStream(packed, "zstd") as unpacked:
        try:
            while piece := unpacked.read(_READ):  # what it holds when it fails is lost
                yield piece
        except OSError as error:
            yield Damage(f"damaged zstd data: {error}", True)


class _Joined(io.RawIOBase):
    """A stream with the bytes put back that were read from its head."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._head, self._stream = head, stream

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        if self._head:
            piece, self._head = (self._head, b"") if size < 0 else (
                self._head[:size], self._head[size:],
            )  # fmt: skip
            return piece
        return self._stream.read(size)
