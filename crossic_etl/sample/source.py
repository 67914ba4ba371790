"""The pages of a small wiki, as its source files say them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

_FIRST_REVISION = 10_000_000
_FIRST_EDIT = datetime(2025, 6, 1)


@dataclass(frozen=True)
class SourcePage:
    """A page in plain values; ``redirect`` is a target, perhaps with ``#section``, without text.

    The title has its namespace's name before it. Revision and timestamp follow from the id where
    they are not given.
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
        """The given revision id or one that follows from the page's."""
        return self.revision_id or _FIRST_REVISION + self.page_id

    @property
    def edited(self) -> str:
        """The given timestamp or one that follows from the page id, in ISO 8601."""
        moment = _FIRST_EDIT + timedelta(minutes=self.page_id % 100_000)
        return self.timestamp or f"{moment.isoformat()}Z"


@dataclass(frozen=True)
class SourceWiki:
    """A wiki of a few pages; ``stray_langlinks`` are (page id, lang, title) of pages it lacks."""

    lang: str
    pages: tuple[SourcePage, ...]
    namespaces: Mapping[int, str] = field(default_factory=dict)
    redirect_word: str = "#REDIRECT"
    first_letter: bool = True
    stray_langlinks: tuple[tuple[int, str, str], ...] = ()

    @property
    def database(self) -> str:
        """The name by which its dumps go: ``zh_min_nanwiki``."""
        return self.lang.replace("-", "_") + "wiki"

    def wikitext(self, page: SourcePage) -> str:
        """A page's source; a redirect's is made with the wiki's own word."""
        return f"{self.redirect_word} [[{page.redirect}]]" if page.redirect else page.text
