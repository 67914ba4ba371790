"""Magic words and parser functions that have an evident value."""

from __future__ import annotations

import re
from collections.abc import Callable

from crossic_etl.kernels.wikitext.call import split_arguments
from crossic_etl.kernels.wikitext.numbers import format_number, parse_number
from crossic_etl.kernels.wikitext.page import EQUALS, HOLE, PIPE, Page

_LAST_PART = re.compile(r".*/")

VARIABLES: dict[str, Callable[[Page], str]] = {
    "!": lambda page: PIPE,
    "=": lambda page: EQUALS,
    "!!": lambda page: PIPE * 2,
    "!-": lambda page: PIPE + "-",
    "(!": lambda page: "{" + PIPE,
    "!)": lambda page: PIPE + "}",
    "pagename": lambda page: page.title,
    "fullpagename": lambda page: page.title,
    "basepagename": lambda page: page.title.rpartition("/")[0] or page.title,
    "rootpagename": lambda page: page.title.partition("/")[0],
    "subpagename": lambda page: _LAST_PART.sub("", page.title),
    "articlepagename": lambda page: page.title,
    "subjectpagename": lambda page: page.title,
    "namespace": lambda page: "",
    "sitename": lambda page: "Wikipedia",
    "contentlanguage": lambda page: page.lang,
    "contentlang": lambda page: page.lang,
    "pagelanguage": lambda page: page.lang,
}
"""Words that stand alone, lower case, and what they show."""

# fmt: off
_SILENT = frozenset({
    "defaultsort", "defaultsortkey", "defaultcategorysort", "displaytitle", "noexternallanglinks",
    "shortdesc", "#seo", "#set", "デフォルトソート", "기본정렬", "ordenar", "sortierung",
    "تصنيف افتراضي", "ترتيب افتراضي",
})
# fmt: on


def render(head: str, rest: str, page: Page) -> str | None:
    """What ``{{head|rest}}`` shows; None where it is no magic word with an evident value."""
    name, colon, first = head.partition(":")
    name = name.replace(HOLE, "").replace("_", " ").strip().lower()
    if not colon:
        variable = VARIABLES.get(name.replace(" ", ""))
        return None if variable is None else variable(page) or HOLE
    if name in ("subst", "safesubst", "msg", "raw"):
        return None
    if name in _SILENT:
        return HOLE
    function = _FUNCTIONS.get(name)
    if function is None:
        return None
    return function(first.strip(), rest, page) or HOLE


def _formatnum(first: str, rest: str, page: Page) -> str:
    flags = {flag.strip().upper() for flag in rest.split("|")}
    if "R" in flags:
        return parse_number(first, page.lang)
    if "NOSEP" in flags:
        return first
    return format_number(first, page.lang)


def _if(first: str, rest: str, page: Page) -> str:
    yes, no = _branches(rest)
    return yes if first.replace(HOLE, "").strip() else no


def _ifeq(first: str, rest: str, page: Page) -> str:
    second, *branches = split_arguments(rest)
    yes, no = (*branches, "", "")[:2]
    return (yes if _same(first, second.strip()) else no).strip()


def _switch(first: str, rest: str, page: Page) -> str:
    default = ""
    found = False
    for case in split_arguments(rest):
        key, equals, value = case.partition("=")
        key = key.strip()
        if not equals:
            default = key
        if found or _same(first, key):
            if equals:
                return value.strip()
            found = True
        elif key == "#default":
            default = value.strip()
    return default


def _same(one: str, other: str) -> bool:
    if one == other:
        return True
    try:
        return float(one) == float(other)
    except ValueError:
        return False


def _branches(rest: str) -> tuple[str, str]:
    parts = [*split_arguments(rest), "", ""]
    return parts[0].strip(), parts[1].strip()


def _padded(first: str, rest: str, left: bool) -> str:
    width, *fills = split_arguments(rest)
    if not width.strip().isdecimal():
        return first
    missing = min(int(width), 500) - len(first)
    fill = (fills or [""])[0] or "0"
    filling = (fill * max(missing, 0))[: max(missing, 0)]
    return filling + first if left else first + filling


_FUNCTIONS: dict[str, Callable[[str, str, Page], str]] = {
    "formatnum": _formatnum,
    "#formatnum": _formatnum,
    "lc": lambda first, rest, page: first.lower(),
    "uc": lambda first, rest, page: first.upper(),
    "lcfirst": lambda first, rest, page: first[:1].lower() + first[1:],
    "ucfirst": lambda first, rest, page: first[:1].upper() + first[1:],
    "padleft": lambda first, rest, page: _padded(first, rest, True),
    "padright": lambda first, rest, page: _padded(first, rest, False),
    "plural": lambda first, rest, page: (
        _branches(rest)[first not in ("1", "-1")] or _branches(rest)[0]
    ),
    "#if": _if,
    "#ifeq": _ifeq,
    "#switch": _switch,
    "#iferror": lambda first, rest, page: first,
    "pagename": lambda first, rest, page: first.partition(":")[2] or first,
    "fullpagename": lambda first, rest, page: first,
    "ns": lambda first, rest, page: "",
}
