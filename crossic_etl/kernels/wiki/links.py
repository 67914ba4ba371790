"""Lines of SQL dumps to staged rows: interlanguage links and page properties."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from crossic_etl.kernels.fingerprint import fingerprint
from crossic_etl.kernels.wiki.sql_dump import SqlError, parse_insert
from crossic_etl.kernels.wiki.titles import canonical_title
from crossic_etl.kernels.wikis import Wiki

LINK_REJECTED = ("sql", "damaged_file")
LINK_COLUMNS = ("ll_from", "ll_lang", "ll_title")
PROP_COLUMNS = ("pp_page", "pp_propname", "pp_value")


def extract_links(
    line: bytes, columns: Sequence[str], lang: str, dump_date: str, targets: Mapping[str, Wiki]
) -> Iterator[dict[str, Any]]:
    """Staged links of one line of ``langlinks``: those to a wiki of ``targets``, title canonical.

    Links that are dropped come as one row for each reason, ``n`` of them; ``read`` says how many
    rows the line has, broken parts counted as one.
    """
    insert = parse_insert(line, columns, LINK_COLUMNS)
    common = {"lang": lang, "dump_date": dump_date}
    dropped: Counter[str] = Counter(read=len(insert.rows) + len(insert.errors))
    errors = list(insert.errors)
    for page_id, target_lang, title in insert.rows:
        target = targets.get(target_lang or "")
        if not _is_id(page_id):
            errors.append(_no_id((page_id, target_lang, title)))
        elif target is None:
            dropped["other_language"] += 1
        elif not (target_title := canonical_title(title or "", target)):
            dropped["empty_title"] += 1
        else:
            yield common | {
                "outcome": "langlink",
                "n": 1,
                "page_id": int(page_id or 0),
                "target_lang": target.lang,
                "evidence": "langlink",
                "target_title": target_title,
            }
    for outcome, n in dropped.items():
        yield common | {"outcome": outcome, "n": n}
    yield from (common | {"outcome": "sql", "n": 1, **_error(e)} for e in errors)


def extract_props(line: bytes, columns: Sequence[str], lang: str) -> Iterator[dict[str, Any]]:
    """Staged Wikidata items and disambiguation marks of one line of ``page_props``."""
    insert = parse_insert(line, columns, PROP_COLUMNS)
    errors = list(insert.errors)
    for page_id, name, value in insert.rows:
        if not _is_id(page_id):
            errors.append(_no_id((page_id, name, value)))
            continue
        common = {"outcome": "prop", "lang": lang, "page_id": int(page_id or 0)}
        if name == "wikibase_item":
            yield common | {"qid": value, "is_disambiguation": False}
        elif name == "disambiguation":
            yield common | {"is_disambiguation": True}
    for outcome in ("read", "page_props"):
        yield from ({"outcome": outcome, "lang": lang, "n": 1, **_error(e)} for e in errors)


def _is_id(value: str | None) -> bool:
    return value is not None and value.isascii() and value.isdigit() and len(value) < 19


def _no_id(row: tuple[str | None, ...]) -> SqlError:
    return SqlError("page_id", repr(row)[:500])


def _error(error: SqlError) -> dict[str, str]:
    key = fingerprint(error.detail.encode("utf-8", "replace"))
    return {"key": f"{error.reason}:{key}", "detail": error.detail}
