"""Parses one record of a dump, the bytes up to a ``</page>``, to one of `dump_records`."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from functools import lru_cache
from html import unescape
from typing import NoReturn
from urllib.parse import unquote
from xml.etree import ElementTree
from xml.parsers import expat

from crossic_etl.kernels.wiki.dump_records import Dropped, Page, Redirect, Reject
from crossic_etl.kernels.wiki.titles import canonical_title, split_interwiki, split_namespace
from crossic_etl.kernels.wikis import Wiki

DEFAULT_LIMIT = 8 * 2**20

_BOM = b"\xef\xbb\xbf"
_PAGE_START = re.compile(rb"<page[\s>/]")
_HEAD = re.compile(rb"\s*(?:<\?xml[^>]*>\s*)?<mediawiki[\s>]")
_TAIL = b"</mediawiki>"
_SITEINFO = re.compile(r"<siteinfo[\s>].*?</siteinfo\s*>", re.S)
_TIMESTAMP = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)Z", re.ASCII)
_ID = re.compile(r"[1-9]\d{0,17}", re.ASCII)
_NAMESPACE = re.compile(r"-?\d{1,9}", re.ASCII)
_DETAIL_BYTES = 500
_DEPTH_LIMIT = 16
_PAGE_FIELDS = frozenset({"title", "ns", "id"})
_REVISION_FIELDS = frozenset({"id", "timestamp", "model", "text"})


class _BrokenPage(Exception):
    """Carries the reason out of the parser's handlers."""


@dataclass
class _Revision:
    revision_id: str = ""
    timestamp: str = ""
    model: str = "wikitext"
    text: str | None = None
    stub: bool = False
    deleted: bool = False


def parse_siteinfo(head: bytes | str, lang: str) -> Wiki | None:
    """The wiki of a dump's ``<siteinfo>``, completed by ``Wiki.of(lang)``; None without it."""
    text = head.decode("utf-8", "replace") if isinstance(head, bytes) else head
    found = _SITEINFO.search(text)
    if found is None or "<!" in text[: found.end()]:
        return None
    try:
        siteinfo = ElementTree.fromstring(found[0])
    except ElementTree.ParseError:
        return None
    wiki = Wiki.of(lang)
    namespaces = dict(wiki.namespaces)
    for element in siteinfo.iter():
        number = element.get("key", "")
        name = (element.text or "").replace("_", " ").strip().casefold()
        if name and _NAMESPACE.fullmatch(number) and int(number) != 0:
            namespaces[name] = int(number)
    case = (siteinfo.findtext("case") or "first-letter").strip()
    return replace(wiki, namespaces=namespaces, first_letter=case == "first-letter")


def parse_record(
    record: bytes, wiki: Wiki, limit: int = DEFAULT_LIMIT
) -> Page | Redirect | Dropped | Reject | None:
    """The result of one record of ``lineSep="</page>"``; None for the dump's end and white space.

    The dump's head may stand before its first page. Reads export schemas 0.3 to 0.11; of several
    revisions the last by (timestamp, id) counts. Never raises, whatever the bytes.
    """
    stripped = record.removeprefix(_BOM).strip()
    if not stripped or stripped == _TAIL:
        return None
    if len(record) > limit:
        return _reject("too_large", "", record)
    found = _PAGE_START.search(record)
    before = (record if found is None else record[: found.start()]).removeprefix(_BOM)
    if before.strip():
        if not _HEAD.match(before) or b"<!" in before:
            begun = found is None and not before.lstrip().startswith(b"<!")
            return _reject("cut" if begun else "between_pages", "", record)
        if found is None:
            return None if stripped.endswith(_TAIL) else _reject("cut", "", record)
    if found is None:
        return None
    return _parse_page(record[found.start() :], wiki)


def _parse_page(page: bytes, wiki: Wiki) -> Page | Redirect | Dropped | Reject:
    reader = _PageReader(len(page))
    try:
        reader.read(page)
        return _outcome(reader, wiki)
    except _BrokenPage as broken:
        reason = str(broken)
    except expat.ExpatError:
        # the closing tag is ours: whatever fails there has lost its own end
        reason = "cut" if reader.position() >= len(page) else _text_error(page)
    return _reject(reason, reader.fields.get("id") or reader.fields.get("title", ""), page)


def _text_error(page: bytes) -> str:
    try:
        page.decode("utf-8")
    except UnicodeDecodeError as error:
        return "cut" if error.reason == "unexpected end of data" else "utf8"
    # cut inside a tag or an entity: our closing tag then makes nonsense of it
    last = max(page.rfind(b"<"), page.rfind(b"&"))
    is_open = last >= 0 and not re.search(rb"[>;]", page[last:]) and len(page) - last < 2**16
    return "cut" if is_open else "xml"


class _PageReader:
    """Collects the ``fields``, ``redirect`` and ``revision`` of one ``<page>`` element."""

    def __init__(self, size: int) -> None:
        self.fields: dict[str, str] = {}
        self.redirect: str | None = None
        self.revision: _Revision | None = None
        self._current = _Revision()
        self._path: list[str] = []
        self._chunks: list[str] | None = None
        self._parser = parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.buffer_size = max(size, 1024)
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters

    def read(self, page: bytes) -> None:
        """Parse; raises ``ExpatError`` or ``_BrokenPage``."""
        self._parser.Parse(page + b"</page>", True)

    def position(self) -> int:
        """The byte at which the parser stopped."""
        return self._parser.ErrorByteIndex

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        path = self._path
        path.append(name)
        depth = len(path)
        if depth > _DEPTH_LIMIT:
            raise _BrokenPage("xml")
        if depth == 2:
            if name == "page":
                raise _BrokenPage("between_pages")
            if name == "redirect":
                self.redirect = attributes.get("title", "")
            elif name == "revision":
                self._current = _Revision()
            elif name in _PAGE_FIELDS:
                self._chunks = []
        elif depth == 3 and path[1] == "revision" and name in _REVISION_FIELDS:
            self._chunks = []
            if name == "text":
                self._current.deleted = "deleted" in attributes
                self._current.stub = attributes.get("bytes", "0").strip("0") != ""

    def _characters(self, text: str) -> None:
        if self._chunks is not None:
            self._chunks.append(text)

    def _end(self, name: str) -> None:
        path, chunks = self._path, self._chunks
        depth = len(path)
        path.pop()
        if depth == 2 and name == "revision":
            self._take_revision()
        elif chunks is not None and depth == 2:
            value = "".join(chunks)
            if self.fields.setdefault(name, value) != value:
                raise _BrokenPage("repeated")
            self._chunks = None
        elif chunks is not None and depth == 3:
            field = {"id": "revision_id"}.get(name, name)
            setattr(self._current, field, "".join(chunks))
            self._chunks = None

    def _take_revision(self) -> None:
        best, new = self.revision, self._current
        if best is None or _order(new) >= _order(best):
            self.revision = new


def _order(revision: _Revision) -> tuple[str, int]:
    return revision.timestamp.strip(), int(_checked(_ID, revision.revision_id, "0"))


def _outcome(reader: _PageReader, wiki: Wiki) -> Page | Redirect | Dropped:
    fields, revision = reader.fields, reader.revision
    raw_title = fields.get("title", "")
    title = canonical_title(raw_title, wiki)
    page_id = int(_checked(_ID, fields.get("id", "")) or _broken("id"))
    if not title:
        _broken("title")
    if "ns" in fields:
        ns = int(_checked(_NAMESPACE, fields["ns"]) or _broken("ns"))
    else:
        ns = split_namespace(raw_title, wiki)[0]
    if ns != 0:
        return Dropped("namespace", page_id, title)
    if revision is None:
        _broken("text")
    if revision.model.strip() not in ("", "wikitext"):
        return Dropped("content_model", page_id, title)
    if revision.deleted:
        return Dropped("text_deleted", page_id, title)
    if revision.text is None or (revision.stub and not revision.text):
        _broken("text")
    revision_id = int(_checked(_ID, revision.revision_id, "0")) or None
    link = redirect_link(revision.text, wiki)
    if reader.redirect or link:
        redirect = _redirect(page_id, title, reader.redirect or "", link, wiki)
        return replace(redirect, revision_id=revision_id)
    return Page(page_id, ns, title, revision_id, _utc(revision.timestamp), revision.text)


def redirect_link(wikitext: str, wiki: Wiki) -> str:
    """The target, as written, of a text that is a redirect by the wiki's own words; else empty."""
    found = _redirect_pattern(wiki.redirect_words).match(wikitext)
    if found is None:
        return ""
    link: str = found[1]
    return unescape(unquote(link) if "%" in link else link)


@lru_cache(maxsize=64)
def _redirect_pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    """MediaWiki's own rule: a redirect word, perhaps a colon, and a link on the same line."""
    longest_first = sorted({*words, "#redirect"}, key=len, reverse=True)
    either = "|".join(re.escape(word) for word in longest_first)
    return re.compile(rf"\s*(?:{either})\s*:?\s*\[\[([^\n\[\]|]+)(?:\|[^\n\]]*)?\]\]", re.I)


def _redirect(page_id: int, title: str, marked: str, link: str, wiki: Wiki) -> Redirect:
    """``marked`` is the ``<redirect>`` element's title: it counts before the link."""
    interwiki, rest = split_interwiki(marked or link, wiki)
    if interwiki:
        return Redirect(page_id, title, rest, 0, interwiki)
    ns, target = split_namespace(marked or link, wiki)
    return Redirect(page_id, title, target, ns, "")


def _utc(timestamp: str) -> datetime | None:
    found = _TIMESTAMP.fullmatch(timestamp.strip())
    if found is None:
        return None
    try:
        year, month, day, hour, minute, second = map(int, found.groups())
        return datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)
    except ValueError:
        return None


def _checked(pattern: re.Pattern[str], value: str, otherwise: str = "") -> str:
    value = value.strip()
    return value if pattern.fullmatch(value) else otherwise


def _broken(reason: str) -> NoReturn:
    raise _BrokenPage(reason)


def _reject(reason: str, key: str, record: bytes) -> Reject:
    detail = record.strip()[:_DETAIL_BYTES].decode("utf-8", "replace").replace("\0", "\ufffd")
    return Reject(reason, key.strip()[:200], detail)
