"""Articles of the shared dumps and of the bundled sample, read without the project's own reader."""

from __future__ import annotations

import bz2
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

LANGUAGES = ("en", "ar", "es", "ja", "ko", "pt", "th")


@dataclass(frozen=True)
class Article:
    """One article of one wiki, as wikitext."""

    lang: str
    page_id: int
    title: str
    wikitext: str

    @property
    def size(self) -> int:
        """UTF-8 bytes."""
        return len(self.wikitext.encode())


def pages_of_dump(path: Path, lang: str) -> Iterator[Article]:
    """Yield the articles (namespace 0, no redirect) of one dump file."""
    with bz2.open(path) as dump:
        root = ElementTree.parse(dump).getroot()
    schema = root.tag.partition("}")[0] + "}"
    for page in root.iter(f"{schema}page"):
        is_article = page.findtext(f"{schema}ns") == "0" and page.find(f"{schema}redirect") is None
        wikitext = page.findtext(f"{schema}revision/{schema}text")
        if is_article and wikitext:
            page_id = int(page.findtext(f"{schema}id", "0"))
            yield Article(lang, page_id, page.findtext(f"{schema}title", ""), wikitext)


@cache
def shared_articles(shared_data: Path, lang: str) -> list[Article]:
    """Return the articles of the mini-Wikipedia in one language."""
    (dump,) = (shared_data / "wiki" / f"{lang}wiki").glob("*/*-pages-articles-multistream.xml.bz2")
    return list(pages_of_dump(dump, lang))


def sample_articles(sample: Path, lang: str) -> list[Article]:
    """Return the articles of the bundled sample in one language."""
    with (sample / lang / "pages.tsv").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [
        Article(
            lang,
            int(row["page_id"]),
            row["title"],
            (sample / lang / row["file"]).read_text(encoding="utf-8"),
        )
        for row in rows
        if row["ns"] == "0" and row["file"]
    ]
