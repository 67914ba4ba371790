"""Dumps of the content service, alone and beside the older ones, found without Spark."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossic_etl.config.etl import Wikipedia
from crossic_etl.inputs.dump_names import choose_sql_file, content_folder
from crossic_etl.inputs.dumps import WikiFiles, find_local_wikis
from crossic_etl.inputs.errors import InputError

DATE = "20260101"
BELOW = "other/mediawiki_content_current/thwiki/2026-01-01/xml/bzip2"
CONTENT = [f"{BELOW}/thwiki-2026-01-01-p1p9.xml.bz2", f"{BELOW}/thwiki-2026-01-01-p10p20.xml.bz2"]
OLD = f"thwiki/{DATE}/thwiki-{DATE}-pages-articles.xml.bz2"
OLD_SQL = f"thwiki/{DATE}/thwiki-{DATE}-langlinks.sql.gz"


def find(dumps: Path, *paths: str, service: str = "auto") -> WikiFiles:
    """The files of the Thai wiki where there are these."""
    for path in paths:
        (dumps / path).parent.mkdir(parents=True, exist_ok=True)
        (dumps / path).write_text("x")
    (files,) = find_local_wikis(Wikipedia(str(dumps), DATE, service=service), ["th"])
    return files


def below(dumps: Path, *paths: str | None) -> list[str]:
    return [str(path).removeprefix(f"{dumps}/") for path in paths]


@pytest.mark.parametrize(
    ("there", "service", "expected"),
    [
        (CONTENT, "auto", CONTENT),
        ([*CONTENT, OLD], "auto", [OLD]),
        ([*CONTENT, OLD], "content", CONTENT),
        ([*CONTENT, OLD], "dumps", [OLD]),
        ([*CONTENT, OLD_SQL], "auto", CONTENT),
    ],
)
def test_pages_are_those_of_the_service(
    tmp_path: Path, there: list[str], service: str, expected: list[str]
) -> None:
    files = find(tmp_path, *there, service=service)
    assert sorted(below(tmp_path, *files.pages)) == sorted(expected)
    assert files.is_content == (expected == CONTENT)


@pytest.mark.parametrize(
    ("there", "service", "message"),
    [
        (CONTENT, "dumps", f"no pages-articles dump of th in .*/thwiki/{DATE}, or an empty one"),
        (
            [OLD],
            "content",
            "no pages-articles dump of th in .*/thwiki/2026-01-01/xml/bzip2, or an empty one",
        ),
    ],
)
def test_the_other_service_is_not_read_for_the_one_that_is_wanted(
    tmp_path: Path, there: list[str], service: str, message: str
) -> None:
    with pytest.raises(InputError, match=f"{message}.*dates of th that are there: 20260101;"):
        find(tmp_path, *there, service=service)


def test_other_files_of_the_folder_are_not_read(tmp_path: Path) -> None:
    others = ("SHA256SUMS", "xthwiki-2026-01-01-p1p9.xml.bz2", "thwiki-2026-01-02-p1p9.xml.bz2")
    files = find(tmp_path, *CONTENT, *[f"{BELOW}/{name}" for name in others])
    assert sorted(below(tmp_path, *files.pages)) == sorted(CONTENT)


def test_a_dump_that_lacks_a_part_of_its_list_is_refused(tmp_path: Path) -> None:
    names = [path.rpartition("/")[2] for path in CONTENT]
    folder = tmp_path / BELOW
    folder.mkdir(parents=True)
    (folder / "SHA256SUMS").write_text("".join(f"{'0' * 64}  {name}\n" for name in names))
    message = "xml/bzip2 lacks 1 of the files that its list names, thwiki-2026-01-01-p10p20"
    with pytest.raises(InputError, match=message):
        find(tmp_path, CONTENT[0])
    assert len(find(tmp_path, CONTENT[1]).pages) == 2


def test_sql_is_of_the_same_date_or_else_of_the_nearest(tmp_path: Path) -> None:
    near = "thwiki/20251220/thwiki-20251220-page_props.sql.gz"
    far = ["thwiki/20260201/thwiki-20260201-langlinks.sql.gz", near.replace("20251220", "20251101")]
    files = find(tmp_path, *CONTENT, OLD_SQL, near, *far)
    assert below(tmp_path, files.langlinks, files.page_props) == [OLD_SQL, near]
    assert len(files.stamps) == 4


def test_sql_of_another_date_is_not_read_beside_older_dumps(tmp_path: Path) -> None:
    other = OLD_SQL.replace(f"thwiki-{DATE}", "thwiki-20260201")
    files = find(tmp_path, OLD, other)
    assert (files.langlinks, files.page_props) == (None, None)


def test_dates_of_the_content_service_are_dates_that_are_there(tmp_path: Path) -> None:
    other = [path.replace("2026-01-01", "2026-02-01") for path in CONTENT]
    with pytest.raises(InputError, match="dates of th that are there: 20260201; other languages"):
        find(tmp_path, *other)


def test_of_two_nearest_dates_the_earlier_is_taken() -> None:
    paths = [f"/d/thwiki-{date}-langlinks.sql" for date in ("20260103", "20251231", "20260102")]
    nearest = choose_sql_file("thwiki", "20260101", "langlinks", paths, any_date=True)
    assert nearest == "/d/thwiki-20251231-langlinks.sql"
    assert choose_sql_file("thwiki", "20260101", "langlinks", paths) is None


def test_the_folder_is_the_mirrors() -> None:
    folder = content_folder(Wikipedia("s3a://bucket/dumps/", DATE), "nan")
    below = "other/mediawiki_content_current/zh_min_nanwiki/2026-01-01/xml/bzip2"
    assert folder == f"s3a://bucket/dumps/{below}"
