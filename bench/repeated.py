"""Wikis and crawl files of any size out of real pages: repeated, or their sentences shuffled.

Two months of them, of which the second brings a twentieth of news.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.pages import records_of
from bench.wikitext import shared_folder
from crossic_etl.kernels.wiki.dump_records import Page
from crossic_etl.kernels.wiki.dump_xml import parse_record, parse_siteinfo
from crossic_etl.kernels.wikis import Wiki
from crossic_etl.sample.build import write_wiki
from crossic_etl.sample.source import SourcePage, SourceWiki

SOURCE_DATE = "20220720"
# Page ids of one turn through the real pages.
STEP = 1_000_000
FIRST_TARGET = 10**9
SENTENCE = re.compile(r"(?<=[.!?]) +")
SENTENCES = 20
FIRST, SECOND = "20260101", "20260201"
# Of the pages one in so many has another revision, and as large a part of the documents is new.
NEWS = 20


def write_months(
    folder: Path, n_pages: int, n_documents: int, settings: str, scale: int = 1
) -> str:
    """Both months' dumps and crawl files, and a configuration with further lines; its path.

    The world is ``scale`` times as large, and brings as much news whatever the scale. New crawl
    files lie beside the others until `bring_news`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    known = sentences()
    size = write_wikis(folder / "dumps", FIRST, n_pages * scale)
    write_wikis(folder / "dumps", SECOND, n_pages * scale, Changes(NEWS * scale))
    write_crawl(folder / "crawl", known, range(n_documents * scale))
    write_crawl(folder / "later", known, range(10**8, 10**8 + n_documents // NEWS))
    print(
        f"{2 * n_pages * scale:,} articles, {size / 1e6:,.0f} MB of wikitext, "
        f"{n_documents * scale:,} documents"
    )
    fields = "{text: text, url: url}"
    config = folder / "my.yaml"
    config.write_text(
        f"root: {folder}/tables\nlanguages: [th]\nwikipedia: {{dumps: {folder}/dumps}}\n"
        "arrangements: [en-first, retrieved]\nsegment: {max_tokens: 1024}\n"
        f"crawl: {{sources: [{{path: {folder}/crawl, format: jsonl, fields: {fields}}}]}}\n"
        f"{settings}\n"
    )
    return str(config)


def bring_news(folder: Path) -> None:
    """Lays the second month's crawl files beside the first one's."""
    for path in (folder / "later").iterdir():
        path.rename(folder / "crawl" / path.name)


def real_pages(lang: str) -> list[Page]:
    """The articles of one of the shared dumps."""
    name = f"{lang}wiki-{SOURCE_DATE}-pages-articles-multistream.xml.bz2"
    path = shared_folder() / "wiki" / f"{lang}wiki" / SOURCE_DATE / name
    found: list[Page] = []
    wiki: Wiki | None = None
    for record in records_of(path):
        wiki = wiki or parse_siteinfo(record, lang)
        assert wiki is not None
        page = parse_record(record, wiki)
        if isinstance(page, Page) and page.ns == 0:
            found.append(page)
    return found


@dataclass(frozen=True)
class Changes:
    """What a later month has: every ``every``-th article is another revision; 0 for none."""

    every: int = 0

    def of(self, page: SourcePage, number: int) -> SourcePage:
        """The page as this month has it."""
        if not self.every or number % self.every:
            return page
        return replace(page, text=f"{page.text}\n\nRevised.", revision_id=2 * 10**9 + page.page_id)


def write_wikis(out: Path, date: str, n_pages: int, changes: Changes = Changes()) -> int:
    """Dumps of English and Thai, each article of one with its counterpart; bytes of wikitext.

    Real English pages are taken again and again, with the real Thai ones as counterparts of any.
    """
    english, thai = real_pages("en"), real_pages("th")
    pages: dict[str, list[SourcePage]] = {"en": [], "th": []}
    for number in range(n_pages):
        turn, place = divmod(number, len(english))
        for lang, page in (("en", english[place]), ("th", thai[place % len(thai)])):
            new = SourcePage(
                STEP * turn + place + (FIRST_TARGET if lang == "th" else 1),
                f"{page.title} {turn} {place}",
                page.wikitext,
                qid=f"Q{10_000_000 + number}",
            )
            pages[lang].append(changes.of(new, number))
    for lang, found in pages.items():
        write_wiki(SourceWiki(lang, tuple(found)), out, date, pages_per_stream=100)
    return sum(len(page.text.encode()) for found in pages.values() for page in found)


def sentences() -> list[str]:
    """English sentences of the shared crawl-like text: the plain ones of the real pages."""
    found = set()
    for page in real_pages("en"):
        for sentence in SENTENCE.split(page.wikitext):
            if 40 <= len(sentence) <= 300 and not re.search(r"[\[\]{}|<>=*#\n]", sentence):
                found.add(sentence)
    return sorted(found)


def documents(known: Sequence[str], numbers: range) -> Iterator[str]:
    """A document of `SENTENCES` sentences for each number, none near to another."""
    for number in numbers:
        chosen = random.Random(number).sample(known, SENTENCES)
        yield json.dumps({"text": " ".join(chosen), "url": f"https://web.example/{number}"})


def write_crawl(folder: Path, known: Sequence[str], numbers: range, a_file: int = 5_000) -> None:
    """Files of so many documents each."""
    folder.mkdir(parents=True, exist_ok=True)
    for start in range(numbers.start, numbers.stop, a_file):
        of_file = range(start, min(start + a_file, numbers.stop))
        lines = "\n".join(documents(known, of_file))
        (folder / f"{start:09}-{of_file.stop:09}.jsonl").write_text(f"{lines}\n")
