"""Behaviour switches, ``__NOTOC__`` and its like, in English and in each wiki's own words."""

from __future__ import annotations

import re
from functools import cache

from crossic_etl.kernels.wiki_facts import facts_of

# The English ones, those of languages whose switches other wikis use, and any word of another
# alphabet.
_COMMON = (
    r"(?i:(?:no|force)?toc|nogallery)|(?:NO)?(?:INDEX|EDITSECTION|NEWSECTIONLINK|GLOBAL|CC|TC"
    r"|CONTENTCONVERT|TITLECONVERT)|HIDDENCAT|EXPECTUNUSED(?:CATEGORY|TEMPLATE)"
    r"|STATICREDIRECT|DISAMBIG|EXPECTED_UNCONNECTED_PAGE"
    r"|(?:NO|SIN|SEM|N[AÃ]O|FORZAR|FOR[CÇ]AR)?_?(?:TDC|TOC|GALER[IÍ]A|SUM[AÁ]RIO|INDEXAR)"
    r"|(?:NO|N[AÃ]O|SEM)_?EDITAR_?SE[CÇ][A-ZÃÓ]{2,4}|CATEGOR[IÍ]A_?OCULTA|DESAMBIGUACI[OÓ]N"
    r"|[^\x00-\x7f][^\s_=|\[\]{}<>]{1,30}(?:_[^\s_=|\[\]{}<>]{1,30}){0,3}"
)
_ENDS, _WIDE = "__", "＿＿"


def drop_switches(text: str, lang: str) -> str:
    """``text`` without the switches of the wiki of ``lang``."""
    for ends, pattern in _patterns(lang).items():
        if ends in text:
            text = pattern.sub("", text)
    return text


@cache
def _patterns(lang: str) -> dict[str, re.Pattern[str]]:
    """The switches of a wiki by what stands at both their ends, which lets a search skip text."""
    switches = facts_of(lang).switches
    found = {}
    for ends in (_ENDS, _WIDE):
        own = [word[2:-2] for word in switches if word.startswith(ends)]
        words = [f"(?i:{re.escape(word)})" for word in sorted(own, key=len, reverse=True)]
        words += [_COMMON] if ends == _ENDS else []
        if words:
            found[ends] = re.compile(f"{ends}(?:{'|'.join(words)}){ends}")
    return found
