"""Which pages only tell apart the meanings of a title."""

from __future__ import annotations

import re
from functools import cache

from crossic_etl.kernels.wikitext.tables import load_yaml

_NAME = re.compile(r"\{\{([^{}|\n]{1,80})")


def is_disambiguation(source: str, lang: str) -> bool:
    """Whether a page carries ``__DISAMBIG__`` or a disambiguation template of its wiki."""
    if "__DISAMBIG__" in source:
        return True
    names = disambiguation_templates(lang)
    return any(name.replace("_", " ").strip().casefold() in names for name in _NAME.findall(source))


@cache
def disambiguation_templates(lang: str) -> frozenset[str]:
    """The disambiguation templates, casefolded, of the wiki of ``lang``, and the English ones."""
    table = load_yaml("disambiguation.yaml")
    return frozenset(str(name).casefold() for key in ("en", lang) for name in table.get(key, ()))
