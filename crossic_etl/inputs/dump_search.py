"""Looks for the dump files of a wiki below the folder of all dumps, of either service."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import SparkSession

from crossic_etl.config.etl import Wikipedia
from crossic_etl.inputs.dump_names import (
    ALL_PAGE_FILES,
    CHECKSUMS,
    SERVICES_IN_ORDER,
    choose_page_files,
    content_file,
    content_folder,
    describe_others,
    dump_folder,
    read_checksums,
)
from crossic_etl.inputs.files import list_files, list_matching, read_bytes
from crossic_etl.kernels.wiki_facts import database_of

Stamps = Mapping[str, str]
"""Sizes and times of files that aren't empty, by path."""


@dataclass(frozen=True)
class DumpListing:
    """Lists the folder of all dumps.

    Attributes:
        folder: the files in one folder, given by its whole path; none if it doesn't exist.
        matching: the files whose paths below the folder of all dumps fit a glob.
        read: the content of a small file, given by its whole path.
    """

    folder: Callable[[str], Stamps]
    matching: Callable[[str], Stamps]
    read: Callable[[str], bytes]

    @classmethod
    def of_spark(cls, spark: SparkSession, dumps: str) -> DumpListing:
        """The listing on any Hadoop file system."""
        return cls(
            lambda folder: list_files(spark, folder),
            lambda pattern: list_matching(spark, dumps, pattern),
            lambda path: b"".join(bytes(row.content) for row in read_bytes(spark, path).collect()),
        )

    @classmethod
    def of_disks(cls, dumps: str) -> DumpListing:
        """The listing on this machine's disks, without Spark."""
        return cls(
            lambda folder: _stamps_below(folder, "*"),
            lambda pattern: _stamps_below(dumps, pattern),
            lambda path: Path(path).read_bytes(),
        )


def _stamps_below(folder: str, pattern: str) -> dict[str, str]:
    stamps = {}
    for path in Path(folder).glob(pattern) if Path(folder).is_dir() else ():
        if path.is_file() and (stat := path.stat()).st_size:
            stamps[str(path)] = f"{stat.st_size} {stat.st_mtime_ns // 10**6}"
    return stamps


def is_elsewhere(dumps: str) -> bool:
    """Whether a folder is a URL, which only Spark lists."""
    # Hadoop's URLs may have one slash: file:/data
    return ":" in dumps.partition("/")[0]


def find_files(wikipedia: Wikipedia, lang: str, listing: DumpListing) -> dict[str, str]:
    """The files to choose a wiki's from: of the older service, and of the other if it is read.

    Where pages come from the content service, SQL dumps of other dates are among the files.
    """
    if not wikipedia.dumps:
        return {}
    files = dict(listing.folder(dump_folder(wikipedia, lang)))
    services = SERVICES_IN_ORDER[wikipedia.service]
    if lang in wikipedia.plain_text or "content" not in services:
        return files
    if "dumps" in services and choose_page_files(wikipedia, lang, files):
        return files
    content, wiki = listing.folder(content_folder(wikipedia, lang)), database_of(lang)
    sql = listing.matching(f"{wiki}/*/{wiki}-*.sql*") if content else {}
    return {**files, **sql, **content}


def missing_parts(
    wikipedia: Wikipedia, lang: str, files: Iterable[str], listing: DumpListing
) -> list[str]:
    """The parts of a content dump that its list of checksums names and that aren't there.

    None where the list isn't there: `find_latest` doesn't take such a dump.
    """
    form = content_file(database_of(lang), wikipedia.date_of(lang))
    named, wanted = set(), set()
    for path in files:
        name = path.rpartition("/")[2]
        if name == CHECKSUMS:
            wanted |= {one for one in read_checksums(listing.read(path)) if form.fullmatch(one)}
        named.add(name)
    return sorted(wanted - named)


def describe_missing(wikipedia: Wikipedia, lang: str, listing: DumpListing) -> str:
    """What there is where a wiki's dump was not found."""
    paths = [path for pattern in ALL_PAGE_FILES for path in listing.matching(pattern)]
    return describe_others(wikipedia, lang, paths)
