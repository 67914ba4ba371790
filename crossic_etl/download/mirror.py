"""The dumps to fetch from a mirror: the date, and for each wiki the service and its files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from crossic_etl.config import ConfigError
from crossic_etl.config.etl import LATEST, Wikipedia
from crossic_etl.download.content import ContentService
from crossic_etl.download.http import Client
from crossic_etl.download.indexes import IncompleteError
from crossic_etl.download.statuses import DumpsService
from crossic_etl.download.transfer import RemoteFile
from crossic_etl.inputs.dump_names import SERVICES_IN_ORDER, days_between, dump_path
from crossic_etl.inputs.errors import InputError
from crossic_etl.kernels.wiki_facts import database_of


@dataclass(frozen=True)
class WikiDump:
    """The files of one wiki's dump.

    Attributes:
        lang: of the wiki.
        service: ``dumps`` or ``content``, which has the pages.
        files: all that is to be fetched.
        note: what is to be said about its SQL dumps; empty where they are of the same date.
    """

    lang: str
    service: str
    files: list[RemoteFile] = field(default_factory=list)
    note: str = ""


@dataclass(frozen=True)
class Mirror:
    """A mirror of Wikimedia's dumps, and the dumps that are wanted.

    Attributes:
        client: its settings name the mirror.
        wikipedia: folder, service and dates of the dumps.
        languages: of the wikis.
    """

    client: Client
    wikipedia: Wikipedia
    languages: Sequence[str]

    @property
    def base(self) -> str:
        """The mirror's URL, without a slash at its end."""
        return self.client.settings.mirror.rstrip("/")

    @cached_property
    def _dumps(self) -> DumpsService:
        return DumpsService(self.client, self.base)

    @cached_property
    def _content(self) -> ContentService:
        return ContentService(self.client, self.base)

    def choose(self) -> tuple[str, list[RemoteFile]]:
        """The date to configure, as YAML, and the files of all wikis at that date.

        Without ``wikipedia.date``, or if it is ``latest``, it is the newest date at which every
        wiki is complete. Says for each wiki which service has it.

        Raises:
            ConfigError: ``wikipedia.dumps``, the folder of the dumps, isn't set.
            InputError: no date is complete, or the configured one isn't.
        """
        if not self.wikipedia.dumps:
            expected = "a folder or fsspec URL where the dumps go"
            raise ConfigError("wikipedia.dumps", self.wikipedia.dumps, expected)
        date = self.wikipedia.date
        if date in ("", LATEST):
            date, found = self._choose_newest()
        else:
            found = self.dumps_of(self.wikipedia)
        self.client.say(describe(found))
        for dump in found:
            if dump.note:
                self.client.say(dump.note)
        return json.dumps(date), [file for dump in found for file in dump.files]

    def _choose_newest(self) -> tuple[str, list[WikiDump]]:
        common = set.intersection(*[self.dates(database_of(lang)) for lang in self.languages])
        for date in sorted(common, reverse=True):
            try:
                return date, self.dumps_of(replace(self.wikipedia, date=date))
            except IncompleteError as error:
                self.client.say(f"not {date}: {error}")
        wikis = ", ".join(map(database_of, self.languages))
        raise InputError(
            f"{self.base} has no date at which {wikis} are complete; of those that all "
            f"have: {', '.join(sorted(common)) or 'none'}. Give wikipedia.date for each language"
        )

    def dates(self, wiki: str) -> set[str]:
        """The dates of a wiki's dumps, complete or not, of the services that may be used.

        Raises:
            InputError: the mirror has none of the wiki.
        """
        services = {"dumps": self._dumps.dates, "content": self._content.dates}
        found, reasons = set[str](), []
        for service in SERVICES_IN_ORDER[self.wikipedia.service]:
            try:
                found |= services[service](wiki)
            except IncompleteError as error:
                reasons.append(str(error))
        if not found:
            listed = "; ".join(reasons) or "its index has no date"
            raise InputError(f"{self.base} has no dump of {wiki}: {listed}")
        return found

    def dumps_of(self, wikipedia: Wikipedia) -> list[WikiDump]:
        """The dumps of all wikis at their dates.

        Raises:
            IncompleteError: a file is missing or not done yet.
        """
        return [self._dump_of(wikipedia, lang) for lang in self.languages]

    def _dump_of(self, wikipedia: Wikipedia, lang: str) -> WikiDump:
        wiki, date = database_of(lang), wikipedia.date_of(lang)
        if lang in wikipedia.plain_text:
            return WikiDump(lang, "dumps", self._dumps.sql(wiki, date, wikipedia.dumps))
        reasons = []
        for service in SERVICES_IN_ORDER[wikipedia.service]:
            try:
                if service == "content":
                    return self._of_content(lang, date, wikipedia.dumps)
                sql = self._dumps.sql(wiki, date, wikipedia.dumps)
                pages = self._dumps.pages(wiki, date, wikipedia.dumps)
                return WikiDump(lang, service, [*sql, *pages])
            except IncompleteError as error:
                reasons.append(str(error))
        raise IncompleteError("; ".join(reasons))

    def _of_content(self, lang: str, date: str, dumps: str) -> WikiDump:
        """Pages of the content service, which has no SQL, with the other's of the nearest date."""
        wiki = database_of(lang)
        pages = self._content.files(wiki, date, dumps)
        reason = ""
        for near in self._dates_near(wiki, date):
            try:
                sql = self._dumps.sql(wiki, near, dumps)
            except IncompleteError as error:
                reason = reason or str(error)
                continue
            note = "" if near == date else f"langlinks and page_props of {lang} are of {near}"
            return WikiDump(lang, "content", [*sql, *pages], note)
        note = (
            f"error: no langlinks and page_props of {lang} at any date ({reason}): only links of "
            f"other wikis pair its pages; put both files into {dumps.rstrip('/')}/"
            f"{dump_path(wiki, date)}"
        )
        return WikiDump(lang, "content", pages, note)

    def _dates_near(self, wiki: str, date: str) -> list[str]:
        """A date, and then the others that the older service has of a wiki, the nearest first."""
        try:
            others = self._dumps.dates(wiki) - {date}
        except IncompleteError:
            others = set()
        return [date, *sorted(others, key=lambda other: (days_between(date, other), other))]


def describe(dumps: Sequence[WikiDump]) -> str:
    """Which service has which wikis, in a line."""
    langs: dict[str, list[str]] = {}
    for dump in dumps:
        langs.setdefault(dump.service, []).append(dump.lang)
    return "wikipedia.service: " + "; ".join(
        f"{service} for {', '.join(of_service)}" for service, of_service in langs.items()
    )
