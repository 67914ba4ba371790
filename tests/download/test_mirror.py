from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from crossic_etl.config import ConfigError
from crossic_etl.download.mirror import Mirror
from crossic_etl.download.transfer import RemoteFile
from crossic_etl.inputs.errors import InputError
from tests.download.mirror_server import Fault, MirrorServer, packed

pytestmark = pytest.mark.slow

SQL = {
    "langlinkstable": {"langlinks.sql.gz": packed("l")},
    "pagepropstable": {"page_props.sql.gz": packed("p")},
}
WHOLE = {
    "pages-articles-multistream.xml.bz2": b"whole",
    "pages-articles-multistream-index.txt.bz2": b"index",
}
PARTS = {
    "pages-articles-multistream1.xml-p1p9.bz2": b"part 1",
    "pages-articles-multistream-index1.txt-p1p9.bz2": b"index 1",
    "pages-articles-multistream2.xml-p10p12.bz2": b"part 2",
}
SMALL = {**SQL, "articlesmultistreamdump": WHOLE}
LARGE = {**SQL, "articlesmultistreamdump": PARTS, "articlesmultistreamdumprecombine": WHOLE}


def names(files: list[RemoteFile]) -> list[str]:
    return [file.path.removeprefix("/dumps/") for file in files]


def test_each_wiki_has_its_sql_and_its_pages_in_one_file(
    server: MirrorServer, mirror: Callable[..., Mirror]
) -> None:
    server.add_dump("enwiki", "20260101", LARGE)
    server.add_dump("zh_yuewiki", "20260101", SMALL)
    date, files = mirror("zh-yue").choose()
    assert date == '"20260101"'
    assert names(files) == [
        "enwiki/20260101/enwiki-20260101-langlinks.sql.gz",
        "enwiki/20260101/enwiki-20260101-page_props.sql.gz",
        "enwiki/20260101/enwiki-20260101-pages-articles-multistream.xml.bz2",
        "zh_yuewiki/20260101/zh_yuewiki-20260101-langlinks.sql.gz",
        "zh_yuewiki/20260101/zh_yuewiki-20260101-page_props.sql.gz",
        "zh_yuewiki/20260101/zh_yuewiki-20260101-pages-articles-multistream.xml.bz2",
    ]


def test_a_file_has_the_size_and_sha1_of_the_status(
    server: MirrorServer, mirror: Callable[..., Mirror]
) -> None:
    for wiki in ("enwiki", "thwiki"):
        server.add_dump(wiki, "20260101", SMALL)
    *_, last = mirror("th").choose()[1]
    name = "/thwiki/20260101/thwiki-20260101-pages-articles-multistream.xml.bz2"
    assert last == RemoteFile(
        f"{server.url}{name}", f"/dumps{name}", 5,
        {"sha1": hashlib.sha1(b"whole").hexdigest()}, "thwiki 20260101",
    )  # fmt: skip


def test_parts_are_taken_while_they_are_not_joined(
    server: MirrorServer, mirror: Callable[..., Mirror]
) -> None:
    states = {"articlesmultistreamdumprecombine": "waiting"}
    server.add_dump("enwiki", "20260101", LARGE, **states)
    server.add_dump("thwiki", "20260101", SMALL)
    assert [name for name in names(mirror("th").choose()[1]) if "enwiki" in name][2:] == [
        "enwiki/20260101/enwiki-20260101-pages-articles-multistream1.xml-p1p9.bz2",
        "enwiki/20260101/enwiki-20260101-pages-articles-multistream2.xml-p10p12.bz2",
    ]


def test_the_newest_date_at_which_all_wikis_are_complete_is_taken(
    server: MirrorServer, mirror: Callable[..., Mirror], capsys: pytest.CaptureFixture[str]
) -> None:
    for wiki, dates in (
        ("enwiki", ("20260101", "20260120", "20260201", "20260220")),
        ("thwiki", ("20260101", "20260120", "20260201")),
    ):
        for date in dates:
            server.add_dump(wiki, date, SMALL)
    server.add_dump("thwiki", "20260201", SMALL, pagepropstable="in-progress")
    assert mirror("th").choose()[0] == '"20260120"'
    assert "not 20260201: pagepropstable is in-progress" in capsys.readouterr().out


def test_no_date_at_which_all_are_complete_is_an_error_that_names_the_dates(
    server: MirrorServer, mirror: Callable[..., Mirror]
) -> None:
    server.add_dump("enwiki", "20260101", SMALL)
    server.add_dump("thwiki", "20260101", SMALL, articlesmultistreamdump="failed")
    server.add_dump("thwiki", "20260120", SMALL)
    with pytest.raises(InputError, match=r"enwiki, thwiki are complete.*all have: 20260101\."):
        mirror("th").choose()


def test_dates_for_each_language_are_taken_as_they_are(
    server: MirrorServer, mirror: Callable[..., Mirror]
) -> None:
    server.add_dump("enwiki", "20260101", SMALL)
    server.add_dump("thwiki", "20260120", SMALL)
    date, files = mirror("th", date={"en": "20260101", "th": "20260120"}).choose()
    assert date == '{"en": "20260101", "th": "20260120"}'
    assert {name.split("/")[1] for name in names(files)} == {"20260101", "20260120"}
    assert "/thwiki/" not in {path for path, _ in server.requests}


@pytest.mark.parametrize(
    ("states", "reason"),
    [
        ({"langlinkstable": "waiting"}, "langlinkstable is waiting"),
        (
            {"articlesmultistreamdump": "failed"},
            "articlesmultistreamdumprecombine is missing, articlesmultistreamdump is failed",
        ),
    ],
)
def test_a_date_that_is_asked_for_and_not_complete_is_an_error(
    server: MirrorServer, mirror: Callable[..., Mirror], states: dict[str, str], reason: str
) -> None:
    server.add_dump("enwiki", "20260101", SMALL, **states)
    with pytest.raises(InputError, match=reason):
        mirror("th", date="20260101").choose()


def test_a_date_that_the_mirror_lacks_is_an_error(mirror: Callable[..., Mirror]) -> None:
    with pytest.raises(InputError, match=r"enwiki/20260101/dumpstatus\.json: HTTP 404"):
        mirror("th", date="20260101").choose()


@pytest.mark.parametrize("fault", [Fault(status=503), Fault(cut=10)])
def test_a_status_is_asked_for_again(
    server: MirrorServer, mirror: Callable[..., Mirror], fault: Fault
) -> None:
    for wiki in ("enwiki", "thwiki"):
        server.add_dump(wiki, "20260101", SMALL)
    server.faults["/enwiki/20260101/dumpstatus.json"].append(fault)
    assert len(mirror("th").choose()[1]) == 6


def test_a_status_may_come_packed(server: MirrorServer, mirror: Callable[..., Mirror]) -> None:
    for wiki in ("enwiki", "thwiki"):
        server.add_dump(wiki, "20260101", SMALL)
    path = "/enwiki/20260101/dumpstatus.json"
    server.files[path] = gzip.compress(server.files[path])
    server.headers[path]["Content-Encoding"] = "gzip"
    assert len(mirror("th").choose()[1]) == 6


@pytest.mark.parametrize("status", [b"<html>", b"[]", b"{}", b'{"jobs": 3}', b"\xff"])
def test_a_status_that_is_none_is_an_error(
    server: MirrorServer, mirror: Callable[..., Mirror], status: bytes
) -> None:
    server.files["/enwiki/20260101/dumpstatus.json"] = status
    with pytest.raises(InputError, match=r"dumpstatus\.json isn't a list of jobs"):
        mirror("th", date="20260101").choose()


def test_a_language_with_plain_text_needs_no_pages(
    server: MirrorServer, mirror: Callable[..., Mirror]
) -> None:
    server.add_dump("enwiki", "20260101", SMALL)
    server.add_dump("thwiki", "20260101", SQL)
    assert len(mirror("th", plain_text={"th": "/plain"}).choose()[1]) == 5
    with pytest.raises(InputError):
        mirror("th").choose()


@pytest.mark.parametrize(
    "link",
    ['<a href="20260101/">', "<A HREF='/enwiki/20260101'>", "<a href=./20260101/ class=x>"],
)
def test_dates_are_read_from_any_index(
    server: MirrorServer, mirror: Callable[..., Mirror], link: str
) -> None:
    server.files["/enwiki/"] = f'<a href="latest/">x</a>{link}x</a><a href="120260102/">'.encode()
    assert mirror("th").dates("enwiki") == {"20260101"}


def test_names_that_are_not_the_dump_s_are_not_taken(
    server: MirrorServer, mirror: Callable[..., Mirror]
) -> None:
    hostile = {"/../../pages-articles-multistream.xml.bz2": b"x", **WHOLE}
    server.add_dump("enwiki", "20260101", {**SQL, "articlesmultistreamdump": hostile})
    server.add_dump("thwiki", "20260101", SMALL)
    assert all("/.." not in file.path for file in mirror("th").choose()[1])


def test_without_a_folder_for_them_dumps_are_refused(mirror: Callable[..., Mirror]) -> None:
    with pytest.raises(
        ConfigError, match=r"wikipedia.dumps: '' given, expected a folder or fsspec URL"
    ):
        mirror("th", dumps="").choose()


def test_a_folder_may_be_a_url(server: MirrorServer, mirror: Callable[..., Mirror]) -> None:
    for wiki in ("enwiki", "thwiki"):
        server.add_dump(wiki, "20260101", SMALL)
    made = mirror("th")
    wikipedia = replace(made.wikipedia, dumps="s3://bucket/dumps/")
    made = replace(made, wikipedia=wikipedia)
    assert made.choose()[1][0].path == (
        "s3://bucket/dumps/enwiki/20260101/enwiki-20260101-langlinks.sql.gz"
    )
    assert Path(made.choose()[1][0].path).name == "enwiki-20260101-langlinks.sql.gz"


ONE_STREAM = {"pages-articles.xml.bz2": b"one stream"}


@pytest.mark.parametrize("status", ["missing", "failed", "skipped"])
def test_one_stream_is_taken_where_there_is_no_multistream(
    server: MirrorServer, mirror: Callable[..., Mirror], status: str
) -> None:
    server.add_dump("enwiki", "20260101", SMALL)
    multistream = {} if status == "missing" else {"articlesmultistreamdump": WHOLE}
    jobs = {**SQL, **multistream, "articlesdump": ONE_STREAM}
    server.add_dump("thwiki", "20260101", jobs, articlesmultistreamdump=status)
    *_, last = names(mirror("th").choose()[1])
    assert last == "thwiki/20260101/thwiki-20260101-pages-articles.xml.bz2"


@pytest.mark.parametrize("status", ["waiting", "in-progress"])
def test_multistream_is_waited_for(
    server: MirrorServer, mirror: Callable[..., Mirror], status: str
) -> None:
    server.add_dump("enwiki", "20260101", SMALL)
    jobs = {**SMALL, "articlesdump": ONE_STREAM}
    server.add_dump("thwiki", "20260101", jobs, articlesmultistreamdump=status)
    with pytest.raises(InputError, match=f"articlesmultistreamdump is {status}"):
        mirror("th", date="20260101").choose()


def test_parts_in_one_stream_are_taken_while_they_are_not_joined(
    server: MirrorServer, mirror: Callable[..., Mirror]
) -> None:
    server.add_dump("enwiki", "20260101", SMALL)
    parts = {"pages-articles1.xml-p1p9.bz2": b"1", "pages-articles2.xml-p10p12.bz2": b"2"}
    server.add_dump("thwiki", "20260101", {**SQL, "articlesdump": parts})
    assert [name.rpartition("-pages-")[2] for name in names(mirror("th").choose()[1])[-2:]] == [
        "articles1.xml-p1p9.bz2",
        "articles2.xml-p10p12.bz2",
    ]
