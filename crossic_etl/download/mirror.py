"""Which dumps a mirror has: its dates, and the files that its ``dumpstatus.json`` calls done."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from crossic_etl.config import Config, ConfigError
from crossic_etl.download.http import Client
from crossic_etl.download.transfer import Wanted
from crossic_etl.inputs.dump_names import PAGE_FILES, dump_folder
from crossic_etl.inputs.errors import InputError

# Large wikis are dumped in parts, which a later job joins; the others in one file from the start.
PAGE_JOBS = ("articlesmultistreamdumprecombine", "articlesmultistreamdump")
SQL_JOBS = {"langlinkstable": r"langlinks\.sql\.gz", "pagepropstable": r"page_props\.sql\.gz"}
MULTISTREAM = PAGE_FILES[:2]


class IncompleteError(InputError):
    """A dump that isn't complete, or not there."""


@dataclass(frozen=True)
class Mirror:
    """A mirror of Wikimedia's dumps, and the configuration whose dumps it has."""

    client: Client
    config: Config

    @property
    def base(self) -> str:
        """Its URL, without a slash at its end."""
        return self.config.download.mirror.rstrip("/")

    def choose(self) -> tuple[str, list[Wanted]]:
        """The date to configure, in YAML, and the files of all wikis at it.

        Without ``wikipedia.date`` it is the newest at which each wiki has all of its files.

        Raises:
            ConfigError: nothing says where the dumps go.
            InputError: no date has all files, or not the one that is asked for.
        """
        if not self.config.wikipedia.dumps:
            expected = "a folder or fsspec URL where the dumps go"
            raise ConfigError("wikipedia.dumps", self.config.wikipedia.dumps, expected)
        if given := self.config.wikipedia.date:
            return json.dumps(given), self.files(self.config)
        wikis = [database(lang) for lang in self.config.wikis]
        common = set.intersection(*[self.dates(wiki) for wiki in wikis])
        for date in sorted(common, reverse=True):
            at_date = replace(self.config, wikipedia=replace(self.config.wikipedia, date=date))
            try:
                return json.dumps(date), self.files(at_date)
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

    def files(self, config: Config) -> list[Wanted]:
        """The files of all wikis at the configuration's date.

        Raises:
            IncompleteError: one of them isn't there, or not done yet.
        """
        return [file for lang in config.wikis for file in self._files_of(config, lang)]

    def _files_of(self, config: Config, lang: str) -> list[Wanted]:
        wiki, date = database(lang), config.wikipedia.date_of(lang)
        url = f"{self.base}/{wiki}/{date}"
        try:
            status = json.loads(self.client.read(f"{url}/dumpstatus.json")[0])
            jobs = dict(status["jobs"])
        except (ValueError, KeyError, TypeError):
            raise IncompleteError(f"{url}/dumpstatus.json isn't a list of jobs") from None
        except InputError as error:
            raise IncompleteError(str(error)) from None
        prefix, folder = f"{wiki}-{date}-", dump_folder(config.wikipedia, lang)
        found = [_find(jobs, [job], [prefix + name]) for job, name in SQL_JOBS.items()]
        if lang not in config.wikipedia.plain_text:
            found.append(_find(jobs, PAGE_JOBS, [re.escape(prefix) + name for name in MULTISTREAM]))
        return [
            _wanted(f"{url}/{name}", f"{folder}/{name}", entry, f"{wiki} {date}")
            for files in found
            for name, entry in sorted(files.items())
        ]


def database(lang: str) -> str:
    """The name by which a language's dumps go: ``zh_yuewiki``."""
    return lang.replace("-", "_") + "wiki"


def _find(
    jobs: Mapping[str, Any], names: tuple[str, ...] | list[str], patterns: list[str]
) -> dict[str, Any]:
    """The files of the first job that is done and has some, by name."""
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


def _wanted(url: str, path: str, entry: Mapping[str, Any], group: str) -> Wanted:
    checksums = {name: str(entry[name]) for name in ("sha1", "md5") if entry.get(name)}
    size = entry.get("size")
    first = dict(list(checksums.items())[:1])
    return Wanted(url, path, size if isinstance(size, int) else None, first, group)
