"""Which addresses are not wanted: lists of domains and of parts of sites.

No list comes with the project; the files ``domains`` and ``urls`` of UT1, which FineWeb and
RefinedWeb take, are read as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

BLOCKED_DOMAIN = "blocked_domain"
BLOCKED_URL = "blocked_url"

_URL = re.compile(
    r"(?:[a-z][a-z0-9+.-]*:)?(?://)?(?:[^/?#@]*@)?([^/?#:]*)(?::\d*)?(/[^?#]*)?", re.I
)
_URL_CHARACTERS = 2048


@dataclass(frozen=True)
class UrlBlockList:
    """Blocked domains and paths (``host/path``), each with all that is below it."""

    domains: frozenset[str] = frozenset()
    paths: frozenset[str] = frozenset()

    @classmethod
    def of(cls, lines: Iterable[str]) -> UrlBlockList:
        """Reads a domain or a URL from each line; skips empty lines and ``#`` comments."""
        domains, paths = set(), set()
        for line in lines:
            entry = line.partition("#")[0].strip()
            host, path = _split(entry) if entry else ("", "")
            if host and path:
                paths.add(host + path)
            elif host:
                domains.add(host)
        return cls(frozenset(domains), frozenset(paths))

    def reason(self, url: str | None) -> str | None:
        """Why a URL is blocked; None for one that isn't, and for what is no URL."""
        host, path = _split(url or "")
        labels = host.split(".")
        if any(".".join(labels[i:]) in self.domains for i in range(len(labels))):
            return BLOCKED_DOMAIN
        ends = [*[match.start() for match in re.finditer("/", path)][1:], len(path)]
        if self.paths and any(host + path[:end] in self.paths for end in ends):
            return BLOCKED_URL
        return None


def _split(url: str) -> tuple[str, str]:
    """Host and path as they are compared: without ``www.`` and without ``/`` at the end."""
    found = _URL.match(url.strip()[:_URL_CHARACTERS])
    if found is None:
        return "", ""
    host = found[1].casefold().strip(".").removeprefix("www.")
    if not host.isascii():
        with suppress(UnicodeError):  # no host that could be looked up is compared as it is
            host = host.encode("idna").decode()
    return host, (found[2] or "").rstrip("/")
