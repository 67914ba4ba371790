"""Templates for numbers with units."""

from __future__ import annotations

import re
from collections.abc import Callable

from crossic_etl.kernels.wikitext.call import Call
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


def _joint(word: str, lang: str) -> str:
    words = load_yaml("words.yaml").get(lang, {}).get("range", {})
    return str(words.get(word, _RANGES[word]))


def _convert(call: Call) -> str:
    """The measure as the author wrote it: ``{{convert|5|to|6|km|mi}}`` is 5 to 6 km.

    What the template would work out (3.1 to 3.7 mi) is not.
    """
    lang = call.page.lang
    if lang == "en":
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


_SCIENTIFIC = re.compile(r"(.*[0-9.])e([-+−]?[0-9]+)", re.IGNORECASE)
_VAL_JOINTS = {
    "-": "–", "–": "–", "to": " to ", "and": " and ", "or": " or ", "x": " × ", "×": " × ",
    "*": " × ", "by": " × ", ",": ", ", "/": "/",
}  # fmt: skip


def _val(call: Call) -> str:
    """A measured value: error, power of ten and unit follow it; or several values with a unit."""
    values = call.positional()
    lang = call.page.lang
    power = call.first("e", "10^")
    shown = ""
    if values and (number := _SCIENTIFIC.fullmatch(values[0])):
        values[0], power = number[1], power or number[2]
    if len(values) > 2 and values[1].lower() in _VAL_JOINTS:
        for value in values:
            shown += _VAL_JOINTS.get(value.lower()) or format_number(value, lang)
    elif values:
        shown = format_number(values[0], lang) + _uncertainty(values[1:])
    if power:
        shown = f"({shown})" if "±" in shown or "−" in shown[1:] else shown
        shown += ("×10" if shown else "10") + raised(power.lstrip("+"))
    shown = call.first("p") + shown + call.first("s", "end")
    unit, below = call.first("u", "ul"), call.first("up", "upl")
    if unit:
        symbol = _measured_in(unit, lang)
        shown = with_unit(shown, symbol) if shown else symbol
    return f"{shown}/{_measured_in(below, lang)}" if below else shown


def _uncertainty(values: list[str]) -> str:
    if len(values) == 1:
        return values[0] if values[0].startswith("(") else f"±{values[0]}" if values[0] else ""
    above, below = [*values, "", ""][:2]
    return f"+{above.lstrip('+')}−{below.lstrip('-−')}" if above and below else ""


_UNIT_POWER = re.compile(r"(?<=[A-Za-zΩμµ)])([-−]?[0-9]+)(?![A-Za-z])")


def _measured_in(unit: str, lang: str) -> str:
    """The symbol of a unit of ``val``: C and F are coulomb and farad, m.s-2 is m⋅s⁻²."""
    symbol = unit if unit in ("C", "F") else unit_symbol(unit, lang)
    if symbol != unit:
        return symbol
    return _UNIT_POWER.sub(lambda power: raised(power[1]), unit).replace(".", "⋅")


def _fraction(call: Call) -> str:
    values = call.positional()
    if len(values) == 1:
        return f"1/{values[0]}"
    if len(values) == 2:
        return f"{values[0]}/{values[1]}"
    return f"{values[0]} {values[1]}/{values[2]}" if len(values) == 3 else ""


def _height(call: Call) -> str:
    lang = call.page.lang
    if lang == "en":
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


_DIGITS = re.compile(r"(?<![\w.,])[0-9]+(?:\.[0-9]+)?(?![\w.,]*[0-9])")
_EXPONENT = re.compile(r"[-−]?[0-9]+")
# What joins two values of one unit, by the argument that holds the second.
_JOINTS = {"à": " à ", "et": " et ", "ou": " ou ", "±": " ± ", "×": " × ", "x": " × ", "-": "–"}


def _quantity(call: Call) -> str:
    """``{{unité|2.5|km|s|-1}}``: a value, which may hold its unit, then units with exponents."""
    lang = call.page.lang
    values = call.positional()
    if not values or not values[0]:
        return ""
    shown = format_numbers_in(values[0], lang)
    for key, joint in _JOINTS.items():
        if more := call.first(key):
            shown += joint + format_numbers_in(more, lang)
    if power := call.first("e"):
        shown += " × 10" + raised(power)
    for unit in values[1:]:
        if _EXPONENT.fullmatch(unit):
            shown += raised(unit)
        elif unit:
            shown = shown + unit if unit[0] == "/" else with_unit(shown, unit_symbol(unit, lang))
    return shown


def format_numbers_in(text: str, lang: str) -> str:
    """``text`` with its numbers written as the wiki of ``lang`` writes them."""
    return _DIGITS.sub(lambda number: format_number(number[0], lang), text)


def _times(call: Call) -> str:
    """``{{dunité|3|4|m}}``: 3 × 4 m; the last of the arguments is the unit."""
    *values, unit = [value for value in call.positional() if value] or [""]
    lang = call.page.lang
    shown = " × ".join(format_numbers_in(value, lang) for value in values)
    return with_unit(shown, unit_symbol(unit, lang)) if shown else ""


_CLOCK = ("h", "min", "s")


def _duration(call: Call) -> str:
    """``{{heure|21|30}}``: 21 h 30; ``{{durée|1|20|5}}``: 1 h 20 min 5 s."""
    values = call.positional()[:3]
    if len(values) == 2 and values[0] and call.name.startswith("heure"):
        return f"{values[0]} h {values[1]}".rstrip()
    return " ".join(f"{value} {unit}" for value, unit in zip(values, _CLOCK, strict=False) if value)


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
    shown = {"s": "siglo ", "S": "Siglo "}.get(word[:1], "") + _roman(number)
    return shown + {"a": " a. C.", "d": " d. C."}.get(era[:1], "")


_ORDINAL = re.compile("^[ivxlcdm]+(?=e|er|re|$)", re.I)


def _roman(number: str) -> str:
    if not number.isdecimal() or not 0 < int(number) < 40:
        return number
    tens, ones = divmod(int(number), 10)
    return "X" * tens + ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX")[ones]


QUANTITY_FUNCTIONS: dict[str, Callable[[Call], str]] = {
    "convert": _convert,
    "val": _val,
    "fraction": _fraction,
    "height": _height,
    "unit": _unit_of_number,
    "quantity": _quantity,
    "times": _times,
    "duration": _duration,
    "round": _round,
    "ordinal": _ordinal,
    "century": _century,
}

_SCALES = {
    "k": "thousand",
    "m": "million",
    "b": "billion",
    "t": "trillion",
    "l": "lakh",
    "c": "crore",
}

QUANTITY_FILTERS: dict[str, Callable[[str, str], str]] = {
    "roman": lambda text, lang: _roman(text),
    "ordinal": lambda text, lang: _ORDINAL.sub(lambda found: found[0].upper(), text, count=1),
    "unit": unit_symbol,
    "scale": lambda text, lang: _SCALES.get(text.lower(), text),
    "numbers": format_numbers_in,
}
"""Name in a table, after ``:``, to what it does to an argument."""
