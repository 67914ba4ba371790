"""The XML of a small wiki and the index of its streams, as a mirror has them."""

from __future__ import annotations

import bz2
import gzip
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from crossic_etl.sample.source import SourcePage, SourceWiki

ENDINGS = {"multistream": ".bz2", "bz2": ".bz2", "gz": ".gz", "none": ""}


def xml_pieces(
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


def xml_name(compression: str, number: int, pages: Sequence[SourcePage]) -> str:
    """The end of a file's name; ``number`` is that of a part, 0 for a dump in one file."""
    stem = "pages-articles-multistream" if compression == "multistream" else "pages-articles"
    if not number:
        return f"{stem}.xml{ENDINGS[compression]}"
    ids = [page.page_id for page in pages] or [0]
    return f"{stem}{number}.xml-p{ids[0]}p{ids[-1]}{ENDINGS[compression]}"


def write_xml(path: Path, pieces: Sequence[bytes], compression: str) -> Path:
    """Writes the pieces of `xml_pieces`; ``multistream`` packs each in a stream of its own."""
    whole = b"".join(pieces)
    if compression == "multistream":
        path.write_bytes(b"".join(map(bz2.compress, pieces)))
    elif compression == "bz2":
        path.write_bytes(bz2.compress(whole))
    else:
        path.write_bytes(gzip.compress(whole, mtime=0) if compression == "gz" else whole)
    return path


def write_index(
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
