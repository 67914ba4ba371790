"""Templates for numbers with units."""

from __future__ import annotations

import re
from collections.abc import Callable

from crossic_etl.kernels.wikitext.call import Call, is_count
from crossic_etl.kernels.wikitext.html import raised
from crossic_etl.kernels.wikitext.measures import show_measure
from crossic_etl.kernels.wikitext.numbers import format_number
from crossic_etl.kernels.wikitext.tables import load_yaml
from crossic_etl.kernels.wikitext.units import unit_symbol, with_unit

_VALUE = re.compile(r"[-−–+]?[0-9.,]*[0-9](?:\s*[+/⁄]+\s*[0-9]+)*(?:e[-+]?[0-9]+)?", re.I)
_RANGES = {
    "-": "–", "–": "–", "to": " to ", "and": " and ", "or": " or ", "by": " by ", "x": " × ",
    "×": " × ", "*": " × ", "+/-": " ± ", "±": " ± ", "xx": " × ", "to(-)": " to ", "to-": " to ",
    "and(-)": " and ", "&": " & ", "e": " a ", "a": " a ", "até": " até ", "y": " y ", "o": " o ",
    ",": ", ", "—": "–", "~": "~", "إلى": " إلى ", "ถึง": " ถึง ", "から": "から",
    "+": " + ", "per": " per ", "/": " / ", "−": "–",
}  # fmt: skip


_ENGLISH = frozenset({"en", "simple"})


def _joint(word: str, lang: str) -> str:
    words = load_yaml("words.yaml").get(lang, {}).get("range", {})
    return str(words.get(word, _RANGES[word]))


def _convert(call: Call) -> str:
    """The measure as the author wrote it: ``{{convert|5|to|6|km|mi}}`` is 5 to 6 km.

    What the template would work out (3.1 to 3.7 mi) is not.
    """
    lang = call.page.lang
    if lang in _ENGLISH:
        return show_measure(call)
    values = call.positional()
    shown = ""
    index = 0
    while index < len(values) and _VALUE.fullmatch(values[index]):
        value = _number(values[index], call)
        index += 1
        if index >= len(values):
            return shown + value
        follower = values[index]
        ranges = follower.lower() in _RANGES and _VALUE.fullmatch("".join(values[index + 1 :][:1]))
        if ranges:
            shown += value + _joint(follower.lower(), lang)
            index += 1
            continue
        shown += with_unit(value, unit_symbol(follower, lang))
        index += 1
        if "".join(values[index + 1 :][:1]).lower() not in _COMPOUND:
            return shown
        if not _VALUE.fullmatch(values[index]):
            return shown
        shown += " "
    return shown or (values[0] if values else "")


_COMPOUND = frozenset({"in", "ft", "oz", "lb", "lbs", "chain", "st", "mi", "yd", "pt", "qt", "cwt"})


def _number(text: str, call: Call) -> str:
    if "+" in text[1:] and "/" in text:
        return text.replace("+", " ", 1)
    return text if call.first("comma") == "off" else format_number(text, call.page.lang)


def _fraction(call: Call) -> str:
    values = call.positional()
    if len(values) == 1:
        return f"1/{values[0]}"
    if len(values) == 2:
        return f"{values[0]}/{values[1]}"
    return f"{values[0]} {values[1]}/{values[2]}" if len(values) == 3 else ""


def _height(call: Call) -> str:
    lang = call.page.lang
    if lang in _ENGLISH:
        return show_measure(Call("cvt", _height_as_measure(call), call.page))
    parts = [
        with_unit(format_number(call.first(key), lang), unit_symbol(key, lang))
        for key in ("m", "cm", "ft", "in")
        if call.first(key)
    ]
    return " ".join(parts)


def _height_as_measure(call: Call) -> str:
    for metric in ("m", "cm"):
        if call.first(metric):
            return f"{call.first(metric)}|{metric}|ftin"
    feet, inches = call.first("ft"), call.first("in")
    shown = f"{feet}|ft|{inches}|in|m" if inches else f"{feet}|ft|m|2"
    return shown + ("|abbr=off" if call.first("abbr") in ("no", "off") else "")


def _unit_of_number(call: Call) -> str:
    """``{{unidad|5000|km}}``: a grouped number before its unit."""
    value, unit = call.first("1"), call.first("2")
    if not value:
        return ""
    exponent = call.first("e", "3") if call.first("e", "3").lstrip("-−").isdecimal() else ""
    shown = format_number(value, call.page.lang) + ("×10" + raised(exponent) if exponent else "")
    return with_unit(shown, unit_symbol(unit, call.page.lang))


def _round(call: Call) -> str:
    try:
        number, places = float(call.first("1")), int(call.first("2") or "0")
        return format_number(f"{number:.{min(max(places, 0), 15)}f}", call.page.lang)
    except ValueError:
        return call.first("1")


def _ordinal(call: Call) -> str:
    """1st, 2nd, 3rd, 4th, and 11th to 13th."""
    number = call.first("1")
    if not number.isdecimal():
        return number
    tens = number[-2:-1] == "1"
    return number + ("th" if tens else {"1": "st", "2": "nd", "3": "rd"}.get(number[-1], "th"))


def _century(call: Call) -> str:
    """``{{siglo|V|a|s}}``: siglo V a. C.; the word stands only where the third argument asks."""
    number, era, word = call.first("1"), call.first("2").lower(), call.first("3")
    if not number:
        return ""
    shown = {"s": "siglo ", "S": "Siglo "}.get(word[:1], "") + roman(number)
    return shown + {"a": " a. C.", "d": " d. C."}.get(era[:1], "")


def roman(number: str) -> str:
    """A whole number below 40 in Roman numerals; anything else as it is."""
    if not is_count(number) or not 0 < int(number) < 40:
        return number
    tens, ones = divmod(int(number), 10)
    return "X" * tens + ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX")[ones]


QUANTITY_FUNCTIONS: dict[str, Callable[[Call], str]] = {
    "convert": _convert,
    "fraction": _fraction,
    "height": _height,
    "unit": _unit_of_number,
    "round": _round,
    "ordinal": _ordinal,
    "century": _century,
}
