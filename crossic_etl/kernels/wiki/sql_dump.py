"""Rows out of mysqldump's ``INSERT`` lines, in linear time and by the dump's own column names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

_NAME = r"(?:`[^`]*`|[A-Za-z0-9_$]+)"
_CREATE = re.compile(rf"CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?{_NAME}\s*\(", re.I)
_COLUMN = re.compile(
    r"\s*(?!(?:PRIMARY|UNIQUE|KEY|INDEX|CONSTRAINT|FULLTEXT|SPATIAL|FOREIGN|CHECK)\b)"
    r"(?:`([^`]+)`|([A-Za-z0-9_$]+))\s",
    re.I,
)
_CREATE_TOKEN = re.compile(r"'(?:[^'\\]|\\.|'')*'|`[^`]*`|[(),]|[^'`(),]+", re.S)
_HEADER = re.compile(
    rf"\s*(?:INSERT|REPLACE)\s+(?:IGNORE\s+)?INTO\s+{_NAME}\s*"
    rf"(?:\(\s*({_NAME}(?:\s*,\s*{_NAME})*)\s*\)\s*)?VALUES\s*",
    re.I,
)
# The start of an INSERT, at the start of a line, up to the table's name.
_FIRST_INSERT = re.compile(
    rf"^[ \t]*((?:INSERT|REPLACE)[ \t]+(?:IGNORE[ \t]+)?INTO[ \t]+{_NAME})(?=\s|\()", re.I | re.M
)
# What may stand on a line that has no rows: comments, other statements, the body of CREATE TABLE.
_OTHER_LINE = re.compile(r"\s*(?:--|/\*|#|`|\)|;|(?!(?:INSERT|REPLACE)\b)[A-Z]+\b|$)", re.I)

# Unrolled so that each character can be read in one way only: no backtracking worth the name.
_BODY = r"[^'\\]*(?:(?:\\.|'')[^'\\]*)*"
_BARE = (
    r"0[xX][0-9A-Fa-f]*|[xX]'[0-9A-Fa-f]*'|[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
)
_CHARSET = r"(?:_[A-Za-z0-9]+\s*)?"
_ANY_VALUE = rf"(?:{_CHARSET}(?:'{_BODY}'|{_BARE})|NULL)"
_ANY_ROW = re.compile(rf"\(\s*{_ANY_VALUE}(?:\s*,\s*{_ANY_VALUE})*\s*\)", re.S)
_ROW_START = re.compile(rf"\((?:\s*{_ANY_VALUE}\s*,)*\s*{_CHARSET}", re.S)
_VALUE_START = re.compile(rf"(?:[xX]?'{_BODY}\\?'?|[-+.\w]*)\s*\)?\s*", re.S)
_ESCAPE = re.compile(r"\\(.)|''", re.S)
_ESCAPED = {
    "0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a", "%": "\\%", "_": "\\_",
}  # fmt: skip

_DETAIL_CHARACTERS = 500

SqlRow = tuple["str | None", ...]


@dataclass(frozen=True)
class SqlError:
    """A part of a line that could not be read.

    ``reason`` is ``cut`` (the data ends inside a row), ``columns`` (a row with another number of
    values), ``utf8`` (a row with bytes that are no UTF-8; the rows around it are kept) or
    ``syntax``. ``detail`` is the start of the raw text.
    """

    reason: str
    detail: str


@dataclass(frozen=True)
class Insert:
    """The rows of a line, values in the wanted order, and the parts that could not be read."""

    rows: list[SqlRow]
    errors: list[SqlError]


def columns_of(create_table: str) -> tuple[str, ...]:
    """Column names, in order, of the first whole ``CREATE TABLE`` in a text.

    Raises ``ValueError`` where there is none: the text may end before its closing bracket.
    """
    start = _CREATE.search(create_table)
    if start is None:
        raise ValueError(f"no CREATE TABLE in {create_table[:80]!r}")
    columns: list[str] = []
    item, depth = "", 0
    for token in _CREATE_TOKEN.findall(create_table, start.end()):
        if depth == 0 and token in ",)":
            found = _COLUMN.match(item)
            if found is not None:
                columns.append(found[1] or found[2])
            if token == ")":
                return tuple(columns)
            item = ""
            continue
        depth += (token == "(") - (token == ")")
        item += token
    raise ValueError(f"CREATE TABLE is not closed: {create_table[start.start() :][:80]!r}")


def find_insert(head: str) -> str:
    """How each INSERT of a dump begins, up to the table's name; empty where there is none.

    ``head`` is the dump's beginning, which has its first INSERT, if any.
    """
    found = _FIRST_INSERT.search(head)
    return found[1] if found else ""


def has_rows(head: str) -> bool:
    """Whether a dump's beginning has an INSERT with the start of a row, on its line or the next."""
    found = _FIRST_INSERT.search(head)
    header = _HEADER.match(head, found.start()) if found else None
    return header is not None and head.startswith("(", header.end())


def parse_insert(line: bytes, columns: Sequence[str], wanted: Sequence[str]) -> Insert:
    """Read the rows of a piece of a dump; only the ``wanted`` columns, in that order.

    ``columns`` is the table's own order, from ``columns_of``; a column list in the INSERT goes
    before it. A piece is any number of lines that ends between rows: it may hold several INSERTs,
    other statements before and after them, or be part of an INSERT (rows from its first character
    on). NULL is None, all else a string. Pieces without rows give none, without error. After the
    first row that can't be read, the rest of the piece is one error.

    Raises ``ValueError`` where a wanted column is not in the table.
    """
    order = _order(columns, wanted)
    try:
        return _read(line.decode("utf-8"), columns, wanted, order, as_bytes=False)
    except UnicodeDecodeError:
        # one character for each byte, and each row decoded for itself
        return _read(line.decode("latin-1"), columns, wanted, order, as_bytes=True)


def _order(columns: Sequence[str], wanted: Sequence[str]) -> tuple[int, ...]:
    missing = [name for name in wanted if name not in columns]
    if missing:
        raise ValueError(f"no column {', '.join(missing)} among {', '.join(columns)}")
    return tuple(columns.index(name) for name in wanted)


def _read(
    text: str,
    columns: Sequence[str],
    wanted: Sequence[str],
    order: tuple[int, ...],
    as_bytes: bool,
) -> Insert:
    result = Insert([], [])
    header, width = "", len(columns)
    rest = text.lstrip()
    if not rest.startswith("("):
        rest = _from_insert(result, rest, width, as_bytes)
    while rest:
        found = _HEADER.match(rest)
        if found is not None:
            header, rest = found[0].strip(), rest[found.end() :]
            names = (
                [name.strip(" `\t\r\n") for name in found[1].split(",")] if found[1] else columns
            )
            try:
                order, width = _order(names, wanted), len(names)
            except ValueError as error:
                result.errors.append(SqlError("columns", str(error)[:_DETAIL_CHARACTERS]))
                return result
        left = rest
        for pattern in _row_patterns(header, width, order):
            left = left and _take_rows(result, left, pattern, order, as_bytes)
        rest = _from_insert(result, left, width, as_bytes)
    return result


def _from_insert(result: Insert, text: str, width: int, as_bytes: bool) -> str:
    """``text`` from its next INSERT on; an error where other statements don't come before it."""
    if not text or _HEADER.match(text):
        return text
    if not _OTHER_LINE.match(text):
        result.errors.append(_error(text, width, as_bytes))
        return ""
    found = _FIRST_INSERT.search(text)
    return text[found.start() :] if found and _HEADER.match(text, found.start()) else ""


@lru_cache(maxsize=64)
def _row_patterns(
    header: str, width: int, order: tuple[int, ...]
) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Patterns of a row, with two groups for each captured column; the last group is the rest.

    First as mysqldump writes rows, then, slower, with spaces and ``_binary`` before strings.

    The last alternative takes everything, so that a broken row ends the reading at once. The header
    of the next INSERT is passed over with the row before it.
    """
    again = rf"(?:{re.escape(header)}\s*)?" if header else ""

    def pattern(space: str, charset: str) -> re.Pattern[str]:
        captured = rf"{space}(?:{charset}(?:'({_BODY})'|({_BARE}))|NULL){space}"
        passed = rf"{space}(?:{charset}(?:'{_BODY}'|{_BARE})|NULL){space}"
        values = ",".join(captured if i in order else passed for i in range(width))
        return re.compile(rf"\({values}\)\s*(?:,\s*|;\s*{again}|\Z)|(.+)", re.S)

    return pattern("", ""), pattern(r"\s*", _CHARSET)


def _take_rows(
    result: Insert, text: str, pattern: re.Pattern[str], order: tuple[int, ...], as_bytes: bool
) -> str:
    """Add the rows that a text begins with; returns what comes after them."""
    parts: list[str | None] = pattern.split(text)
    stride = pattern.groups + 1
    left = (parts[-2] or "") if len(parts) > stride else ""
    end = (len(parts) // stride - bool(left)) * stride
    by_column = {
        column: _values(parts[2 * i + 1 : end : stride], parts[2 * i + 2 : end : stride], as_bytes)
        for i, column in enumerate(sorted(set(order)))
    }
    rows = zip(*(by_column[column] for column in order), strict=True)
    if not as_bytes:
        result.rows.extend(rows)
        return left
    for row in rows:
        try:
            result.rows.append(tuple(v and v.encode("latin-1").decode("utf-8") for v in row))
        except UnicodeDecodeError:
            result.errors.append(SqlError("utf8", repr(row)[:_DETAIL_CHARACTERS]))
    return left


def _values(quoted: list[str | None], bare: list[str | None], as_bytes: bool) -> list[str | None]:
    """One column's values; of each value one of the two is set, or none for NULL."""
    n_bare = len(bare) - bare.count(None)
    if n_bare < len(bare):
        quoted = [_unescape(v) if v and ("\\" in v or "'" in v) else v for v in quoted]
    if not n_bare:
        return quoted
    if not "".join(filter(None, bare)).isdigit():
        bare = [v and _hex(v, as_bytes) for v in bare]
    return (
        bare
        if n_bare == len(bare)
        else [q if b is None else b for q, b in zip(quoted, bare, strict=True)]
    )


def _unescape(body: str) -> str:
    return _ESCAPE.sub(lambda m: _ESCAPED.get(m[1], m[1]) if m[1] else "'", body)


def _hex(value: str, as_bytes: bool) -> str:
    digits = value[2:].rstrip("'")
    if value[0] not in "xX" and value[:2] not in ("0x", "0X"):
        return value
    return bytes.fromhex(digits.zfill(len(digits) + len(digits) % 2)).decode(
        "latin-1" if as_bytes else "utf-8"
    )


def _error(left: str, width: int, as_bytes: bool) -> SqlError:
    detail = left[:_DETAIL_CHARACTERS]
    if as_bytes:
        detail = detail.encode("latin-1").decode("utf-8", "replace")
    if _ANY_ROW.match(left):
        return SqlError("columns", f"a row has not {width} values: {detail}"[:_DETAIL_CHARACTERS])
    start = _ROW_START.match(left)
    cut = start is not None and _VALUE_START.fullmatch(left, start.end()) is not None
    return SqlError("cut" if cut else "syntax", detail)
