"""Which template renders how: the tables in ``data/templates`` and what their rules mean."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache

from crossic_etl.kernels.wikitext import magic
from crossic_etl.kernels.wikitext.call import Call
from crossic_etl.kernels.wikitext.functions import FILTERS, FUNCTIONS, country_name
from crossic_etl.kernels.wikitext.page import EDGE, HOLE, Page
from crossic_etl.kernels.wikitext.tables import load_yaml

_PLACE = re.compile(r"\{([^{}:]+)(?::([a-z]+))?\}")
_OPTIONAL = re.compile(r"\[\[(.*?)\]\]")
_MAX_NAME = 80
_TEMPLATE = 10
# Notes and icons: what they leave is a hole in no sentence.
_NOTES = (
    "efn", "refn", "sfn", "note", "nota", "cite", "citation", "citar", "cita", "cn", "fact", "r",
    "rp", "flagicon", "flag icon", "flagdeco", "bandera", "bandeira", "icon",
)  # fmt: skip
_NOTE = re.compile(rf"(?:{'|'.join(_NOTES)})(?:[ -].*|[a-z]{{0,2}})?")

Renderer = Callable[[Call], str]
_Part = tuple[str, Renderer]


def render(inner: str, page: Page) -> str:
    """What the call ``{{inner}}`` shows: a rule's text, or a hole that is counted by name."""
    head, _, rest = inner.partition("|")
    name, rule, counted = _named(page.lang, head)
    if rule is None and (":" in name or name in magic.NAMES):
        shown = magic.render(head, rest, page)
        if shown is not None:
            return shown
        prefix, _, after = name.rpartition(":")
        if prefix in ("subst", "safesubst", "msg") or page.wiki.namespaces.get(prefix) == _TEMPLATE:
            name, rule, counted = _named(page.lang, after)
    if rule is not None:
        shown = rule(Call(name, rest, page))
        if shown:
            return _fenced(shown) if shown[0] in "*#:;" else shown
    page.left_out[counted] += 1
    # Doubled, it is no value that "or" could stand beside.
    return HOLE * 2 if _NOTE.fullmatch(name) else HOLE


@lru_cache(maxsize=65536)
def _named(lang: str, head: str) -> tuple[str, Renderer | None, str]:
    """A call's name as rules know it, its rule, if any, and the name under which it is counted."""
    name = head.replace(HOLE, "").replace(EDGE, "").replace("_", " ").strip().lower()
    return name, find_rule(lang, name), "template:" + " ".join(name[:_MAX_NAME].split())


def _fenced(shown: str) -> str:
    """A list, which begins a line as in MediaWiki, or a text whose first sign makes no list."""
    is_list = shown[1:2] in " *#:;" or f"\n{shown[0]}" in shown
    return "\n" + shown if is_list else EDGE + shown


def find_rule(lang: str, name: str) -> Renderer | None:
    """The renderer of the template ``name``, in lower case, on the wiki of ``lang``, if any."""
    names, starts, ends = _rules(lang)
    rule = names.get(name)
    if rule is None and len(name) <= _MAX_NAME:
        rule = next((each for start, each in starts if name.startswith(start)), None)
        rule = rule or next((each for end, each in ends if name.endswith(end)), None)
    return rule


@cache
def _rules(lang: str) -> tuple[dict[str, Renderer], list[_Part], list[_Part]]:
    """Renderers by whole name, beginning and end; the wiki's own over the common ones."""
    names: dict[str, Renderer] = {}
    starts: list[_Part] = []
    ends: list[_Part] = []
    for table in ("common", lang):
        for rule, called in load_yaml(f"templates/{table}.yaml").items():
            renderer = _compile(rule)
            for name in (str(each).replace("_", " ").lower() for each in called):
                if len(name) > 1 and name.endswith("*"):
                    starts.append((name[:-1], renderer))
                elif len(name) > 1 and name.startswith("*"):
                    ends.append((name[1:], renderer))
                else:
                    names[name] = renderer
    for code in load_yaml("countries.yaml"):
        if name := country_name(str(code), lang):
            names.setdefault(str(code).lower(), _constant(name))
    return names, starts, ends


def _constant(text: str) -> Renderer:
    return lambda call: text


def _compile(rule: str) -> Renderer:
    """A renderer from a rule: ``=function``, or text with ``{argument|other:filter}`` places."""
    if rule.startswith("="):
        return FUNCTIONS[rule[1:]]
    if not _PLACE.search(rule):
        return _constant(rule or HOLE)
    texts = _OPTIONAL.split(rule)
    parts = [(_fill(text), bool(number % 2)) for number, text in enumerate(texts)]
    alone = not any(_PLACE.search(text) for text in texts[::2])

    def show(call: Call) -> str:
        shown = []
        found = alone
        for fill, optional in parts:
            text, filled = fill(call)
            found = found or filled
            if filled or not optional:
                shown.append(text)
        return "".join(shown) if found else ""

    return show


def _fill(text: str) -> Callable[[Call], tuple[str, bool]]:
    """A function that puts arguments in the places of ``text`` and says whether it found any."""
    literals = _PLACE.split(text)[::3]
    places = [
        (tuple(match[1].split("|")), FILTERS[match[2]] if match[2] else None)
        for match in _PLACE.finditer(text)
    ]

    def fill(call: Call) -> tuple[str, bool]:
        shown = [literals[0]]
        found = False
        for (keys, change), literal in zip(places, literals[1:], strict=True):
            value = call.first(*keys)
            if value:
                found = True
                value = change(value, call.page.lang) if change else value
            shown += (value or HOLE, literal)
        return "".join(shown), found

    return fill
