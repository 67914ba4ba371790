"""``wikipedia.date: latest`` without Spark."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossic_etl.config import Config
from crossic_etl.config.etl import Wikipedia
from crossic_etl.inputs.dump_dates import with_local_latest
from crossic_etl.inputs.dumps import find_local_wikis
from crossic_etl.inputs.errors import InputError

PAGES, LINKS, PROPS = "pages-articles-multistream.xml.bz2", "langlinks.sql.gz", "page_props.sql.gz"
ALL = (PAGES, LINKS, PROPS)


def add(dumps: Path, wiki: str, date: str, *names: str) -> None:
    """A dump of the older service."""
    folder = dumps / wiki / date
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / f"{wiki}-{date}-{name}").write_text("x")


def add_content(dumps: Path, wiki: str, date: str, *, is_complete: bool = True) -> None:
    """A dump of the content service; ``date`` is ``YYYY-MM-DD``."""
    folder = dumps / "other/mediawiki_content_current" / wiki / date / "xml" / "bzip2"
    folder.mkdir(parents=True)
    (folder / f"{wiki}-{date}-p1p9.xml.bz2").write_text("x")
    if is_complete:
        (folder / "SHA256SUMS").write_text("x")


def latest(dumps: Path, **wikipedia: object) -> str:
    """The date that is meant for English and Thai."""
    found = Wikipedia(**{"dumps": str(dumps), "date": "latest", **wikipedia})  # type: ignore[arg-type]
    date = with_local_latest(Config("/t", ("th",), found)).wikipedia.date
    assert isinstance(date, str)
    return date


@pytest.fixture
def dumps(tmp_path: Path) -> Path:
    """January is whole."""
    for wiki in ("enwiki", "thwiki"):
        add(tmp_path, wiki, "20260101", *ALL)
    return tmp_path


def test_the_newest_date_with_everything_is_taken_and_said(
    dumps: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for wiki in ("enwiki", "thwiki"):
        add(dumps, wiki, "20260201", *ALL)
        add(dumps, wiki, "20251201", *ALL)
    with caplog.at_level("INFO"):
        assert latest(dumps) == "20260201"
    assert caplog.messages == ["wikipedia.date: latest is 20260201"]


@pytest.mark.parametrize(
    ("names", "lacks"),
    [((), "th pages"), ((LINKS, PROPS), "th pages"), ((PAGES, PROPS), "th langlinks"),
     ((PAGES,), "th langlinks, th page_props")],
)  # fmt: skip
def test_a_newer_date_that_lacks_something_is_not_taken(
    dumps: Path, caplog: pytest.LogCaptureFixture, names: tuple[str, ...], lacks: str
) -> None:
    add(dumps, "enwiki", "20260201", *ALL)
    add(dumps, "thwiki", "20260201", *names)
    with caplog.at_level("INFO"):
        assert latest(dumps) == "20260101"
    assert caplog.messages == [f"wikipedia.date: latest is 20260101; 20260201 lacks {lacks}"]


def test_a_table_that_a_wiki_never_has_is_not_waited_for(tmp_path: Path) -> None:
    for date in ("20260101", "20260201"):
        add(tmp_path, "enwiki", date, *ALL)
        add(tmp_path, "thwiki", date, PAGES, PROPS)
    assert latest(tmp_path) == "20260201"


@pytest.mark.parametrize(
    ("service", "is_complete", "expected"),
    [
        ("auto", True, "20260201"),
        ("auto", False, "20260101"),
        ("content", True, "20260201"),
        ("dumps", True, "20260101"),
    ],
)
def test_a_content_dump_counts_once_its_list_is_there(
    dumps: Path, service: str, is_complete: bool, expected: str
) -> None:
    for wiki in ("enwiki", "thwiki"):
        add_content(dumps, wiki, "2026-02-01", is_complete=is_complete)
    assert latest(dumps, service=service) == expected


def test_a_content_dump_that_lacks_a_part_is_not_whole(dumps: Path) -> None:
    for wiki in ("enwiki", "thwiki"):
        add_content(dumps, wiki, "2026-02-01")
    folder = dumps / "other/mediawiki_content_current/thwiki/2026-02-01/xml/bzip2"
    (folder / "SHA256SUMS").write_text(f"{'0' * 64}  thwiki-2026-02-01-p10p20.xml.bz2\n")
    assert latest(dumps) == "20260101"


def test_one_date_may_be_of_both_services(dumps: Path) -> None:
    add(dumps, "enwiki", "20260201", *ALL)
    add_content(dumps, "thwiki", "2026-02-01")
    assert latest(dumps) == "20260201"


def test_plain_text_needs_no_pages(dumps: Path) -> None:
    add(dumps, "enwiki", "20260201", *ALL)
    add(dumps, "thwiki", "20260201", LINKS, PROPS)
    assert latest(dumps, plain_text={"th": "/plain"}) == "20260201"


def test_dates_that_no_two_wikis_share_are_not_mixed(tmp_path: Path) -> None:
    add(tmp_path, "enwiki", "20260101", *ALL)
    add(tmp_path, "thwiki", "20260201", *ALL)
    expected = (
        "has no date at which all of en, th is there: 20260201 lacks en pages; "
        "20260101 lacks th pages. Run download, or set wikipedia.date"
    )
    with pytest.raises(InputError, match=expected):
        latest(tmp_path)


def test_a_folder_without_dumps_says_so(tmp_path: Path) -> None:
    (tmp_path / "enwiki" / "latest").mkdir(parents=True)
    with pytest.raises(InputError, match="it has no dump of them"):
        latest(tmp_path)


def test_files_are_found_with_the_date(dumps: Path) -> None:
    found = find_local_wikis(Wikipedia(str(dumps), "latest"), ("en", "th"))
    assert [files.date for files in found] == ["20260101"] * 2


@pytest.mark.parametrize(
    "wikipedia",
    [Wikipedia("s3a://a", "latest"), Wikipedia("/nowhere", "20260101"), Wikipedia("", "latest")],
)
def test_other_dates_and_places_stay_as_they_are(wikipedia: Wikipedia) -> None:
    config = Config("/t", ("th",), wikipedia)
    assert with_local_latest(config) == config
