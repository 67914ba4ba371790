"""Pack a small wiki, the bundled sample or a test's own, into files like those of a mirror."""

from __future__ import annotations

import argparse
import bz2
import csv
import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from crossic_etl.sample.sql import SqlValue, page_random, write_table

if TYPE_CHECKING:
    from importlib.abc import Traversable

SAMPLE_LANGUAGES = ("en", "ar", "es", "ja", "ko", "pt", "th")
SAMPLE_DATE = "20260101"
_REDIRECT_WORDS = {
    "ar": "#تحويل",
    "es": "#REDIRECCIÓN",
    "ja": "#転送",
    "ko": "#넘겨주기",
    "pt": "#REDIRECIONAMENTO",
    "th": "#เปลี่ยนทาง",
}
_FIRST_REVISION = 10_000_000
_FIRST_EDIT = datetime(2025, 6, 1)
_ENDINGS = {"multistream": ".bz2", "bz2": ".bz2", "gz": ".gz", "none": ""}


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


def write_wiki(
    wiki: SourceWiki,
    out: Path,
    date: str,
    *,
    pages_per_stream: int = 20,
    compression: str = "multistream",
    parts: int = 1,
    schema: str = "0.10",
    bom: bool = False,
) -> list[Path]:
    """Write ``{out}/{xx}wiki/{date}/{xx}wiki-{date}-…``: pages, index (multistream) and SQL dumps.

    ``compression`` is ``multistream`` (a stream for the head, one for each ``pages_per_stream``
    pages, one for the tail), ``bz2`` (one stream), ``gz`` or ``none``. With several ``parts`` the
    names carry part number and page ids as the mirror's do. The same input gives the same bytes.
    Returns the paths.
    """
    if compression not in _ENDINGS:
        raise ValueError(f"compression {compression!r} is none of {', '.join(_ENDINGS)}")
    folder = out / wiki.database / date
    folder.mkdir(parents=True, exist_ok=True)

    def path_of(name: str) -> Path:
        return folder / f"{wiki.database}-{date}-{name}"

    pages = sorted(wiki.pages, key=lambda page: page.page_id)
    size = max(1, -(-len(pages) // parts))
    paths: list[Path] = []
    for number in range(parts):
        chosen = pages[number * size : (number + 1) * size]
        pieces = _xml_pieces(wiki, chosen, pages_per_stream, schema, bom)
        name = _xml_name(compression, number + 1 if parts > 1 else 0, chosen)
        paths.append(_write_xml(path_of(name), pieces, compression))
        if compression == "multistream":
            index = name.replace(".xml", "-index.txt")
            paths.append(_write_index(path_of(index), pieces, chosen, pages_per_stream))
    for table, rows in _sql_rows(wiki, pages).items():
        path = path_of(f"{table}.sql.gz")
        paths.append(write_table(path, table, rows, wiki.database, date))
    return paths


def load_sample(lang: str) -> SourceWiki:
    """The bundled wiki of one language."""
    folder = files("crossic_etl.sample") / "wiki" / lang
    by_page: dict[int, list[tuple[str, str]]] = {}
    for row in read_rows(folder / "langlinks.tsv"):
        by_page.setdefault(int(row["page_id"]), []).append((row["lang"], row["title"]))
    pages = tuple(
        SourcePage(
            page_id=int(row["page_id"]),
            title=row["title"],
            text=(folder / row["file"]).read_text("utf-8") if row["file"] else "",
            ns=int(row["ns"]),
            redirect=row["redirect"],
            qid=row["qid"],
            props=tuple((name, "") for name in row["props"].split(";") if name),
            langlinks=tuple(by_page.pop(int(row["page_id"]), ())),
        )
        for row in read_rows(folder / "pages.tsv")
    )
    siteinfo = list(read_rows(folder / "siteinfo.tsv"))
    return SourceWiki(
        lang,
        pages,
        namespaces={int(row["key"]): row["name"] for row in siteinfo},
        redirect_word=_REDIRECT_WORDS.get(lang, "#REDIRECT"),
        first_letter=all(row["case"] == "first-letter" for row in siteinfo if row["key"] == "0"),
        stray_langlinks=tuple((page, *link) for page, links in by_page.items() for link in links),
    )


def build_sample(out: Path, date: str = SAMPLE_DATE) -> list[Path]:
    """Write the dumps of all seven wikis under ``out``, in the layout of the public mirror."""
    wikis = [load_sample(lang) for lang in SAMPLE_LANGUAGES]
    return [path for wiki in wikis for path in write_wiki(wiki, out, date, pages_per_stream=8)]


def read_rows(path: Traversable) -> list[dict[str, str]]:
    """Rows of one of the sample's ``.tsv`` files, which know no quoting; no value is None."""
    lines = path.read_text("utf-8").split("\n")
    reader = csv.DictReader(filter(None, lines), delimiter="\t", quoting=csv.QUOTE_NONE)
    return [{key: value or "" for key, value in row.items()} for row in reader]


def _xml_pieces(
    wiki: SourceWiki, pages: Sequence[SourcePage], per_stream: int, schema: str, bom: bool
) -> list[bytes]:
    """Head, groups of pages, tail: joined they are the XML."""
    xml = [_page_xml(wiki, page, schema) for page in pages]
    groups = ["".join(xml[i : i + per_stream]) for i in range(0, len(xml), per_stream)]
    head = ("\ufeff" if bom else "") + _head_xml(wiki, schema)
    return [piece.encode() for piece in (head, *groups, "</mediawiki>\n")]


def _head_xml(wiki: SourceWiki, schema: str) -> str:
    case = "first-letter" if wiki.first_letter else "case-sensitive"
    address = f"http://www.mediawiki.org/xml/export-{schema}/"
    names = {0: "", **wiki.namespaces}
    rule = "" if schema == "0.3" else f' case="{case}"'
    namespaces = "".join(
        f'      <namespace key="{key}"{rule}>{escape(name)}</namespace>\n'
        if name
        else f'      <namespace key="{key}"{rule} />\n'
        for key, name in sorted(names.items())
    )
    return (
        f'<mediawiki xmlns="{address}" version="{schema}" xml:lang="{wiki.lang}">\n'
        "  <siteinfo>\n    <sitename>Wikipedia</sitename>\n"
        f"    <dbname>{wiki.database}</dbname>\n"
        f"    <base>https://{wiki.lang}.wikipedia.org/wiki/</base>\n"
        f"    <case>{case}</case>\n    <namespaces>\n{namespaces}    </namespaces>\n  </siteinfo>\n"
    )


def _page_xml(wiki: SourceWiki, page: SourcePage, schema: str) -> str:
    """One page in a schema's own elements: 0.4 brought ``redirect``, 0.6 ``ns``, 0.8 ``model``."""
    version = int(schema.partition(".")[2])
    text = wiki.wikitext(page)
    target = page.redirect.partition("#")[0]
    model = f"      <model>{page.model}</model>\n      <format>text/x-wiki</format>"
    size = f' bytes="{len(text.encode())}"' if version >= 10 else ""
    lines = (
        "  <page>",
        f"    <title>{escape(page.title)}</title>",
        f"    <ns>{page.ns}</ns>" if version >= 6 else "",
        f"    <id>{page.page_id}</id>",
        f"    <redirect title={quoteattr(target)} />" if target and version >= 6 else "",
        "    <redirect />" if target and 4 <= version < 6 else "",
        "    <revision>",
        f"      <id>{page.revision}</id>",
        f"      <timestamp>{page.edited}</timestamp>",
        "      <contributor>\n        <username>Sample</username>\n        <id>1</id>",
        "      </contributor>",
        f"      <origin>{page.revision}</origin>" if version >= 11 else "",
        model if version >= 8 else "",
        f'      <text{size} xml:space="preserve">{_escaped(text)}</text>',
        "    </revision>\n  </page>\n",
    )
    return "\n".join(filter(None, lines))


def _escaped(text: str) -> str:
    return escape(text, {'"': "&quot;"})


def _xml_name(compression: str, number: int, pages: Sequence[SourcePage]) -> str:
    stem = "pages-articles-multistream" if compression == "multistream" else "pages-articles"
    if not number:
        return f"{stem}.xml{_ENDINGS[compression]}"
    ids = [page.page_id for page in pages] or [0]
    return f"{stem}{number}.xml-p{ids[0]}p{ids[-1]}{_ENDINGS[compression]}"


def _write_xml(path: Path, pieces: Sequence[bytes], compression: str) -> Path:
    whole = b"".join(pieces)
    if compression == "multistream":
        path.write_bytes(b"".join(map(bz2.compress, pieces)))
    elif compression == "bz2":
        path.write_bytes(bz2.compress(whole))
    else:
        path.write_bytes(gzip.compress(whole, mtime=0) if compression == "gz" else whole)
    return path


def _write_index(
    path: Path, pieces: Sequence[bytes], pages: Sequence[SourcePage], per_stream: int
) -> Path:
    """``offset:page_id:title`` a page, the offset being that of its stream in the file."""
    offsets, offset = [], 0
    for piece in pieces:
        offsets.append(offset)
        offset += len(bz2.compress(piece))
    lines = [
        f"{offsets[1 + i // per_stream]}:{page.page_id}:{_escaped(page.title)}\n"
        for i, page in enumerate(pages)
    ]
    path.write_bytes(bz2.compress("".join(lines).encode()))
    return path


def _sql_rows(
    wiki: SourceWiki, pages: Sequence[SourcePage]
) -> dict[str, Sequence[tuple[SqlValue, ...]]]:
    links = [(page.page_id, *link) for page in pages for link in page.langlinks]
    langlinks = sorted((*links, *wiki.stray_langlinks), key=lambda row: (row[1], row[2], row[0]))
    numbers = {name.casefold(): number for number, name in wiki.namespaces.items() if name}
    return {
        "langlinks": langlinks,
        "page_props": [row for page in pages for row in _props_rows(page)],
        "redirect": [_redirect_row(page, numbers) for page in pages if page.redirect],
        "page": [_page_row(wiki, page, numbers) for page in pages],
    }


def _props_rows(page: SourcePage) -> list[tuple[SqlValue, ...]]:
    item = (("wikibase_item", page.qid),) if page.qid else ()
    return [(page.page_id, name, value, None) for name, value in sorted((*page.props, *item))]


def _redirect_row(page: SourcePage, numbers: Mapping[str, int]) -> tuple[SqlValue, ...]:
    target, _, fragment = page.redirect.partition("#")
    return (page.page_id, *_key(target, numbers), "", fragment)


def _page_row(
    wiki: SourceWiki, page: SourcePage, numbers: Mapping[str, int]
) -> tuple[SqlValue, ...]:
    """Columns as in ``TABLES["page"]``."""
    edited = "".join(character for character in page.edited if character.isdigit())
    title = _key(page.title, numbers)[1]
    size = len(wiki.wikitext(page).encode())
    kind = (int(bool(page.redirect)), 0, page_random(page.page_id))
    return (
        page.page_id,
        page.ns,
        title,
        *kind,
        edited,
        edited,
        page.revision,
        size,
        page.model,
        None,
    )


def _key(title: str, numbers: Mapping[str, int]) -> tuple[int, str]:
    """Namespace number and title as the database has them: underscores, no prefix."""
    prefix, colon, rest = title.partition(":")
    number = numbers.get(prefix.casefold(), 0) if colon else 0
    return number, (rest if number else title).strip().replace(" ", "_")


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the bundled sample's dumps into the folder named on the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m crossic_etl.sample.build", description=main.__doc__
    )
    parser.add_argument("out", type=Path, help="folder that the xxwiki folders go into")
    parser.add_argument("--date", default=SAMPLE_DATE, help="dump date (default: %(default)s)")
    given = parser.parse_args(arguments)
    paths = build_sample(given.out, given.date)
    print(f"{len(paths)} files in {given.out}")


if __name__ == "__main__":
    main()
