"""Dumps of the older service: the files that ``dumpstatus.json`` says are done."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crossic_etl.download.http import Client, StatusError
from crossic_etl.download.indexes import IncompleteError, read_dates
from crossic_etl.download.transfer import RemoteFile
from crossic_etl.inputs.dump_names import PAGE_FILES, dump_path

# A large wiki is dumped in parts, which a later job of the mirror joins into one file.
PAGE_JOBS = ("articlesmultistreamdumprecombine", "articlesmultistreamdump")
# The same pages in one bzip2 stream, for dumps without multistream.
PLAIN_JOBS = ("articlesdumprecombine", "articlesdump")
SQL_JOBS = {"langlinkstable": r"langlinks\.sql\.gz", "pagepropstable": r"page_props\.sql\.gz"}
MULTISTREAM, PLAIN = PAGE_FILES[:2], PAGE_FILES[2:4]
# States of a job whose files are still to come.
COMING = ("waiting", "in-progress")


@dataclass(frozen=True)
class DumpsService:
    """The older service of a mirror.

    Attributes:
        client: sends the requests.
        base: the mirror's URL, without a slash at its end.
    """

    client: Client
    base: str
    _statuses: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)

    def dates(self, wiki: str) -> set[str]:
        """The dates of a wiki's dumps, complete or not.

        Raises:
            IncompleteError: the service doesn't have the wiki.
        """
        return read_dates(self.client, f"{self.base}/{wiki}/")

    def pages(self, wiki: str, date: str, dumps: str) -> list[RemoteFile]:
        """The files of pages of one dump, for the folder of all ``dumps``.

        Raises:
            IncompleteError: they are missing or not done yet.
        """
        jobs = self._jobs(wiki, date)
        found = _find_pages(jobs, _name(wiki, date))
        return self._remote_files(wiki, date, dumps, [found])

    def sql(self, wiki: str, date: str, dumps: str) -> list[RemoteFile]:
        """The SQL dumps of one wiki, of its links and of its pages' properties.

        Raises:
            IncompleteError: one is missing or not done yet.
        """
        jobs = self._jobs(wiki, date)
        found = [_find(jobs, [job], [_name(wiki, date) + name]) for job, name in SQL_JOBS.items()]
        return self._remote_files(wiki, date, dumps, found)

    def _jobs(self, wiki: str, date: str) -> dict[str, Any]:
        url = f"{self.base}/{dump_path(wiki, date)}/dumpstatus.json"
        if url not in self._statuses:
            self._statuses[url] = self._read_jobs(url)
        return self._statuses[url]

    def _read_jobs(self, url: str) -> dict[str, Any]:
        try:
            return dict(json.loads(self.client.read(url)[0])["jobs"])
        except (ValueError, KeyError, TypeError):
            raise IncompleteError(f"{url} isn't a list of jobs") from None
        except StatusError as error:
            raise IncompleteError(str(error)) from None

    def _remote_files(
        self, wiki: str, date: str, dumps: str, found: Iterable[Mapping[str, Any]]
    ) -> list[RemoteFile]:
        below = dump_path(wiki, date)
        url, path = f"{self.base}/{below}", f"{dumps.rstrip('/')}/{below}"
        return [
            _remote_file(f"{url}/{name}", f"{path}/{name}", entry, f"{wiki} {date}")
            for files in found
            for name, entry in sorted(files.items())
        ]


def _name(wiki: str, date: str) -> str:
    return re.escape(f"{wiki}-{date}-")


def _find_pages(jobs: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Name to entry of the files of pages, in one stream only where no multistream will come."""
    try:
        return _find(jobs, PAGE_JOBS, [prefix + name for name in MULTISTREAM])
    except IncompleteError as error:
        if any((jobs.get(job) or {}).get("status") in COMING for job in PAGE_JOBS):
            raise
        reason = error
    try:
        return _find(jobs, PLAIN_JOBS, [prefix + name for name in PLAIN])
    except IncompleteError as error:
        raise IncompleteError(f"{reason}, {error}") from None


def _find(jobs: Mapping[str, Any], names: Sequence[str], patterns: list[str]) -> dict[str, Any]:
    """Name to entry of the files of the first of these jobs that is done and has any."""
    states = []
    for job in names:
        told = jobs.get(job) or {}
        files = told.get("files") or {}
        chosen = {
            name: entry
            for name, entry in files.items()
            if any(re.fullmatch(pattern, name) for pattern in patterns)
        }
        if told.get("status") == "done" and chosen:
            return chosen
        states.append(f"{job} is {told.get('status', 'missing')}")
    raise IncompleteError(", ".join(states))


def _remote_file(url: str, path: str, entry: Mapping[str, Any], group: str) -> RemoteFile:
    checksums = {name: str(entry[name]) for name in ("sha1", "md5") if entry.get(name)}
    size = entry.get("size")
    first = dict(list(checksums.items())[:1])
    return RemoteFile(url, path, size if isinstance(size, int) else None, first, group)
