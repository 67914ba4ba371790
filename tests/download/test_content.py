"""Dumps of the content service, alone and beside the older one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from crossic_etl.download.mirror import Mirror
from crossic_etl.download.transfer import RemoteFile
from crossic_etl.inputs.errors import InputError
from tests.download.mirror_server import Fault, MirrorServer, packed
from tests.support.commands import download as main

pytestmark = pytest.mark.slow

PARTS = {"p1p9": b"part 1", "p10p12": b"part 2"}
SQL = {
    "langlinkstable": {"langlinks.sql.gz": packed("l")},
    "pagepropstable": {"page_props.sql.gz": packed("p")},
}
WHOLE = {**SQL, "articlesmultistreamdump": {"pages-articles-multistream.xml.bz2": b"whole"}}
BELOW = "other/mediawiki_content_current"


def add_both(server: MirrorServer) -> str:
    """English of the older service, Thai of the other with the older one's SQL; Thai's folder."""
    server.add_dump("enwiki", "20260101", WHOLE)
    server.add_dump("thwiki", "20260101", SQL)
    return server.add_content("thwiki", "2026-01-01", PARTS)


@pytest.fixture
def config_file(server: MirrorServer, tmp_path: Path) -> Path:
    path = tmp_path / "my.yaml"
    settings = {
        "root": str(tmp_path / "tables"), "languages": ["th"],
        "wikipedia": {"dumps": str(tmp_path / "dumps"), "date": "20260101"},
        "download": {"mirror": server.url, "contact": "me@example.org", "backoff": 0, "tries": 2},
    }  # fmt: skip
    path.write_text(yaml.safe_dump(settings))
    return path


def names(files: list[RemoteFile], wiki: str) -> list[str]:
    paths = [file.path.removeprefix("/dumps/") for file in files]
    return [path for path in paths if f"{wiki}/" in path]


def below(folder: Path) -> dict[str, bytes]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name[0] != "."]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_a_file_has_the_sha256_of_the_list_which_comes_last(
    server: MirrorServer, mirror: Callable[..., Mirror]
) -> None:
    server.add_dump("enwiki", "20260101", WHOLE)
    folder = server.add_content("thwiki", "2026-01-01", PARTS)
    server.add_dump("thwiki", "20260101", SQL)
    *_, second, first, last = mirror("th", date="20260101").choose()[1]
    name = f"{folder}/thwiki-2026-01-01-p1p9.xml.bz2"
    assert first == RemoteFile(
        f"{server.url}{name}", f"/dumps{name}", None,
        {"sha256": hashlib.sha256(b"part 1").hexdigest()}, "thwiki 20260101",
    )  # fmt: skip
    assert second.path == f"/dumps{folder}/thwiki-2026-01-01-p10p12.xml.bz2"
    assert last.path == f"/dumps{folder}/SHA256SUMS"


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ("auto", "wikipedia.service: dumps for en; content for th"),
        ("content", "wikipedia.service: content for en, th"),
    ],
)
def test_the_service_of_each_wiki_is_said(
    server: MirrorServer, mirror: Callable[..., Mirror], capsys: pytest.CaptureFixture[str],
    service: str, expected: str,
) -> None:  # fmt: skip
    server.add_dump("enwiki", "20260101", WHOLE)
    server.add_dump("thwiki", "20260101", SQL)
    for wiki in ("enwiki", "thwiki"):
        server.add_content(wiki, "2026-01-01", PARTS)
    files = mirror("th", date="20260101", service=service).choose()[1]
    assert capsys.readouterr().out.splitlines() == [expected]
    assert names(files, "thwiki") == [
        "thwiki/20260101/thwiki-20260101-langlinks.sql.gz",
        "thwiki/20260101/thwiki-20260101-page_props.sql.gz",
        f"{BELOW}/thwiki/2026-01-01/xml/bzip2/thwiki-2026-01-01-p10p12.xml.bz2",
        f"{BELOW}/thwiki/2026-01-01/xml/bzip2/thwiki-2026-01-01-p1p9.xml.bz2",
        f"{BELOW}/thwiki/2026-01-01/xml/bzip2/SHA256SUMS",
    ]


def test_the_older_service_alone_is_not_completed_by_the_other(
    server: MirrorServer, mirror: Callable[..., Mirror]
) -> None:
    server.add_dump("enwiki", "20260101", WHOLE)
    server.add_content("thwiki", "2026-01-01", PARTS)
    with pytest.raises(InputError, match=r"thwiki/20260101/dumpstatus\.json: HTTP 404"):
        mirror("th", date="20260101", service="dumps").choose()


def test_a_content_dump_without_its_list_is_not_complete(
    server: MirrorServer, mirror: Callable[..., Mirror]
) -> None:
    server.add_dump("enwiki", "20260101", WHOLE)
    server.add_content("thwiki", "2026-01-01", PARTS, complete=False)
    with pytest.raises(InputError, match="xml/bzip2/SHA256SUMS: HTTP 404"):
        mirror("th", date="20260101").choose()


@pytest.mark.parametrize(
    "listed",
    [b"", b"<html>", b"0" * 64 + b"  ../../../thwiki-2026-01-01-p1p9.xml.bz2\n", b"\xff" * 90],
)
def test_a_list_that_names_no_page_file_is_an_error(
    server: MirrorServer, mirror: Callable[..., Mirror], listed: bytes
) -> None:
    server.add_dump("enwiki", "20260101", WHOLE)
    folder = server.add_content("thwiki", "2026-01-01", PARTS)
    server.files[f"{folder}/SHA256SUMS"] = listed
    with pytest.raises(InputError, match="SHA256SUMS names no file of pages"):
        mirror("th", date="20260101").choose()


@pytest.mark.parametrize("line", ["{}  {}", "{} *{}", "{}  ./{}"])
def test_a_list_may_have_any_form_of_sha256sum(
    server: MirrorServer, mirror: Callable[..., Mirror], line: str
) -> None:
    server.add_dump("enwiki", "20260101", WHOLE)
    folder = server.add_content("thwiki", "2026-01-01", PARTS)
    name = "thwiki-2026-01-01-p1p9.xml.bz2"
    server.files[f"{folder}/SHA256SUMS"] = line.format("AB" * 32, name).encode()
    *_, file, _ = mirror("th", date="20260101").choose()[1]
    assert (file.path, file.checksums) == (f"/dumps{folder}/{name}", {"sha256": "ab" * 32})


def test_sql_is_of_the_nearest_date_that_has_it_and_that_is_said(
    server: MirrorServer, mirror: Callable[..., Mirror], capsys: pytest.CaptureFixture[str]
) -> None:
    for wiki in ("enwiki", "thwiki"):
        server.add_content(wiki, "2026-02-01", PARTS)
        server.add_dump(wiki, "20260101", SQL)
        server.add_dump(wiki, "20260120", SQL)
        server.add_dump(wiki, "20260220", SQL)
    server.add_dump("thwiki", "20260120", SQL, langlinkstable="failed")
    files = mirror("th", date="20260201").choose()[1]
    assert names(files, "enwiki")[0] == "enwiki/20260120/enwiki-20260120-langlinks.sql.gz"
    assert names(files, "thwiki")[0] == "thwiki/20260220/thwiki-20260220-langlinks.sql.gz"
    assert capsys.readouterr().out.splitlines()[1:] == [
        "langlinks and page_props of en are of 20260120",
        "langlinks and page_props of th are of 20260220",
    ]


def test_a_wiki_without_sql_is_an_error_line_that_says_what_to_do(
    server: MirrorServer, mirror: Callable[..., Mirror], capsys: pytest.CaptureFixture[str]
) -> None:
    server.add_dump("enwiki", "20260101", WHOLE)
    server.add_content("thwiki", "2026-01-01", PARTS)
    files = mirror("th", date="20260101").choose()[1]
    assert len(names(files, "thwiki")) == 3
    assert capsys.readouterr().out.splitlines()[1] == (
        "error: no langlinks and page_props of th at any date "
        f"({server.url}/thwiki/20260101/dumpstatus.json: HTTP 404 Not Found): only links of other "
        "wikis pair its pages; put both files into /dumps/thwiki/20260101"
    )


def test_a_server_that_fails_is_not_taken_for_one_without_the_dump(
    server: MirrorServer, mirror: Callable[..., Mirror]
) -> None:
    for wiki in ("enwiki", "thwiki"):
        server.add_content(wiki, "2026-01-01", PARTS)
        server.add_dump(wiki, "20260101", WHOLE)
    server.faults["/enwiki/20260101/dumpstatus.json"].extend([Fault(status=503)] * 2)
    with pytest.raises(InputError, match="HTTP 503, at 2 tries"):
        mirror("th", date="20260101").choose()


def test_both_services_come_whole_and_are_checked(
    server: MirrorServer, config_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = add_both(server)
    part = f"{folder}/thwiki-2026-01-01-p1p9.xml.bz2"
    server.faults[part].append(Fault(wrong_byte=2))
    assert main(["--config", str(config_file)]) == 0
    assert "download: 8 files fetched, 0 were there" in capsys.readouterr().out
    found = below(tmp_path / "dumps")
    assert len(found) == 3 + 2 + 3
    assert found[part.lstrip("/")] == b"part 1"
    server.requests.clear()
    assert main(["--config", str(config_file)]) == 0
    assert "download: 0 files fetched, 8 were there" in capsys.readouterr().out
    assert server.asked(part) == []


def test_content_files_that_came_otherwise_are_checked_and_kept(
    server: MirrorServer, config_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = add_both(server)
    local = tmp_path / "dumps" / folder.lstrip("/")
    local.mkdir(parents=True)
    (local / "thwiki-2026-01-01-p1p9.xml.bz2").write_bytes(b"part 1")
    (local / "thwiki-2026-01-01-p10p12.xml.bz2").write_bytes(b"part X")
    assert main(["--config", str(config_file)]) == 0
    assert "download: 7 files fetched, 1 were there" in capsys.readouterr().out
    assert (local / "thwiki-2026-01-01-p10p12.xml.bz2").read_bytes() == b"part 2"


def test_a_wrong_checksum_is_one_line_and_nothing_of_the_dump_is_published(
    server: MirrorServer, config_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = add_both(server)
    part = f"{folder}/thwiki-2026-01-01-p1p9.xml.bz2"
    server.faults[part].extend([Fault(wrong_byte=2)] * 2)
    assert main(["--config", str(config_file)]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"error: {server.url}{part}: sha256 ") and error.count("\n") == 1
    right = hashlib.sha256(b"part 1").hexdigest()
    assert f"2 times, should be {right}: the server's copy is damaged" in error
    assert {name.split("/")[0] for name in below(tmp_path / "dumps")} == {"enwiki"}


def test_latest_is_the_newest_date_that_either_service_has_whole(
    server: MirrorServer, mirror: Callable[..., Mirror], capsys: pytest.CaptureFixture[str]
) -> None:
    for wiki in ("enwiki", "thwiki"):
        server.add_dump(wiki, "20260101", WHOLE)
        server.add_dump(wiki, "20260201", SQL)
        server.add_content(wiki, "2026-03-01", PARTS, complete=False)
    server.add_dump("enwiki", "20260201", WHOLE)
    server.add_content("thwiki", "2026-02-01", PARTS)
    assert mirror("th", date="latest").choose()[0] == '"20260201"'
    skipped, service = capsys.readouterr().out.splitlines()
    assert skipped.startswith("not 20260301: ")
    assert service == "wikipedia.service: dumps for en; content for th"
    assert mirror("th", date="latest", service="dumps").choose()[0] == '"20260101"'


def test_latest_goes_on_to_content_where_the_older_service_lacks_a_wiki(
    server: MirrorServer, mirror: Callable[..., Mirror]
) -> None:
    server.add_dump("enwiki", "20260101", WHOLE)
    server.add_content("thwiki", "2026-01-01", PARTS)
    assert mirror("th", date="latest").choose()[0] == '"20260101"'


@pytest.mark.parametrize("date", ["latest", "20260101", ""])
def test_a_language_that_the_mirror_lacks_is_named(
    server: MirrorServer, config_file: Path, capsys: pytest.CaptureFixture[str], date: str
) -> None:
    server.add_dump("enwiki", "20260101", WHOLE)
    assert main(["--config", str(config_file), f"--set=wikipedia.date={date!r}"]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "thwiki" in error and "HTTP 404" in error


def test_the_date_that_latest_means_is_printed(
    server: MirrorServer, config_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for wiki in ("enwiki", "thwiki"):
        server.add_dump(wiki, "20260101", WHOLE)
    assert main(["--config", str(config_file), "--set", "wikipedia.date=latest"]) == 0
    assert 'wikipedia.date: "20260101"' in capsys.readouterr().out
    assert {Path(name).parts[1] for name in below(tmp_path / "dumps")} == {"20260101"}
