"""``wikipedia.date: latest``: the newest date at which all wanted dumps are there."""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from pyspark.sql import SparkSession

from crossic_etl.config import Config
from crossic_etl.config.etl import LATEST, Wikipedia
from crossic_etl.inputs.dump_names import (
    CHECKSUMS,
    CONTENT,
    SERVICES_IN_ORDER,
    choose_page_files,
    choose_sql_file,
)
from crossic_etl.inputs.dump_search import DumpListing, is_elsewhere, missing_parts
from crossic_etl.inputs.errors import InputError
from crossic_etl.kernels.wiki_facts import database_of

log = logging.getLogger(__name__)

TABLES = ("langlinks", "page_props")
_FOLDER = re.compile(r"/([0-9]{8})/[^/]+$|/([0-9]{4}-[0-9]{2}-[0-9]{2})/xml/bzip2/[^/]+$")


@dataclass(frozen=True)
class WikiDates:
    """What there is of one wiki at each date: paths by date ``YYYYMMDD``, of both services."""

    lang: str
    paths: dict[str, list[str]] = field(default_factory=dict)

    @classmethod
    def of(cls, lang: str, paths: Iterable[str]) -> WikiDates:
        """The paths by the dates of their folders."""
        by_date: dict[str, list[str]] = defaultdict(list)
        for path in paths:
            if found := _FOLDER.search(path):
                by_date[(found[1] or found[2]).replace("-", "")].append(path)
        return cls(lang, dict(by_date))

    def lacks(self, wikipedia: Wikipedia, date: str, listing: DumpListing) -> list[str]:
        """What a date lacks to be read: pages, or a table that some date of the wiki has."""
        if self.lang not in wikipedia.plain_text:
            service = self._service(wikipedia, date, listing)
            if service is None:
                return ["pages"]
            if service == "content":  # its tables may be of any date
                return []
        return [
            table
            for table in TABLES
            if not self._has(table, date) and any(self._has(table, other) for other in self.paths)
        ]

    def _has(self, table: str, date: str) -> bool:
        paths = self.paths.get(date, [])
        return choose_sql_file(database_of(self.lang), date, table, paths) is not None

    def _service(self, wikipedia: Wikipedia, date: str, listing: DumpListing) -> str | None:
        """The service that has its pages, whole as far as one can see; None if neither has."""
        paths = self.paths.get(date, [])
        is_listed = any(path.endswith(f"/{CHECKSUMS}") for path in paths)
        for service in SERVICES_IN_ORDER[wikipedia.service]:
            alone = replace(wikipedia, date=date, service=service)
            if not choose_page_files(alone, self.lang, paths):
                continue
            if service == "dumps":
                return service
            if is_listed and not missing_parts(alone, self.lang, paths, listing):
                return service
        return None


def find_latest(wikipedia: Wikipedia, langs: Sequence[str], listing: DumpListing) -> str:
    """The newest date at which every wiki is there, with each kind of file that it has at any date.

    Logs the date, and what newer ones lack.

    Raises:
        InputError: there is no such date.
    """
    wikis, skipped = list[WikiDates](), list[str]()
    for lang in langs:
        wiki = database_of(lang)
        patterns = (f"{wiki}/*/{wiki}-*", f"{CONTENT}/{wiki}/*/xml/bzip2/*")
        paths = [path for pattern in patterns for path in listing.matching(pattern)]
        wikis.append(WikiDates.of(lang, paths))
    for date in sorted({date for wiki in wikis for date in wiki.paths}, reverse=True):
        lacks = [
            f"{wiki.lang} {name}" for wiki in wikis for name in wiki.lacks(wikipedia, date, listing)
        ]
        if not lacks:
            log.info("wikipedia.date: latest is %s", "; ".join([date, *skipped]))
            return date
        skipped.append(f"{date} lacks {', '.join(lacks)}")
    raise InputError(
        f"{wikipedia.dumps} has no date at which all of {', '.join(langs)} is there: "
        f"{'; '.join(skipped) or 'it has no dump of them'}. Run download, or set wikipedia.date"
    )


def with_latest(spark: SparkSession, config: Config) -> Config:
    """The configuration with the date that ``latest`` means now, which is resolved once a run.

    Raises:
        InputError: no date has everything.
    """
    return _with_latest(config, DumpListing.of_spark(spark, config.wikipedia.dumps))


def with_local_latest(config: Config) -> Config:
    """Like `with_latest` on this machine's disks, without Spark; dumps elsewhere stay as given."""
    if is_elsewhere(config.wikipedia.dumps):
        return config
    return _with_latest(config, DumpListing.of_disks(config.wikipedia.dumps))


def _with_latest(config: Config, listing: DumpListing) -> Config:
    wikipedia = config.wikipedia
    if wikipedia.date != LATEST or not wikipedia.dumps:
        return config
    date = find_latest(wikipedia, config.wikis, listing)
    return replace(config, wikipedia=replace(wikipedia, date=date))
