"""Templates for values that may have errors, exponents and several units, and filters for them."""

from __future__ import annotations

import re
from collections.abc import Callable

from crossic_etl.kernels.wikitext.call import Call
from crossic_etl.kernels.wikitext.html import raised
from crossic_etl.kernels.wikitext.numbers import format_number
from crossic_etl.kernels.wikitext.quantities import roman
from crossic_etl.kernels.wikitext.units import unit_symbol, with_unit

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
        several = len(values) > 2 or "±" in shown
        shown = f"({shown})" if several else shown
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


_LONGEST = 300  # characters: more are no value, and the pattern looks ahead
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
    shown = _grouped_decimals(format_numbers_in(values[0], lang))
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
    """``text`` with its numbers written as the wiki of ``lang`` writes them, unless it is long."""
    if len(text) > _LONGEST:
        return text
    return _DIGITS.sub(lambda number: format_number(number[0], lang), text)


_DECIMALS = re.compile(r"(?<=[0-9],)[0-9]{4,}")


def _grouped_decimals(shown: str) -> str:
    """``shown`` with its digits after the decimal comma in groups, too."""
    return _DECIMALS.sub(lambda found: re.sub("([0-9]{3})(?=[0-9])", r"\1 ", found[0]), shown)


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


VALUE_FUNCTIONS: dict[str, Callable[[Call], str]] = {
    "val": _val,
    "quantity": _quantity,
    "times": _times,
    "duration": _duration,
}

_ORDINAL = re.compile("^[ivxlcdm]+(?=e|er|re|$)", re.I)
_SCALES = {
    "k": "thousand",
    "m": "million",
    "b": "billion",
    "t": "trillion",
    "l": "lakh",
    "c": "crore",
}

VALUE_FILTERS: dict[str, Callable[[str, str], str]] = {
    "roman": lambda text, lang: roman(text),
    "ordinal": lambda text, lang: _ORDINAL.sub(lambda found: found[0].upper(), text, count=1),
    "unit": unit_symbol,
    "scale": lambda text, lang: _SCALES.get(text.lower(), text),
    "numbers": format_numbers_in,
}
"""Name in a table, after ``:``, to what it does to an argument."""
