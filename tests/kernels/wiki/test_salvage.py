from __future__ import annotations

import bz2
import gzip
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crossic_etl.kernels.wiki.dump_records import Page, Redirect, Reject
from crossic_etl.kernels.wiki.dump_xml import parse_record
from crossic_etl.kernels.wiki.salvage import salvage_bz2, salvage_gzip, salvage_records
from crossic_etl.kernels.wiki.sql_dump import columns_of, parse_insert
from crossic_etl.kernels.wikis import Wiki

RECORDS = [f"record {i} ".encode() * 20 for i in range(9)]
STREAMS = [b"".join(r + b"|" for r in RECORDS[i : i + 3]) for i in (0, 3, 6)]
MULTISTREAM = b"".join(map(bz2.compress, STREAMS))


def whole(data: bytes, separator: bytes = b"|") -> list[bytes]:
    return [record for record, error in salvage_records(data, separator) if error is None]


def errors(data: bytes, separator: bytes = b"|") -> list[str]:
    return [error for _, error in salvage_records(data, separator) if error is not None]


def damaged(data: bytes, at: int) -> bytes:
    return data[:at] + bytes(byte ^ 0x55 for byte in data[at : at + 8]) + data[at + 8 :]


def test_an_undamaged_file_is_split_as_it_is() -> None:
    for data in (MULTISTREAM, gzip.compress(b"".join(STREAMS)), b"".join(STREAMS)):
        assert whole(data) == RECORDS
        assert errors(data) == []


def test_the_last_record_needs_no_separator() -> None:
    assert whole(bz2.compress(b"a|b")) == [b"a", b"b"]
    assert whole(b"a|b\n") == [b"a", b"b\n"]


def test_nothing_in_nothing_out() -> None:
    assert list(salvage_records(b"", b"|")) == []
    assert list(salvage_bz2(b"")) == []
    assert list(salvage_gzip(b"")) == []


def test_a_damaged_stream_costs_its_own_records_only() -> None:
    second = len(bz2.compress(STREAMS[0]))
    data = damaged(MULTISTREAM, second + 40)
    assert whole(data) == RECORDS[:3] + RECORDS[6:]
    assert len(errors(data)) == 1


def test_a_damaged_block_costs_that_block_only() -> None:
    words = random.Random(0).choices([b"alpha", b"beta", b"gamma", b"delta"], k=90_000)
    text = b"".join(b"%d %s|" % (i, word) for i, word in enumerate(words))
    packed = bz2.compress(text, 1)
    assert b"".join(piece.data for piece in salvage_bz2(packed)) == text
    bad = damaged(packed, len(packed) // 2)
    kept = whole(bad)
    assert set(kept) <= set(text.split(b"|"))
    assert len(text.split(b"|")) * 0.7 < len(kept) < len(text.split(b"|")) * 0.95
    assert kept[0] == text.split(b"|")[0] and kept[-1] == text.split(b"|")[-2]
    assert any("resumed" in error for error in errors(bad))


def test_a_truncated_stream_is_an_error() -> None:
    assert whole(MULTISTREAM[:-30]) == RECORDS[:6]
    assert errors(MULTISTREAM[:-30]) != []


def test_a_missing_end_mark_is_an_error_though_all_is_read() -> None:
    packed = bz2.compress(b"a|b|")
    cut = packed[:-4]
    assert errors(cut) != []


def test_bytes_that_are_no_bz2() -> None:
    assert [piece.error for piece in salvage_bz2(b"BZh9 not at all")] == ["no bz2 block found"]


def test_a_truncated_gzip_gives_all_that_can_be_unpacked() -> None:
    text = random.Random(0).randbytes(100_000).hex().encode()
    packed = gzip.compress(text)
    pieces = list(salvage_gzip(packed[: len(packed) // 2]))
    got = b"".join(piece.data for piece in pieces)
    assert text.startswith(got) and len(got) > len(text) * 0.45
    assert [piece.error for piece in pieces if piece.error] == ["gzip data is cut"]


def test_a_wrong_gzip_checksum_is_an_error_and_the_next_member_is_read() -> None:
    first, second = gzip.compress(b"a|" * 9), gzip.compress(b"b|" * 9)
    data = first[:-8] + b"\0" * 8 + second
    assert whole(data) == [b"a"] * 9 + [b"b"] * 9
    assert ["wrong gzip checksum" in error for error in errors(data)] == [True]


def test_gzip_heads_with_name_and_extra_field() -> None:
    body = gzip.compress(b"a|b|", mtime=0)[10:]
    head = b"\x1f\x8b\x08\x0c\0\0\0\0\0\xff\x03\x00xyzname.sql\0"
    assert whole(head + body) == [b"a", b"b"]


def test_a_bomb_is_cut_to_the_limit() -> None:
    bomb = bz2.compress(b"\0" * 50_000_000) + bz2.compress(b"a|")
    records = list(salvage_records(bomb, b"|", limit=1000))
    assert max(len(record) for record, _ in records) <= 1000
    assert (b"\0" * 1000, "record too large") in records
    assert all(len(piece.data) <= 47_000_000 for piece in salvage_bz2(bomb))


def test_streams_behind_other_bytes_are_read() -> None:
    assert whole(b"|" + MULTISTREAM) == RECORDS
    assert whole(b"|" + MULTISTREAM[1:]) == RECORDS


def test_a_text_that_quotes_the_head_of_a_stream_is_text() -> None:
    assert whole("é BZh91AY&SY é|b".encode()) == ["é BZh91AY&SY é".encode(), b"b"]


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(MULTISTREAM) - 1), st.binary(max_size=6), st.integers(0, 30))
def test_whole_records_are_true_whatever_the_damage(at: int, junk: bytes, cut: int) -> None:
    data = MULTISTREAM[:at] + junk + MULTISTREAM[at + cut :]
    assert set(whole(data)) <= {*RECORDS, data}


@settings(max_examples=60, deadline=None)
@given(st.binary())
def test_no_bytes_raise(junk: bytes) -> None:
    for data in (junk, b"BZh9" + junk, b"BZh91AY&SY" + junk, b"\x1f\x8b" + junk):
        list(salvage_records(data, b"\n"))
    list(salvage_records(gzip.compress(b"x" * 99)[:12] + junk, b"\n"))


def pages_in(path: Path) -> tuple[int, int]:
    """Whole pages, and what ended in an error or reject."""
    n_pages, n_broken = 0, 0
    for record, error in salvage_records(path.read_bytes(), b"</page>"):
        outcome = None if error else parse_record(record, Wiki("en"))
        n_pages += isinstance(outcome, (Page, Redirect))
        n_broken += error is not None or isinstance(outcome, Reject)
    return n_pages, n_broken


@pytest.mark.parametrize(
    ("name", "n_pages"),
    [
        ("last-1000-bytes-missing", 20),
        ("64-bytes-corrupted", 10),
        ("cut-mid-page", 11),
        ("empty", 0),
    ],
)
def test_hostile_dumps_give_the_known_pages(shared_data: Path, name: str, n_pages: int) -> None:
    found, n_broken = pages_in(shared_data / f"hostile/{name}.xml.bz2")
    assert found == n_pages
    assert (n_broken > 0) == (name != "empty")


def test_a_cut_gzip_table_gives_the_known_rows(shared_data: Path) -> None:
    data = (shared_data / "hostile/gzip-cut-short-page.sql.gz").read_bytes()
    lines = [record for record, _ in salvage_records(data, b"\n")]
    columns = columns_of(b"\n".join(lines).decode("utf-8", "replace"))
    results = [parse_insert(line, columns, ("page_id", "page_title")) for line in lines]
    assert sum(len(result.rows) for result in results) == 206
    assert [error.reason for result in results for error in result.errors] == ["cut"]


def test_a_damaged_end_mark_leaves_the_next_stream_whole() -> None:
    end_of_first = len(bz2.compress(STREAMS[0])) - 8
    assert whole(damaged(MULTISTREAM, end_of_first))[-6:] == RECORDS[3:]
