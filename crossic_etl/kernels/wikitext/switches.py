"""Behaviour switches, ``__NOTOC__`` and its like, in English and in each wiki's own words."""

from __future__ import annotations

import re
from functools import cache

from crossic_etl.kernels.wiki_facts import facts_of

# The English ones, those of languages whose switches other wikis use, and any word of another
# alphabet.
_COMMON = (
    r"__(?:(?i:(?:no|force)?toc|nogallery)|(?:NO)?(?:INDEX|EDITSECTION|NEWSECTIONLINK|GLOBAL|CC|TC"
    r"|CONTENTCONVERT|TITLECONVERT)|HIDDENCAT|EXPECTUNUSED(?:CATEGORY|TEMPLATE)"
    r"|STATICREDIRECT|DISAMBIG|EXPECTED_UNCONNECTED_PAGE"
    r"|(?:NO|SIN|SEM|N[AÃ]O|FORZAR|FOR[CÇ]AR)?_?(?:TDC|TOC|GALER[IÍ]A|SUM[AÁ]RIO|INDEXAR)"
    r"|(?:NO|N[AÃ]O|SEM)_?EDITAR_?SE[CÇ][A-ZÃÓ]{2,4}|CATEGOR[IÍ]A_?OCULTA|DESAMBIGUACI[OÓ]N"
    r"|[^\x00-\x7f][^\s_=|\[\]{}<>]{1,30}(?:_[^\s_=|\[\]{}<>]{1,30}){0,3})__"
)
_WIDE = "＿＿"


def drop_switches(text: str, lang: str) -> str:
    """``text`` without the switches of the wiki of ``lang``."""
    if "__" not in text and _WIDE not in text:
        return text
    return _pattern(lang).sub("", text)


@cache
def _pattern(lang: str) -> re.Pattern[str]:
    own = sorted(facts_of(lang).switches, key=len, reverse=True)
    return re.compile("|".join([*(f"(?i:{re.escape(word)})" for word in own), _COMMON]))
