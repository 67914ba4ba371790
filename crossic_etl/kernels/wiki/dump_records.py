"""The results of reading a record of a dump: a page, a redirect, or the reason for neither."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Page:
    """The current revision of an article; ``timestamp`` is in UTC, the title canonical."""

    page_id: int
    ns: int
    title: str
    revision_id: int | None
    timestamp: datetime | None
    wikitext: str


@dataclass(frozen=True)
class Redirect:
    """A redirect of namespace 0; both titles are canonical, the target's without its prefix.

    ``target_interwiki`` is the prefix of another wiki, or empty.
    """

    page_id: int
    title: str
    target: str
    target_ns: int
    target_interwiki: str
    revision_id: int | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Dropped:
    """A page that is read but not wanted: ``namespace``, ``content_model`` or ``text_deleted``."""

    reason: str
    page_id: int
    title: str


@dataclass(frozen=True)
class Reject:
    """A record that could not be used.

    ``reason`` is one of ``too_large``, ``utf8``, ``cut`` (the record ends inside a page, or begins
    inside one), ``between_pages`` (something beside one page), ``xml``, ``repeated`` (two
    different titles, ids or namespaces), ``title``, ``id``, ``ns`` or ``text`` (missing, or not
    what it should be).
    ``key`` is the page id or title as far as known, ``detail`` the record's first 500 bytes.
    """

    reason: str
    key: str
    detail: str
