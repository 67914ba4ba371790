"""Which template renders how: the tables in ``data/templates`` and what their rules mean."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, lru_cache

from crossic_etl.kernels.wikitext import magic
from crossic_etl.kernels.wikitext.call import Call
from crossic_etl.kernels.wikitext.functions import FILTERS, FUNCTIONS, country_name
from crossic_etl.kernels.wikitext.guesses import guess
from crossic_etl.kernels.wikitext.page import EDGE, HOLE, Page
from crossic_etl.kernels.wikitext.tables import load_yaml

_PLACE = re.compile(r"\{([^{}:]+)(?::([a-z]+))?\}")
_OPTIONAL = re.compile(r"\[\[(.*?)\]\]", re.DOTALL)
_MAX_NAME = 80
_TEMPLATE = 10
# Notes and icons: what they leave is a hole in no sentence.
_NOTES = (
    "efn", "refn", "sfn", "note", "nota", "cite", "citation", "citar", "cita", "cn", "fact", "r",
    "rp", "flagicon", "flag icon", "flagdeco", "bandera", "bandeira", "icon",
)  # fmt: skip
_NOTE = re.compile(rf"(?:{'|'.join(_NOTES)})(?:[ -].*|[a-z]{{0,2}})?")

# Wikis that took their templates over from the English one with their names.
_ENGLISH = frozenset({
    "en", "simple", "ar", "bn", "es", "hi", "id", "ja", "ko", "ml", "ms", "pt", "ta", "te", "th",
    "tl", "ur", "vi", "zh", "zh-yue",
})  # fmt: skip

Renderer = Callable[[Call], str]


@dataclass
class _Rules:
    """Renderers by whole name, by beginning, end and pattern of a name."""

    names: dict[str, Renderer] = field(default_factory=dict)
    starts: list[tuple[str, Renderer]] = field(default_factory=list)
    ends: list[tuple[str, Renderer]] = field(default_factory=list)
    patterns: list[tuple[re.Pattern[str], Renderer]] = field(default_factory=list)

    def add(self, name: str, renderer: Renderer) -> None:
        """Make ``renderer`` that of the names that the table's ``name`` means."""
        if len(name) > 2 and name[0] == name[-1] == "/":
            self.patterns.append((re.compile(name[1:-1], re.IGNORECASE), renderer))
            return
        name = name.replace("_", " ").lower()
        if len(name) > 1 and name.endswith("*"):
            self.starts.append((name[:-1], renderer))
        elif len(name) > 1 and name.startswith("*"):
            self.ends.append((name[1:], renderer))
        else:
            self.names[name] = renderer

    def find(self, name: str, written: str) -> Renderer | None:
        """The renderer of a template, given its name in lower case and as it is written."""
        rule = self.names.get(name)
        if rule is not None or len(name) > _MAX_NAME:
            return rule
        for pattern, renderer in self.patterns:
            if match := pattern.fullmatch(written):
                return _with_groups(renderer, match.groupdict(""))
        rule = next((each for start, each in self.starts if name.startswith(start)), None)
        return rule or next((each for end, each in self.ends if name.endswith(end)), None)


def render(inner: str, page: Page, in_line: bool = False) -> str:
    """What the call ``{{inner}}`` shows: a rule's text, or a hole that is counted by name.

    ``in_line`` says that the wiki has no table of its own, and that text stands before and after
    the call on its line: there the words of a call that nobody names are shown.
    """
    head, _, rest = inner.partition("|")
    name, rule, counted, may_be_magic = _named(page.lang, head)
    if may_be_magic:
        shown = magic.render(head, rest, page)
        if shown is not None:
            return shown
        prefix, _, after = name.rpartition(":")
        called = magic.english_name(prefix, page.lang) in ("subst", "safesubst", "msg")
        if called or page.wiki.namespaces.get(prefix) == _TEMPLATE:
            name, rule, counted, _ = _named(page.lang, after)
    if rule is not None:
        shown = rule(Call(name, rest, page))
        if shown:
            return _fenced(shown) if shown[0] in "*#:;" else shown
    if in_line and rule is None and (shown := guess(name, rest)):
        return shown
    page.left_out[counted] += 1
    # Doubled, it is no value that "or" could stand beside.
    return HOLE * 2 if _NOTE.fullmatch(name) else HOLE


@lru_cache(maxsize=65536)
def _named(lang: str, head: str) -> tuple[str, Renderer | None, str, bool]:
    """A call's name as rules know it, its rule, if any, and the name under which it is counted.

    Last, whether it may be a magic word, which a rule of that name would hide.
    """
    written = " ".join(head.replace(HOLE, "").replace(EDGE, "").replace("_", " ").split())
    name = written.lower()
    rule = find_rule(lang, written)
    may_be_magic = rule is None and (":" in name or magic.stands_alone(head, name, lang))
    return name, rule, "template:" + name[:_MAX_NAME].strip(), may_be_magic


def _fenced(shown: str) -> str:
    """A list, which begins a line as in MediaWiki, or a text whose first sign makes no list."""
    is_list = shown[1:2] in " *#:;" or f"\n{shown[0]}" in shown
    return "\n" + shown if is_list else EDGE + shown


def find_rule(lang: str, name: str) -> Renderer | None:
    """The renderer of the template ``name`` on the wiki of ``lang``, if any.

    The wiki's own rules go before those it shares with others.
    """
    for rules in _rules(lang):
        if rule := rules.find(name.lower(), name):
            return rule
    return None


@cache
def own_names(lang: str) -> int:
    """How many names and patterns of templates the wiki of ``lang`` has rules of its own for."""
    own = _rules(lang)[0]
    return sum(map(len, (own.names, own.starts, own.ends, own.patterns)))


@cache
def _rules(lang: str) -> tuple[_Rules, _Rules]:
    """The wiki's own rules, and those it shares with others, with its names of countries."""
    own, common = _Rules(), _Rules()
    tables = [(common, "common"), (common, "english")] if lang in _ENGLISH else [(common, "common")]
    tables.append((own, "en" if lang == "simple" else lang))
    for rules, table in tables:
        for rule, called in load_yaml(f"templates/{table}.yaml").items():
            renderer = _compile(rule)
            for name in called:
                rules.add(str(name), renderer)
    for code in load_yaml("countries.yaml"):
        if name := country_name(str(code), lang):
            common.names.setdefault(str(code).lower(), _constant(name))
    return own, common


def _with_groups(renderer: Renderer, groups: dict[str, str]) -> Renderer:
    return (lambda call: renderer(call.including(groups))) if groups else renderer


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
            if text is None:
                return ""
            found = found or filled
            if filled or not optional:
                shown.append(text)
        return "".join(shown) if found else ""

    return show


def _fill(text: str) -> Callable[[Call], tuple[str | None, bool]]:
    """A function that puts arguments in the places of ``text`` and says whether it found any.

    It gives None where a filter knows no value for an argument: the rule isn't for that call.
    """
    literals = _PLACE.split(text)[::3]
    places = [
        (tuple(match[1].split("|")), FILTERS[match[2]] if match[2] else None)
        for match in _PLACE.finditer(text)
    ]

    def fill(call: Call) -> tuple[str | None, bool]:
        shown = [literals[0]]
        found = False
        for (keys, change), literal in zip(places, literals[1:], strict=True):
            value = call.first(*keys)
            if value:
                found = True
                value = change(value, call.page.lang) if change else value
                if not value:
                    return None, False
            shown += (value or HOLE, literal)
        return "".join(shown), found

    return fill
