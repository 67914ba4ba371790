"""Magic words and parser functions that have an evident value."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from crossic_etl.kernels.wiki_facts import facts_of
from crossic_etl.kernels.wikitext.call import split_arguments
from crossic_etl.kernels.wikitext.expressions import ExpressionError, evaluate, show_value
from crossic_etl.kernels.wikitext.numbers import (
    format_numbers,
    parse_number,
    without_groups,
)
from crossic_etl.kernels.wikitext.page import EDGE, EQUALS, HOLE, PIPE, Page
from crossic_etl.kernels.wikitext.tags import EXTENSIONS, extension

_VALUES_OF_TITLES = ("pagename", "fullpagename")
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

_SILENT = frozenset({
    "defaultsort", "defaultsortkey", "defaultcategorysort", "displaytitle", "noexternallanglinks",
    "shortdesc", "#seo", "#set",
})  # fmt: skip


def stands_alone(head: str, name: str, lang: str) -> bool:
    """Whether a call without arguments is a magic word; ``name`` is ``head`` in lower case."""
    return name in VARIABLES or head.strip() in _own_words(lang)[0]


def english_name(name: str, lang: str) -> str:
    """The English form of a parser function's name, given in lower case with spaces."""
    return _own_words(lang)[1].get(name, name)


@cache
def _own_words(lang: str) -> tuple[dict[str, str], dict[str, str]]:
    """A wiki's own words in English: those that stand alone, as written, and functions.

    Names of functions are in lower case, with spaces for underscores, as ``render`` reads them.
    """
    alone: dict[str, str] = {}
    functions: dict[str, str] = {}
    for english, forms in facts_of(lang).words.items():
        if english in VARIABLES:
            alone.update(dict.fromkeys(forms, english))
        if english in _VALUES_OF_TITLES or english not in VARIABLES:
            functions |= {form.replace("_", " ").lower(): english for form in forms}
    return alone, functions


def render(head: str, rest: str, page: Page) -> str | None:
    """What ``{{head|rest}}`` shows; None where it is no magic word with an evident value."""
    name, colon, first = head.partition(":")
    written = name.replace(HOLE, "").strip()
    name = english_name(written.replace("_", " ").lower(), page.lang)
    if not colon:
        own = _own_words(page.lang)[0].get(written)
        variable = VARIABLES.get(own or name.replace(" ", ""))
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
        return without_groups(first, page.lang)
    return format_numbers(first, page.lang)


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
        elif english_name(key.lower(), page.lang) == "#default":
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


def _expr(first: str, rest: str, page: Page) -> str:
    try:
        value = evaluate(_plain(first))
    except ExpressionError:
        return ""
    return "" if value is None else show_value(value)


def _ifexpr(first: str, rest: str, page: Page) -> str:
    """A branch; nothing for an expression that MediaWiki shows an error for."""
    yes, no = _branches(rest)
    try:
        return yes if evaluate(_plain(first)) else no
    except ExpressionError:
        return ""


def _plain(expression: str) -> str:
    return expression.replace(HOLE, "").replace(EDGE, "").replace(EQUALS, "=")


def _iferror(first: str, rest: str, page: Page) -> str:
    """A hole stands for an error: there is nothing else that could be shown."""
    branches = split_arguments(rest) if rest else []
    if first.replace(HOLE, "") or not branches:
        return branches[1].strip() if len(branches) > 1 else first
    return branches[0].strip()


def _tag(first: str, rest: str, page: Page) -> str:
    """``{{#tag:name|content|attribute=value}}``: what the tag itself would show."""
    name = first.lower()
    content, *attributes = split_arguments(rest)
    if name in EXTENSIONS:
        source = content.replace(PIPE, "|").replace(EQUALS, "=").replace(EDGE, "")
        source = page.restore(source.replace(HOLE, ""))
        return extension(name, " ".join(attributes), source, page)
    return f"<{name}>{content}</{name}>" if name.isalpha() else content


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
    "#expr": _expr,
    "#ifexpr": _ifexpr,
    "#iferror": _iferror,
    "#tag": _tag,
    "pagename": lambda first, rest, page: first.partition(":")[2] or first,
    "fullpagename": lambda first, rest, page: first,
    "ns": lambda first, rest, page: "",
}
