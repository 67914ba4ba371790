"""The pages of a small wiki, as its source files define them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from crossic_etl.kernels.wiki_facts import database_of

_FIRST_REVISION = 10_000_000
_FIRST_EDIT = datetime(2025, 6, 1)


@dataclass(frozen=True)
class SourcePage:
    """A page as plain values. ``redirect`` is a target, with or without ``#section``.

    A redirect has no text. The title starts with the name of its namespace. A revision and a
    timestamp that aren't given are derived from the page id.
    """

    page_id: int
    title: str
    text: str = ""
    ns: int = 0
    redirect: str = ""
    qid: str = ""
    props: tuple[tuple[str, str], ...] = ()
    langlinks: tuple[tuple[str, str], ...] = ()
    revision_id: int | None = None
    timestamp: str | None = None
    model: str = "wikitext"

    @property
    def revision(self) -> int:
        """The given revision id, or one derived from the page id."""
        return self.revision_id or _FIRST_REVISION + self.page_id

    @property
    def edited(self) -> str:
        """The given timestamp, or one derived from the page id, in ISO 8601."""
        moment = _FIRST_EDIT + timedelta(minutes=self.page_id % 100_000)
        return self.timestamp or f"{moment.isoformat()}Z"


@dataclass(frozen=True)
class SourceWiki:
    """A wiki of a few pages. ``stray_langlinks`` (page id, lang, title) name pages it lacks."""

    lang: str
    pages: tuple[SourcePage, ...]
    namespaces: Mapping[int, str] = field(default_factory=dict)
    redirect_word: str = "#REDIRECT"
    first_letter: bool = True
    stray_langlinks: tuple[tuple[int, str, str], ...] = ()

    @property
    def database(self) -> str:
        """The database name in the names of its dumps, such as ``zh_min_nanwiki``."""
        return database_of(self.lang)

    def wikitext(self, page: SourcePage) -> str:
        """A page's source; for a redirect it is built with the wiki's own keyword."""
        return f"{self.redirect_word} [[{page.redirect}]]" if page.redirect else page.text
