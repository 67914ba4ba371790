"""Codes, names and number forms of each Wikipedia, from ``wikitext/data/wikis.tsv``.

The table has a line for each wiki, and a line is parsed when its wiki is asked for.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

# Not a path: on a cluster the package may be imported from an archive.
_DATA = files("crossic_etl.kernels") / "wikitext" / "data"


@dataclass(frozen=True)
class NumberForm:
    """How a wiki's ``formatnum`` writes numbers.

    ``least`` is the number of digits from which a number is grouped. The last group has three
    digits, the others ``further``. ``digits`` are ten, or none where they are ASCII's.
    """

    thousands: str = ","
    decimal: str = "."
    least: int = 4
    further: int = 3
    digits: str = ""


@dataclass(frozen=True)
class WikiFacts:
    """What the table knows of a wiki, beside the English names that all wikis understand.

    ``namespaces`` maps a number to names, ``words`` a magic word to the wiki's own forms of it.
    ``switches`` are the wiki's forms of ``__NOTOC__`` and its like. All are written as MediaWiki
    has them, but namespaces have spaces for underscores.
    """

    namespaces: Mapping[int, tuple[str, ...]]
    redirect: tuple[str, ...] = ()
    first_letter: bool = True
    numbers: NumberForm = NumberForm()
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    switches: tuple[str, ...] = ()


_NOTHING = WikiFacts({})


@cache
def _lines() -> dict[str, bytes]:
    """Each wiki's codes, separated by spaces, with its facts as JSON."""
    lines = (_DATA / "wikis.tsv").read_bytes().splitlines()
    pairs = (line.partition(b"\t")[::2] for line in lines if line[:1] != b"#")
    return {codes.decode("ascii"): facts for codes, facts in pairs}


@cache
def _codes() -> dict[str, str]:
    """Each form of a code, and each database's name, to the table's key."""
    found = {}
    for key, facts in _lines().items():
        codes = key.split(" ")
        own = json.loads(facts)["database"] if facts.startswith(b'{"database"') else ""
        database = own or _database_of(codes[0])
        names = [*codes, database, database.removesuffix("wiki").replace("_", "-")]
        found.update(dict.fromkeys(names, key))
    return found


def _database_of(code: str) -> str:
    return code.replace("-", "_") + "wiki"


@cache
def canonical_code(code: str) -> str:
    """The code of a wiki's address, such as ``zh-min-nan``, for any form of its code.

    Forms are ``nan``, ``zh_min_nan`` and the database's name ``zh_min_nanwiki``. A code that the
    table doesn't have comes back with hyphens for underscores.
    """
    key = _codes().get(code) or _codes().get(code.replace("_", "-"))
    return key.partition(" ")[0] if key else code.replace("_", "-")


@cache
def forms_of(code: str) -> tuple[str, ...]:
    """All codes of a wiki, the canonical one first."""
    canonical = canonical_code(code)
    key = _codes().get(canonical, canonical)
    older = database_of(code).removesuffix("wiki").replace("_", "-")
    return tuple(dict.fromkeys([*key.split(" "), older]))


@cache
def database_of(code: str) -> str:
    """The database name of a wiki, such as ``zh_min_nanwiki``, for any form of its code.

    Dumps are named by it.
    """
    canonical = canonical_code(code)
    line = _lines().get(_codes().get(canonical, ""), b"{}")
    return str(json.loads(line).get("database") or _database_of(canonical))


@cache
def facts_of(code: str) -> WikiFacts:
    """The facts of a wiki; none of them where the table doesn't have the code."""
    line = _lines().get(_codes().get(canonical_code(code), ""))
    if line is None:
        return _NOTHING
    facts: dict[str, Any] = json.loads(line)
    return WikiFacts(
        namespaces={int(n): tuple(names) for n, names in facts["namespaces"].items()},
        redirect=tuple(facts.get("redirect", ())),
        first_letter=facts.get("first_letter", True),
        numbers=NumberForm(*facts["numbers"]),
        words={word: tuple(forms) for word, forms in facts.get("words", {}).items()},
        switches=tuple(facts.get("switches", ())),
    )


@cache
def wiki_codes() -> tuple[str, ...]:
    """The canonical codes of all wikis of the table."""
    return tuple(key.partition(" ")[0] for key in _lines())


@cache
def interwiki_codes() -> frozenset[str]:
    """All forms of all codes, and the other prefixes of links to a Wikipedia."""
    forms = (form for form in _codes() if not form.endswith("wiki"))
    return frozenset(forms) | frozenset(_written()["prefixes"])


@cache
def _written() -> dict[str, Any]:
    import yaml  # here, as a worker that reads links is sent its wikis and reads no codes

    _LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    table: dict[str, Any] = yaml.load((_DATA / "codes.yaml").read_text("utf-8"), Loader=_LOADER)
    return table


@cache
def _meant() -> dict[str, tuple[str, str]]:
    return {
        form: (code, names[0])
        for code, names in _written()["meant"].items()
        for form in str(names[1]).split()
    }


def meant_by(code: str) -> tuple[str, str] | None:
    """The code and the English name of the language that a mistaken code, ``jp``, stands for."""
    return _meant().get(code.lower().replace("_", "-"))
