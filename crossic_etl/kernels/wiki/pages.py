"""One record of a dump to one staged row: a page with its text, a redirect, or a reason."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from crossic_etl.kernels.wiki.dump_records import Dropped, Page, Redirect, Reject
from crossic_etl.kernels.wiki.dump_xml import parse_record
from crossic_etl.kernels.wiki.titles import canonical_title
from crossic_etl.kernels.wiki_facts import canonical_code
from crossic_etl.kernels.wikis import Wiki
from crossic_etl.kernels.wikitext import Options, is_disambiguation, to_text
from crossic_etl.kernels.wikitext.extract import DEFAULTS

REJECTED = (
    "cut",
    "xml",
    "utf8",
    "id",
    "ns",
    "title",
    "text",
    "repeated",
    "between_pages",
    "too_large",
    "wikitext",
    "damaged_file",
    "plain_text",
    "page_props",
)
# Wikipedia's text was relicensed on 7 June 2023 (Wikimedia's terms of use of that date).
RELICENSED = "20230607"


def extract_page(
    record: bytes, wiki: Wiki, dump_date: str, max_bytes: int, options: Options = DEFAULTS
) -> Iterator[dict[str, Any]]:
    """The staged row of one record; none for the text between pages. Never raises."""
    parsed = parse_record(record, wiki, max_bytes)
    common = {"lang": wiki.lang, "dump_date": dump_date, "n": 1}
    if isinstance(parsed, Page):
        try:
            yield common | page_row(parsed, wiki, dump_date, options)
        except Exception as error:  # whatever breaks on one page must not stop a job
            yield common | {
                "outcome": "wikitext",
                "key": str(parsed.page_id),
                "detail": f"{parsed.title}: {type(error).__name__}: {error}"[:500],
            }
    elif isinstance(parsed, Redirect):
        yield common | {
            "outcome": "redirect",
            "page_id": parsed.page_id,
            "title": parsed.title,
            "revision_id": parsed.revision_id,
            "target_title": _redirect_target(parsed, wiki),
        }
    elif isinstance(parsed, Dropped):
        yield common | {"outcome": parsed.reason}
    elif isinstance(parsed, Reject):
        yield common | {"outcome": parsed.reason, "key": parsed.key, "detail": parsed.detail}


def plain_text_row(
    page_id: object, url: str | None, title: str | None, text: str | None, wiki: Wiki
) -> dict[str, Any]:
    """The staged row of an article that comes as plain text; broken without id, title or text."""
    number = str(page_id).strip()
    canonical = canonical_title(title or "", wiki)
    common = {"lang": wiki.lang, "n": 1}
    if not (re.fullmatch(r"[1-9][0-9]{0,17}", number) and canonical and (text or "").strip()):
        detail = f"id {page_id!r}, url {url!r}, title {title!r}, {len(text or '')} characters"
        return common | {
            "outcome": "plain_text",
            "key": number if page_id is not None else text_hash(f"{title}\0{text}")[:16],
            "detail": detail[:500],
        }
    assert text is not None
    return common | {
        "outcome": "page",
        "page_id": int(number),
        "title": canonical,
        "url": url or page_url(wiki.lang, canonical),
        "text": text,
        "text_hash": text_hash(text),
        "n_chars": len(text),
        "is_disambiguation": False,
        "left_out": {},
        "licence": licence(""),
        "dump_date": "",
    }


def page_row(page: Page, wiki: Wiki, dump_date: str, options: Options = DEFAULTS) -> dict[str, Any]:
    """The columns of ``pages`` that a dump's record gives."""
    extraction = to_text(page.wikitext, wiki.lang, wiki, page.title, options)
    return {
        "outcome": "page",
        "page_id": page.page_id,
        "title": page.title,
        "url": page_url(wiki.lang, page.title),
        "revision_id": page.revision_id,
        "timestamp": page.timestamp,
        "text": extraction.text,
        "text_hash": text_hash(extraction.text),
        "n_chars": len(extraction.text),
        "is_disambiguation": is_disambiguation(page.wikitext, wiki.lang),
        "left_out": extraction.left_out,
        "licence": licence(dump_date),
    }


def _redirect_target(redirect: Redirect, wiki: Wiki) -> str:
    """The title it leads to; with its prefix, which no article's title has, where that is none."""
    if redirect.target_interwiki:
        return f"{redirect.target_interwiki}:{redirect.target}"
    if not redirect.target_ns:
        return redirect.target
    names = (name for name, number in wiki.namespaces.items() if number == redirect.target_ns)
    return f"{next(names, str(redirect.target_ns)).capitalize()}:{redirect.target}"


def text_hash(text: str) -> str:
    """SHA-256 of the UTF-8 text, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def page_url(lang: str, title: str) -> str:
    """The article's address on Wikipedia."""
    path = quote(title.replace(" ", "_"), safe="/:()!,@*;")
    return f"https://{canonical_code(lang)}.wikipedia.org/wiki/{path}"


def licence(dump_date: str) -> str:
    """SPDX identifier of the licence that Wikipedia's text had on a dump's date."""
    return "CC-BY-SA-4.0" if dump_date >= RELICENSED or not dump_date else "CC-BY-SA-3.0"
