from __future__ import annotations

import gzip
import io
import tracemalloc

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossic_etl.kernels.unpacking import MAX_DAMAGES, PIECE, Damage, unpack

MEMBERS = [gzip.compress(b"%d " % i * 5, mtime=0) for i in range(4)]  # tests' ids have them


def zstd(data: bytes) -> bytes:
    packed: bytes = pa.Codec("zstd").compress(data, asbytes=True)
    return packed


def whole(data: bytes) -> bytes:
    return b"".join(piece for piece in unpack(data) if isinstance(piece, bytes))


def damages(data: bytes) -> list[str]:
    return [piece.what for piece in unpack(data) if isinstance(piece, Damage)]


@pytest.mark.parametrize(
    ("packed", "expected"),
    [
        (b"", b""),
        (b"plain", b"plain"),
        (b"".join(MEMBERS), b"0 0 0 0 0 1 1 1 1 1 2 2 2 2 2 3 3 3 3 3 "),
        (MEMBERS[0] + b"\0" * 500 + MEMBERS[1], b"0 0 0 0 0 1 1 1 1 1 "),
        (zstd(b"one ") + zstd(b"two"), b"one two"),
    ],
)
def test_a_sound_file(packed: bytes, expected: bytes) -> None:
    assert (whole(packed), damages(packed)) == (expected, [])
    assert b"".join(unpack(io.BytesIO(packed))) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("packed", "expected", "damage"),
    [
        (MEMBERS[0] + b"junk" + MEMBERS[1], b"0 0 0 0 0 1 1 1 1 1 ", "between gzip members"),
        (MEMBERS[0] + b"junk", b"0 0 0 0 0 ", "after the last gzip member"),
        (MEMBERS[0] + MEMBERS[1][:-3], b"0 0 0 0 0 1 1 1 1 1 ", "gzip data is cut"),
        (MEMBERS[0] + MEMBERS[1][:5], b"0 0 0 0 0 ", "gzip data is cut"),
        (
            MEMBERS[0][:-8] + b"\0" * 8 + MEMBERS[1],
            b"0 0 0 0 0 1 1 1 1 1 ",
            "incorrect data check",
        ),
        (zstd(b"one ")[:-3], b"", "zstd"),
    ],
)
def test_damage_costs_the_member_that_it_hits(packed: bytes, expected: bytes, damage: str) -> None:
    assert whole(packed) == expected
    [found] = damages(packed)
    assert damage in found


@pytest.mark.parametrize("pack", [gzip.compress, zstd])
def test_a_bomb_is_given_out_in_pieces(pack) -> None:  # type: ignore[no-untyped-def]
    bomb = pack(b"\0" * 50_000_000)
    tracemalloc.start()
    try:
        sizes = [len(piece) for piece in unpack(bomb)]  # type: ignore[arg-type]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (sum(sizes), max(sizes) <= PIECE) == (50_000_000, True)
    assert peak < 8 * 2**20


def test_a_file_of_damage_is_given_up() -> None:
    found = damages(b"\x1f\x8b\x08\xff" * 100_000)
    assert (len(found), found[-1]) == (MAX_DAMAGES + 1, "given up after 1000 damages")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 60), st.binary(max_size=6), st.integers(0, 30), st.integers(0, 3))
def test_no_bytes_raise(at: int, junk: bytes, cut: int, n: int) -> None:
    data = b"".join(MEMBERS[:n])
    list(unpack(data[:at] + junk + data[at + cut :]))
    list(unpack(zstd(b"one")[:at] + junk))
    list(unpack(b"\x1f\x8b\x08" + junk))
