"""Rules that take more than a place in a text: the functions that the template tables name."""

from __future__ import annotations

from collections.abc import Callable

from crossic_etl.kernels.wikitext.call import Call
from crossic_etl.kernels.wikitext.dates import DATE_FUNCTIONS
from crossic_etl.kernels.wikitext.html import raised
from crossic_etl.kernels.wikitext.numbers import format_number
from crossic_etl.kernels.wikitext.page import HOLE
from crossic_etl.kernels.wikitext.quantities import QUANTITY_FUNCTIONS
from crossic_etl.kernels.wikitext.tables import load_yaml


def _joined(separator: str) -> Callable[[Call], str]:
    return lambda call: separator.join(value for value in call.positional() if value)


def _items(call: Call) -> str:
    items = [value for value in call.positional() if value]
    return "\n" + "".join(f"* {item}\n" for item in items) if items else ""


def _list(call: Call) -> str:
    """A list in columns; their number or width may stand before it as an argument."""
    parts = call.positional()
    shown = next((part for part in parts if part[:1] in "*#:;" and part), "") or call.first(
        "2", "1"
    )
    return f"\n{shown}\n" if shown else ""


def _blocks(call: Call) -> str:
    """Arguments that are blocks side by side, one below the other."""
    return "\n\n" + "\n\n".join(call.positional()) + "\n\n" if call.first("1") else ""


def _language(call: Call) -> str:
    """``{{lang-fr|text}}``: the language's name before its text, where the wiki shows it so."""
    code = call.name.partition("-")[2]
    if call.name in ("langx", "llang", "llangx"):
        code, text = call.first("1"), call.first("2", "text")
    else:
        text = call.first("1", "text")
    if not text or call.first("label", "links").lower() == "none" or code.endswith("-short"):
        return text
    names = load_yaml("languages.yaml").get(call.page.lang, {})
    name = names.get(code) or names.get(code.partition("-")[0]) or names.get(call.name)
    if not name and call.page.lang == "ar" and not call.name.isascii() and not code:
        name = "بال" + call.name
    if not name:
        return text
    return str(names["form"]).replace("{language}", name).replace("{text}", text)


_CHINESE = {
    "c": "Chinese",
    "s": "simplified Chinese",
    "t": "traditional Chinese",
    "p": "pinyin",
    "hp": "pinyin",
    "w": "Wade–Giles",
    "j": "Jyutping",
    "y": "Yale",
    "poj": "Pe̍h-ōe-jī",
    "l": "lit.",
}


def _chinese(call: Call) -> str:
    """``{{zh|t=...|p=...}}``: each form after its name, unless labels=no."""
    bare = call.first("labels").lower() == "no"
    shown = [
        value if bare else f"{label}: {value}"
        for key, label in _CHINESE.items()
        if (value := call.first(key))
    ]
    return "; ".join(shown) or call.first("1")


def _korean(call: Call) -> str:
    labels = {"hangul": "Korean", "hanja": "Hanja", "rr": "RR", "mr": "MR"}
    shown = [f"{name}: {value}" for key, name in labels.items() if (value := call.first(key))]
    return "; ".join(shown) or call.first("1")


def _sic(call: Call) -> str:
    text = "".join(call.positional())
    if not text or call.yes("hide"):
        return text or " [sic]"
    return f"{text} [sic]"


def _author_year(call: Call) -> str:
    """``{{harvtxt|Smith|Jones|2000|p=4}}`` within a sentence: Smith & Jones (2000)."""
    values = call.positional()
    if len(values) < 2:
        return ""
    authors = values[:-1]
    shown = authors[0] if len(authors) == 1 else ", ".join(authors[:-1]) + " & " + authors[-1]
    if len(authors) > 3:
        shown = f"{authors[0]} et al."
    return f"{shown} ({values[-1]})"


def _nihongo(call: Call) -> str:
    """English, then in brackets the Japanese, its reading and what more there is."""
    shown, *rest = (call.arguments.get(key, "") for key in ("1", "2", "3", "4"))
    if not shown:
        shown, *rest = rest
    within = ", ".join(part for part in rest if part)
    tail = call.first("extra2", "5")
    shown = f"{shown} ({within})" if within and shown else shown or within
    return shown + (f" {tail}" if tail and shown else "")


_ACCIDENTALS = {
    "flat": "♭", "b": "♭", "sharp": "♯", "#": "♯", "natural": "♮", "n": "♮",
    "doubleflat": "𝄫", "bb": "𝄫", "doublesharp": "𝄪", "x": "𝄪",
}  # fmt: skip


def _music(call: Call) -> str:
    return _ACCIDENTALS.get(call.first("1").lower(), "")


def _superscript(call: Call) -> str:
    text = call.first("1")
    return raised(text) if text.isdecimal() and text.isascii() else text


def _power_of_ten(call: Call) -> str:
    exponent = call.first("1")
    return "×10" + raised(exponent) if exponent else "×10"


def _quote(call: Call) -> str:
    """A block of its own; whoever said it stands after a dash on the next line."""
    text = call.first("text", "1", "quote", "content", "cita", "texto")
    if not text:
        return ""
    by = call.first("author", "by", "2", "sign", "autor", "col2")
    source = call.first("source", "3", "title", "fuente", "fonte")
    credit = ", ".join(part for part in (by, source) if part)
    return f"\n\n{text}\n" + (f"— {credit}\n" if credit else "") + "\n"


FUNCTIONS: dict[str, Callable[[Call], str]] = {
    "join": _joined(""),
    "words": _joined(" "),
    "commas": _joined(", "),
    "dots": _joined(" · "),
    "items": _items,
    "list": _list,
    "blocks": _blocks,
    "language": _language,
    "sic": _sic,
    "author year": _author_year,
    "nihongo": _nihongo,
    "music": _music,
    "chinese": _chinese,
    "korean": _korean,
    "text or blank": lambda call: call.first("1") or " ",
    "superscript": _superscript,
    "power of ten": _power_of_ten,
    "quote": _quote,
    **QUANTITY_FUNCTIONS,
    **DATE_FUNCTIONS,
}
"""Name in a table, after ``=``, to function: what the call shows, or nothing to leave it out."""

FILTERS: dict[str, Callable[[str, str], str]] = {
    "number": format_number,
    "superscript": lambda text, lang: raised(text),
    "optional": lambda text, lang: text.replace(HOLE, ""),
}
"""Name in a table, after ``:``, to what it does to an argument."""
