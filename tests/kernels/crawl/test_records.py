from __future__ import annotations

import gzip
import io
import json
import tracemalloc
from base64 import b32encode
from collections.abc import Iterable
from hashlib import sha1
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from fastwarc.warc import ArchiveIterator, WarcRecordType
from fastwarc.warc import WarcRecord as FastRecord
from hypothesis import given, settings
from hypothesis import strategies as st

from crossic_etl.kernels.crawl.records import (
    FIELDS,
    REASONS,
    BrokenRecord,
    RawDocument,
    parse_json_line,
    read_json_lines,
    read_wet,
)

FINEWEB = FIELDS["fineweb"]


def line(**row: Any) -> bytes:
    return json.dumps(row).encode()


def texts(results: Iterable[RawDocument | BrokenRecord]) -> list[str]:
    """Texts of documents, and of what is broken the reason in brackets."""
    return [r.text if isinstance(r, RawDocument) else f"<{r.reason}>" for r in results]


def record(
    text: str | bytes,
    length: int | str | None = None,
    digest: str | None = None,
    kind: str = "conversion",
    url: str = "https://example.org/",
) -> bytes:
    """A WARC record; its length and digest are true unless others are given."""
    block = text.encode() if isinstance(text, str) else text
    true_digest = "sha1:" + b32encode(sha1(block).digest()).decode()
    headers = {
        "WARC-Type": kind,
        "WARC-Target-URI": url,
        "WARC-Date": "2024-05-18T01:58:10Z",
        "WARC-Record-ID": "<urn:uuid:1>",
        "WARC-Block-Digest": true_digest if digest is None else digest,
        "Content-Length": str(len(block) if length is None else length),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if value)
    return f"WARC/1.0\r\n{head}\r\n".encode() + block + b"\r\n\r\n"


def wet(data: bytes, max_bytes: int = 10_000) -> list[str]:
    return texts(read_wet(data, "a.warc.wet.gz", max_bytes))


@pytest.mark.parametrize(
    ("preset", "row"),
    [
        (
            "fineweb",
            {
                "text": "猫", "id": "1", "dump": "CC-MAIN-2023-14", "url": "u", "date": "d",
                "file_path": "f", "language": "en", "language_score": 0.9, "token_count": 3,
            },
        ),
        (
            "dolma",
            {
                "text": "猫", "id": "1", "source": "CC-MAIN-2023-14", "created": "d",
                "metadata": {
                    "url": "u", "language": "en", "language_score": 0.9, "cc_segment": "f",
                },
            },
        ),
    ],
)  # fmt: skip
def test_a_line_of_a_published_form(preset: str, row: dict[str, Any]) -> None:
    expected = RawDocument("猫", "u", "1", "d", "en", 0.9, "CC-MAIN-2023-14", "f")
    assert parse_json_line(line(**row), FIELDS[preset]) == expected


def test_a_line_of_c4() -> None:
    row = line(text="قطة", url="u", timestamp="2019-04-25T12:57:54Z")
    expected = RawDocument("قطة", "u", "u", "2019-04-25T12:57:54Z", file="c4.json.gz")
    assert parse_json_line(row, FIELDS["c4"], "c4.json.gz") == expected


def test_dolma_has_the_url_as_id_where_there_is_no_metadata() -> None:
    found = parse_json_line(line(text="a", id="https://a/"), FIELDS["dolma"])
    assert isinstance(found, RawDocument)
    assert found.url == "https://a/"


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b'{"text": "cut', "not_json"),
        (b"\xff", "not_utf8"),
        (b'{"text": "\xe7\x8c"}', "not_utf8"),
        (b"", "empty_line"),
        (b" \r", "empty_line"),
        (b"[1, 2]", "not_an_object"),
        (b"null", "not_an_object"),
        (b"{}", "no_text"),
        (b'{"text": null}', "no_text"),
        (b'{"text": 5}', "no_text"),
        (b'{"text": ["a"]}', "no_text"),
        (b'{"text": ""}', "empty_text"),
        (b'{"text": " \\n\\u0000\\ud800"}', "empty_text"),
        (b"[" * 100_000, "not_json"),
        (b'{"text": "a", "id": ' + b"9" * 10_000 + b"}", "not_json"),
    ],
)
def test_a_broken_line_has_a_reason(raw: bytes, reason: str) -> None:
    found = parse_json_line(raw, FINEWEB, "f", 7)
    assert isinstance(found, BrokenRecord)
    assert (found.reason, found.key, found.file) == (reason, "line 7", "f")
    assert found.reason in REASONS
    assert len(found.detail) <= 500


def test_a_broken_line_is_known_by_its_id() -> None:
    found = parse_json_line(line(id="doc-1", text=None), FINEWEB)
    assert isinstance(found, BrokenRecord)
    assert found.key == "doc-1"


def test_values_of_wrong_types_are_left_out() -> None:
    row = line(text="a", id=5, url=["x"], language={}, language_score="high", date="\ud800x\0")
    assert parse_json_line(row, FINEWEB) == RawDocument("a", source_id="5", date="x")
    nan = b'{"text": "a", "language_score": NaN}'
    assert parse_json_line(nan, FINEWEB) == RawDocument("a")


def test_fields_that_documents_lack_are_refused() -> None:
    with pytest.raises(ValueError, match="got text, title"):
        parse_json_line(b"{}", {"text": "text", "title": "t"})
    with pytest.raises(ValueError, match="must hold text"):
        parse_json_line(b"{}", {"url": "url"})


@pytest.mark.parametrize(
    "pack",
    [bytes, gzip.compress, lambda data: pa.Codec("zstd").compress(data, asbytes=True)],
)
def test_json_lines_plain_and_packed(pack: Any) -> None:
    data = pack(line(text="แมว") + b"\n\n" + line(text="قطة") + b"\n" + line(text="猫"))
    found = list(read_json_lines(io.BytesIO(data), "a.jsonl", FINEWEB))
    assert texts(found) == ["แมว", "<empty_line>", "قطة", "猫"]
    assert {r.file for r in found} == {"a.jsonl"}


def test_a_line_over_the_limit_costs_itself_only() -> None:
    bomb = line(text="a" * 5_000_000)
    for data in (b"\n".join([line(text="b"), bomb, line(text="c")]), bomb + b"\n" + line(text="c")):
        for packed in (data, gzip.compress(data)):
            found = texts(read_json_lines(packed, "a", FINEWEB, 1000))
            assert found[-2:] == ["<too_large>", "c"]


def test_json_lines_of_a_cut_file() -> None:
    packed = gzip.compress(b"".join(line(text=f"text {i}") + b"\n" for i in range(5000)))
    found = texts(read_json_lines(packed[: len(packed) // 2], "a", FINEWEB))
    assert found[:2] == ["text 0", "text 1"]
    assert found[-1] == "<damaged>"


@given(st.binary(max_size=60))
def test_no_line_raises(raw: bytes) -> None:
    parse_json_line(raw, FINEWEB)
    parse_json_line(b'{"text": "' + raw + b'"}', FINEWEB)
    list(read_json_lines(raw, "a", FINEWEB, 20))


def test_a_wet_record() -> None:
    info = record("operator: x\r\nisPartOf: CC-MAIN-2024-22\r\n", kind="warcinfo", url="")
    body = record("قطة\r\nแมว\0").replace(b"Content-Length", b"X: y\r\n  z\r\ncontent-length")
    [found] = read_wet(gzip.compress(info) + gzip.compress(body), "a.warc.wet.gz")
    assert found == RawDocument(
        "قطة\nแมว", "https://example.org/", "<urn:uuid:1>", "2024-05-18T01:58:10Z",
        dump="CC-MAIN-2024-22", file="a.warc.wet.gz",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("middle", "reasons"),
    [
        (record("bad", length=1000), ["<wrong_content_length>"]),
        (record("bad", length=1000, digest=""), ["<wrong_content_length>"]),
        (record("bad text", length=3, digest=""), ["<wrong_content_length>"]),
        (record("bad text", length=3), ["<wrong_content_length>"]),
        (record("bad", length="abc"), ["<no_content_length>"]),
        (record("bad", length=-3), ["<no_content_length>"]),
        (record("bad", length="9" * 5000), ["<too_large>"]),
        (record("bad", length=10**18, kind="response"), []),
        (record("bad", digest="sha1:" + "A" * 32), ["<wrong_digest>"]),
        (record("x" * 20_000), ["<too_large>"]),
        (record(b"\xff\xfe"), ["<not_utf8>"]),
        (record(" \n"), ["<empty_text>"]),
        (b"junk\r\n\r\n", ["<no_warc_header>"]),
        (b"WARC/1.0\r\n\r\nWARC-Type: conversion\r\n", ["<no_warc_header>"]),
        (record("whole")[:-4], ["whole"]),
        (b"WARC/1.0\r\nWARC-Type: conversion\r\nno end of header", ["<no_warc_header>"]),
        (record("skip", kind="response"), []),
        (b"\r\n\r\n\r\n", []),
    ],
)
def test_nothing_after_a_broken_record_is_lost(middle: bytes, reasons: list[str]) -> None:
    records = [record("first"), middle, record("last")]
    expected = ["first", *reasons, "last"]
    assert wet(b"".join(records)) == expected
    assert wet(gzip.compress(b"".join(records))) == expected


def test_a_length_that_swallows_whole_records_is_found_by_the_digest() -> None:
    last = record("last")
    swallowed = len(record("middle") + last) - len(b"\r\n\r\n")
    true_digest = "sha1:" + b32encode(sha1(b"bad").digest()).decode()
    bad = record("bad", length=len(b"bad\r\n\r\n") + swallowed, digest=true_digest)
    assert wet(bad + record("middle") + last) == ["<wrong_digest>", "middle", "last"]


@pytest.mark.parametrize("digest", [None, ""])
def test_no_wrong_length_swallows_what_follows(digest: str | None) -> None:
    after = [record("second"), record("third")]
    for length in range(len(b"".join(after)) + 20):
        bad = record("middle\n\ntext", length=length, digest=digest)
        assert wet(b"".join([bad, *after]))[-2:] == ["second", "third"], length


def test_headers_come_out_clean() -> None:
    [found] = read_wet(record("a", url="https://example.org/\0\x1b\ufeff"), "a")
    assert isinstance(found, RawDocument)
    assert found.url == "https://example.org/"


def test_a_text_about_warc_headers_is_one_record() -> None:
    text = "How a record begins:\r\n\r\nWARC/1.0\r\nWARC-Type: conversion\r\n\r\nand ends."
    assert wet(record(text) + record("last")) == [text.replace("\r\n", "\n"), "last"]


def test_digests_in_hexadecimal_of_other_kinds_or_none() -> None:
    hexadecimal = "sha1:" + sha1(b"a").hexdigest()
    assert wet(record("a", digest=hexadecimal) + record("b", digest="md5:00")) == ["a", "b"]
    assert wet(record("a", digest="")) == ["a"]


def test_line_ends_without_carriage_return() -> None:
    data = (record("a", digest="") + record("b")).replace(b"\r\n", b"\n")
    assert wet(data) == ["a", "b"]


def test_a_cut_file() -> None:
    data = record("first") + record("second")
    assert wet(data[:-4]) == ["first", "second"]
    assert wet(data[:-5]) == ["first", "<cut>"]
    assert wet(data[: len(record("first")) + 30]) == ["first", "<no_warc_header>"]
    assert wet(b"") == []


def test_a_damaged_member_costs_its_record_only() -> None:
    members = [gzip.compress(record(text, digest="")) for text in ("a", "b", "c")]
    bad_checksum = members[1][:-8] + b"\0" * 8
    assert wet(members[0] + bad_checksum + members[2]) == ["a", "<damaged>", "<damaged>", "c"]
    assert wet(members[0] + b"\x1f\x8b\x08\0junk" + members[2]) == ["a", "<damaged>", "c"]


def test_a_bomb_is_bounded() -> None:
    bomb = gzip.compress(record("first") + record("0" * 30_000_000) + record("last"))
    tracemalloc.start()
    try:
        assert wet(bomb) == ["first", "<too_large>", "last"]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 * 2**20


BLOCKS = st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=40), max_size=5)


@settings(max_examples=60)
@given(BLOCKS, st.booleans())
def test_what_fastwarc_writes_comes_back_whole(blocks: list[str], is_one_member: bool) -> None:
    records = []
    for block in blocks:
        written = FastRecord()
        written.init_headers(WarcRecordType.conversion)
        written.set_bytes_content(f"a{block}".encode())
        stream = io.BytesIO()
        written.write(stream, checksum_data=True)
        records.append(stream.getvalue())
    members = [b"".join(records)] if is_one_member else records
    found = list(read_wet(b"".join(map(gzip.compress, members)), "a"))
    assert [r.text for r in found if isinstance(r, RawDocument)] == [
        r.text
        for r in (parse_json_line(line(text=f"a{block}"), FINEWEB) for block in blocks)
        if isinstance(r, RawDocument)
    ]
    assert len(found) == len(blocks)


@settings(max_examples=100)
@given(st.integers(0, 900), st.binary(max_size=8), st.integers(0, 200))
def test_no_bytes_raise_and_the_rest_stays_true(at: int, junk: bytes, cut: int) -> None:
    data = b"".join(record(f"text {i}") for i in range(4))
    for packed in (data[:at] + junk + data[at + cut :], gzip.compress(data)[:at] + junk):
        assert {text for text in wet(packed) if text[0] != "<"} <= {f"text {i}" for i in range(4)}


@pytest.mark.parametrize("name", ["whirlwind", "ntrex-pack"])
def test_real_files_read_as_fastwarc_reads_them(shared_data: Path, name: str) -> None:
    path = shared_data / f"crawl/wet/{name}.warc.wet.gz"
    n_expected = json.loads((shared_data / "EXPECTED.json").read_text())["crawl"]
    with path.open("rb") as stream:
        expected = [
            (record.headers["WARC-Target-URI"], record.reader.read().decode().strip())
            for record in ArchiveIterator(stream, record_types=WarcRecordType.conversion)
        ]
    with path.open("rb") as stream:
        found = list(read_wet(stream, path.name))
    assert len(found) == n_expected["wet_conversion_records"][path.name]
    assert [(r.url, r.text.strip()) for r in found if isinstance(r, RawDocument)] == expected


@pytest.mark.parametrize("name", ["wrong-content-length", "short-content-length"])
def test_a_wrong_length_in_a_real_file_costs_one_record(shared_data: Path, name: str) -> None:
    path = shared_data / f"hostile/{name}.warc.wet.gz"
    found = list(read_wet(path.read_bytes(), path.name))
    assert isinstance(found[0], BrokenRecord)
    assert (found[0].reason, found[0].key) == (
        "wrong_content_length",
        "<urn:uuid:ba729a40-ff84-4085-8d48-0a5b2ee0c42d>",
    )
    assert [r.url for r in found[1:] if isinstance(r, RawDocument)] == [
        "urn:ntrex:bbc.381790",
        "urn:ntrex:bbc.381790:es",
    ]


def test_real_broken_lines(shared_data: Path) -> None:
    path = shared_data / "hostile/broken-lines.jsonl"
    found = list(read_json_lines(path.read_bytes(), path.name, FIELDS["dolma"]))
    good = [i for i, r in enumerate(found, 1) if isinstance(r, RawDocument)]
    assert (len(found), good) == (10, [1, 4, 10])
    assert [r.reason for r in found if isinstance(r, BrokenRecord)] == [
        "not_json", "not_utf8", "no_text", "empty_line", "no_text", "empty_text", "not_an_object",
    ]  # fmt: skip


def test_real_files_of_dolma(shared_data: Path) -> None:
    rows = json.loads((shared_data / "EXPECTED.json").read_text())["crawl"]["jsonl_rows"]
    for name, n_rows in rows.items():
        path = shared_data / "crawl/jsonl" / name
        found = list(read_json_lines(path.read_bytes(), name, FIELDS["dolma"]))
        assert len(found) == n_rows
        assert {r.lang for r in found if isinstance(r, RawDocument)} == {"en"}


def test_an_empty_file(shared_data: Path) -> None:
    assert list(read_json_lines((shared_data / "hostile/empty.jsonl").read_bytes(), "e", {})) == []
