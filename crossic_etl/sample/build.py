"""Pack a small wiki, the bundled sample or a test's own, into files like those of a mirror."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from crossic_etl.sample.dump_files import ENDINGS, write_index, write_xml, xml_name, xml_pieces
from crossic_etl.sample.source import SourcePage, SourceWiki
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
    if compression not in ENDINGS:
        raise ValueError(f"compression {compression!r} is none of {', '.join(ENDINGS)}")
    folder = out / wiki.database / date
    folder.mkdir(parents=True, exist_ok=True)

    def path_of(name: str) -> Path:
        return folder / f"{wiki.database}-{date}-{name}"

    pages = sorted(wiki.pages, key=lambda page: page.page_id)
    size = max(1, -(-len(pages) // parts))
    paths: list[Path] = []
    for number in range(parts):
        chosen = pages[number * size : (number + 1) * size]
        pieces = xml_pieces(wiki, chosen, pages_per_stream, schema, bom)
        name = xml_name(compression, number + 1 if parts > 1 else 0, chosen)
        paths.append(write_xml(path_of(name), pieces, compression))
        if compression == "multistream":
            index = name.replace(".xml", "-index.txt")
            paths.append(write_index(path_of(index), pieces, chosen, pages_per_stream))
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
