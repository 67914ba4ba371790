"""Dumps of a mirror: its dates, and the files that ``dumpstatus.json`` says are done."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from crossic_etl.config import ConfigError
from crossic_etl.config.etl import Wikipedia
from crossic_etl.download.http import Client
from crossic_etl.download.transfer import RemoteFile
from crossic_etl.inputs.dump_names import PAGE_FILES, dump_folder
from crossic_etl.inputs.errors import InputError
from crossic_etl.kernels.wiki_facts import database_of

# A large wiki is dumped in parts, which a later job of the mirror joins into one file.
PAGE_JOBS = ("articlesmultistreamdumprecombine", "articlesmultistreamdump")
SQL_JOBS = {"langlinkstable": r"langlinks\.sql\.gz", "pagepropstable": r"page_props\.sql\.gz"}
MULTISTREAM = PAGE_FILES[:2]


class IncompleteError(InputError):
    """A dump is missing or not complete yet."""


@dataclass(frozen=True)
class Mirror:
    """A mirror of Wikimedia's dumps, and the dumps that are wanted.

    Attributes:
        client: its settings name the mirror.
        wikipedia: folder and dates of the dumps.
        languages: of the wikis.
    """

    client: Client
    wikipedia: Wikipedia
    languages: Sequence[str]

    @property
    def base(self) -> str:
        """The mirror's URL, without a slash at its end."""
        return self.client.settings.mirror.rstrip("/")

    def choose(self) -> tuple[str, list[RemoteFile]]:
        """The date to configure, as YAML, and the files of all wikis at that date.

        Without ``wikipedia.date`` it is the newest date at which every wiki is complete.

        Raises:
            ConfigError: ``wikipedia.dumps``, the folder of the dumps, isn't set.
            InputError: no date is complete, or the configured one isn't.
        """
        if not self.wikipedia.dumps:
            expected = "a folder or fsspec URL where the dumps go"
            raise ConfigError("wikipedia.dumps", self.wikipedia.dumps, expected)
        if given := self.wikipedia.date:
            return json.dumps(given), self.files(self.wikipedia)
        wikis = [database_of(lang) for lang in self.languages]
        common = set.intersection(*[self.dates(wiki) for wiki in wikis])
        for date in sorted(common, reverse=True):
            try:
                return json.dumps(date), self.files(replace(self.wikipedia, date=date))
            except IncompleteError as error:
                self.client.say(f"not {date}: {error}")
        raise InputError(
            f"{self.base} has no date at which {', '.join(wikis)} are complete; of those that all "
            f"have: {', '.join(sorted(common)) or 'none'}. Give wikipedia.date for each language"
        )

    def dates(self, wiki: str) -> set[str]:
        """The dates of a wiki's dumps, complete or not, from the mirror's index page."""
        page, _ = self.client.read(f"{self.base}/{wiki}/")
        links = re.findall(r"href\s*=\s*[\"']?([^\"'\s>]+)", page.decode(errors="replace"), re.I)
        return {link.rstrip("/")[-8:] for link in links if re.search(r"(^|/)\d{8}/?$", link)}

    def files(self, wikipedia: Wikipedia) -> list[RemoteFile]:
        """The files of all wikis at their dates.

        Raises:
            IncompleteError: one of them is missing or not done yet.
        """
        return [file for lang in self.languages for file in self._files_of(wikipedia, lang)]

    def _files_of(self, wikipedia: Wikipedia, lang: str) -> list[RemoteFile]:
        wiki, date = database_of(lang), wikipedia.date_of(lang)
        url = f"{self.base}/{wiki}/{date}"
        try:
            status = json.loads(self.client.read(f"{url}/dumpstatus.json")[0])
            jobs = dict(status["jobs"])
        except (ValueError, KeyError, TypeError):
            raise IncompleteError(f"{url}/dumpstatus.json isn't a list of jobs") from None
        except InputError as error:
            raise IncompleteError(str(error)) from None
        prefix, folder = f"{wiki}-{date}-", dump_folder(wikipedia, lang)
        found = [_find(jobs, [job], [prefix + name]) for job, name in SQL_JOBS.items()]
        if lang not in wikipedia.plain_text:
            found.append(_find(jobs, PAGE_JOBS, [re.escape(prefix) + name for name in MULTISTREAM]))
        return [
            _remote_file(f"{url}/{name}", f"{folder}/{name}", entry, f"{wiki} {date}")
            for files in found
            for name, entry in sorted(files.items())
        ]


def _find(
    jobs: Mapping[str, Any], names: tuple[str, ...] | list[str], patterns: list[str]
) -> dict[str, Any]:
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
