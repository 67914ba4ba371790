"""One wiki's names of namespaces, its redirect words and its rule for first letters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from crossic_etl.kernels.wiki_facts import canonical_code, facts_of, interwiki_codes

NAMESPACE_NUMBERS = {
    "media": -2,
    "special": -1,
    "talk": 1,
    "user": 2,
    "user talk": 3,
    "project": 4,
    "wikipedia": 4,
    "wp": 4,
    "project talk": 5,
    "wikipedia talk": 5,
    "file": 6,
    "image": 6,
    "file talk": 7,
    "image talk": 7,
    "mediawiki": 8,
    "mediawiki talk": 9,
    "template": 10,
    "template talk": 11,
    "help": 12,
    "help talk": 13,
    "category": 14,
    "category talk": 15,
    "portal": 100,
    "portal talk": 101,
    "draft": 118,
    "draft talk": 119,
    "timedtext": 710,
    "timedtext talk": 711,
    "module": 828,
    "module talk": 829,
}
"""The English names, which every wiki understands beside its own."""


@dataclass(frozen=True)
class Wiki:
    """One wiki's names and rules, from its dump's ``<siteinfo>`` where there is one.

    ``namespaces`` maps a casefolded namespace name or alias, spaces for underscores, to its number.
    ``first_letter`` is MediaWiki's ``<case>``: True where titles begin with an upper-case letter.
    ``redirect_words`` are casefolded and carry their ``#``.
    """

    lang: str
    first_letter: bool = True
    namespaces: Mapping[str, int] = field(default_factory=lambda: dict(NAMESPACE_NUMBERS))
    redirect_words: tuple[str, ...] = ("#redirect",)

    @classmethod
    def of(cls, lang: str) -> Wiki:
        """The wiki by our own tables, for input without ``<siteinfo>``; ``lang`` in any form."""
        return _known(canonical_code(lang))


@cache
def _known(code: str) -> Wiki:
    facts = facts_of(code)
    namespaces = dict(NAMESPACE_NUMBERS)
    for number, names in facts.namespaces.items():
        namespaces.update((name.casefold(), number) for name in names)
    words = ["#redirect", *(_folded(word) for word in facts.redirect)]
    return Wiki(code, facts.first_letter, namespaces, tuple(dict.fromkeys(words)))


def _folded(word: str) -> str:
    """The word casefolded. The Turkish İ becomes i, which stands for İ and ı in a pattern."""
    return word.casefold().replace("i\u0307", "i")


@cache
def language_codes() -> frozenset[str]:
    """The codes with which a link to the same subject on another Wikipedia begins."""
    return interwiki_codes()
