"""Which of the files in a wiki's folder are read, without Spark."""

from __future__ import annotations

import pytest

from crossic_etl.config.etl import Wikipedia
from crossic_etl.inputs.dump_names import describe_others
from crossic_etl.inputs.dumps import choose_files
from crossic_etl.inputs.errors import InputError, MissingDumpError

WIKIPEDIA = Wikipedia("/d", "20260101")
START = "/d/thwiki/20260101/thwiki-20260101-"


def chosen(*names: str) -> list[str]:
    """What is read of these files, without what all names have in common."""
    files = {f"{START}{name}": "1 1" for name in names}
    return [path.removeprefix(START) for path in choose_files(WIKIPEDIA, "th", files).pages]


ARTICLES = "pages-articles.xml.bz2"
CURRENT = ["pages-meta-current1.xml-p1p9.bz2", "pages-meta-current2.xml-p10p12.bz2"]
HISTORY = ["pages-meta-history1.xml-p1p9.bz2", "pages-meta-history2.xml-p10p12.bz2"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([*HISTORY, *CURRENT, ARTICLES], [ARTICLES]),
        ([*HISTORY, *CURRENT], CURRENT),
        (HISTORY, HISTORY),
        (["pages-meta-current.xml.gz"], ["pages-meta-current.xml.gz"]),
        (["pages-meta-history.xml"], ["pages-meta-history.xml"]),
    ],
)
def test_articles_are_read_before_current_pages_and_those_before_histories(
    names: list[str], expected: list[str]
) -> None:
    assert chosen(*names) == expected


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("pages-meta-history1.xml-p1p9.7z", "7z x -so"),
        ("pages-meta-current.xml.zst", "zstd -dc"),
        ("pages-articles.xml.xz", "xz -dc"),
        ("pages-articles-multistream.xml.zip", "unzip -p"),
    ],
)
def test_a_packing_that_is_not_read_is_refused_with_what_to_do(name: str, command: str) -> None:
    stem, _, ending = f"thwiki-20260101-{name}".rpartition(".")
    with pytest.raises(InputError) as refused:
        chosen(name)
    assert str(refused.value) == (
        f"{START}{name}: dumps are read as .bz2, .gz or plain XML, and not as .{ending}: fetch the "
        f".bz2, or pack it anew with {command} {stem}.{ending} | bzip2 > {stem}.bz2"
    )


def test_a_part_that_is_not_read_beside_parts_that_are_is_refused() -> None:
    with pytest.raises(InputError, match=r"history2\.xml-p10p12\.7z: dumps are read as"):
        chosen(HISTORY[0], "pages-meta-history2.xml-p10p12.7z")


@pytest.mark.parametrize("other", ["pages-meta-history1.xml-p1p9.7z", "pages-articles.xml.zst"])
def test_a_packing_that_is_not_read_is_no_matter_where_it_is_not_needed(other: str) -> None:
    assert chosen(ARTICLES, *HISTORY, other) == [ARTICLES]


@pytest.mark.parametrize("name", ["stub-meta-history.xml.gz", "pages-logging.xml.gz", "a.7z"])
def test_other_files_are_no_pages(name: str) -> None:
    with pytest.raises(MissingDumpError):
        chosen(name)


def test_dates_and_languages_are_those_of_any_form() -> None:
    below = "/d/other/mediawiki_content_current/jawiki/2026-02-01/xml/bzip2"
    paths = [
        "/d/thwiki/20251201/thwiki-20251201-pages-meta-history.xml.bz2",
        "/d/thwiki/20251101/thwiki-20251101-pages-articles.xml.7z",
        "/d/enwiki/20260101/enwiki-20260101-pages-articles.xml.bz2",
        "/d/enwiki/20260101/enwiki-20260101-pages-logging.xml.gz",
        f"{below}/jawiki-2026-02-01-p1p9.xml.bz2",
    ]
    assert describe_others(WIKIPEDIA, "th", paths) == (
        "dates of th that are there: 20251101, 20251201; other languages: en, ja (20260201)"
    )
