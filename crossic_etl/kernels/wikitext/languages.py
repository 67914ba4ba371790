"""Templates that name a language or show a text in one, with its readings."""

from __future__ import annotations

import re
from collections.abc import Callable

from crossic_etl.kernels.wikis import language_codes
from crossic_etl.kernels.wikitext.call import Call
from crossic_etl.kernels.wikitext.tables import load_yaml


def _language(call: Call) -> str:
    """``{{lang-fr|text}}``: the language's name before its text, where the wiki shows it so."""
    code = call.name.partition("-")[2]
    if call.name in ("langx", "llang", "llangx", "língua com nome"):
        code, text = call.first("1"), call.first("2", "text")
    else:
        text = call.first("1", "text")
    if not text or call.first("label", "links").lower() == "none":
        return text
    names = load_yaml("languages.yaml").get(call.page.lang, {})
    name = names.get(code) or names.get(call.name)
    if not name and not code.endswith("-short"):
        name = names.get(code.partition("-")[0])
    if not name and call.page.lang == "ar" and not call.name.isascii() and not code:
        name = "بال" + call.name
    text += _gloss(call, text) if call.page.lang == "en" else ""
    if not name:
        return text
    return str(names["form"]).replace("{language}", name).replace("{text}", text)


def language_name(code: str, lang: str) -> str:
    """What the wiki of ``lang`` puts before a text in the language of ``code``; "" if unknown."""
    names = load_yaml("languages.yaml").get(lang, {})
    return str(names.get(code.lower()) or names.get(code.lower().partition("-")[0]) or "")


_LATIN = re.compile("[A-Za-z]")


def _gloss(call: Call, text: str) -> str:
    """What follows a text in another script: its romanization and what it means."""
    place = 3 if call.name == "langx" else 2
    latin = call.first("translit", "tr", "rom") or (
        "" if _LATIN.search(text) else call.first(str(place))
    )
    meaning = call.first("lit", "translation") or (
        "" if _LATIN.search(text) else call.first(str(place + 1))
    )
    shown = f", romanized: {latin}" if latin and latin != "-" else ""
    return shown + (f", lit. '{meaning}'" if meaning else "")


def _words(lang: str, kind: str) -> dict[str, str]:
    table = load_yaml("words.yaml")
    return {**table["en"][kind], **table.get(lang, {}).get(kind, {})}


def _labelled(call: Call, labels: dict[str, str]) -> str:
    bare = call.first("labels").lower() == "no"
    shown = [
        value if bare else f"{label}: {value}"
        for key, label in labels.items()
        if (value := call.first(key))
    ]
    return "; ".join(shown)


_CHINESE = {
    "w": "Wade–Giles",
    "j": "Jyutping",
    "y": "Yale",
    "poj": "Pe̍h-ōe-jī",
    "l": "lit.",
}


def _chinese(call: Call) -> str:
    """``{{zh|t=...|p=...}}``: each form after its name, unless labels=no."""
    words = _words(call.page.lang, "chinese")
    shown = _labelled(call, {**words, "hp": words["p"], **_CHINESE})
    if shown:
        return shown
    return _language(call) if call.name.startswith("lang-") else call.first("1")


def _korean(call: Call) -> str:
    """``{{korean|hangul=...|hanja=...}}``: each form after its name."""
    words = _words(call.page.lang, "korean")
    return _labelled(call, {**words, "rr": "RR", "mr": "MR"}) or call.first("1")


def _etymology(call: Call) -> str:
    """``{{etymology|la|albedo|whiteness}}``: from Latin albedo 'whiteness'."""
    values = call.positional()
    names = load_yaml("languages.yaml").get("en", {})
    shown = []
    for code, word, meaning in zip(values[::3], values[1::3], [*values[2::3], ""], strict=False):
        gloss = f" '{meaning}'" if meaning else ""
        shown.append(f"from {names.get(code, code)} {word}{gloss}")
    return ", ".join(shown)


def _interlanguage(call: Call) -> str:
    """The text of a link to another wiki; in the old order of arguments its code is the first."""
    shown, title, text = (call.first(key) for key in ("1", "2", "3"))
    if text and shown in language_codes() and title not in language_codes():
        shown = text
    return call.first("lt", "label") or shown


def _nihongo(call: Call) -> str:
    """English, then in brackets the Japanese, its reading and what more there is."""
    shown, *rest = (call.arguments.get(key, "") for key in ("1", "2", "3", "4"))
    if not shown:
        shown, *rest = rest
    within = ", ".join(part for part in rest if part)
    tail = call.first("extra2", "5")
    shown = f"{shown} ({within})" if within and shown else shown or within
    return shown + (f" {tail}" if tail and shown else "")


LANGUAGE_FUNCTIONS: dict[str, Callable[[Call], str]] = {
    "language": _language,
    "chinese": _chinese,
    "korean": _korean,
    "etymology": _etymology,
    "interlanguage": _interlanguage,
    "nihongo": _nihongo,
}
