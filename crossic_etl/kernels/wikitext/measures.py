"""``{{convert}}`` on the English Wikipedia: a measure and, where it is known, the other one."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field

from crossic_etl.kernels.wikitext.call import Call, is_count
from crossic_etl.kernels.wikitext.conversions import (
    Rounding,
    Unit,
    Value,
    converted,
    feet_and_inches,
    find_unit,
    subdivisions,
)
from crossic_etl.kernels.wikitext.numbers import format_number
from crossic_etl.kernels.wikitext.units import unit_symbol

_NUMBER = re.compile(r"([-−–+]?)([0-9][0-9,]*(?:\.[0-9]*)?|\.[0-9]+)")
_FRACTION = re.compile(r"([-−–]?)(?:([0-9]+)\s*[+⁄&-]\s*)?([0-9]+)\s*[/⁄]{1,2}\s*([0-9]+)")
_JOINED = re.compile(r"([0-9.,]+)\s*([-–−]|\b(?:to|and|or|by|x)\b)\s*([0-9.,]+)")
# What stands between two values: with a name after them, with a symbol.
RANGES = {
    "to": (" to ", " to "), "-": ("–", "–"), "–": ("–", "–"), "−": ("–", "–"),
    "&ndash;": ("–", "–"),
    "and": (" and ", " and "), "or": (" or ", " or "), "by": (" by ", " by "),
    "x": (" by ", " × "), "×": (" by ", " × "), "xx": (" × ", " × "), "*": ("×", "×"),
    "+/-": (" ± ", " ± "), "±": (" ± ", " ± "), "to(-)": (" to ", "–"), "and(-)": (" and ", "–"),
    "to about": (" to about ", " to about "), "and about": (" and about ", " and about "),
    "&": (" & ", " & "), ",": (", ", ", "), "+": (" + ", " + "), "/": (" / ", " / "),
    "e": (" e ", " e "), "per": (" per ", " per "),
}  # fmt: skip
_BRACKETS = {
    "or": (" or ", ""), "comma": (", ", ""), "slash": (" / ", ""), "/": (" / ", ""),
    "s": (" / ", ""), "sqbr": (" [", "]"), "br": ("\n(", ")"), "br()": ("\n(", ")"),
}  # fmt: skip
_LONGEST = 60
"""Characters of a number: far fewer than those of the largest that a float holds."""

_MOST_ARGUMENTS = 80
"""Enough for the thirty values that Module:Convert takes in a range."""

_REPEATED = frozenset({"x", "×"})
_BARE = frozenset({"number", "output number only"})
_OUTPUT_ONLY = frozenset({"out", "output only"}) | _BARE
_NO_OUTPUT = re.compile(r"table|x|unit|preunit|input")


@dataclass
class Measure:
    """A call's arguments, read: values, what joins them, unit, targets, the text after the unit."""

    values: list[Value] = field(default_factory=list)
    joints: list[str] = field(default_factory=list)
    code: str = ""
    parts: list[tuple[Value, str]] = field(default_factory=list)
    target: str = ""
    places: int | None = None
    text: str = ""


def show_measure(call: Call) -> str:
    """``{{convert|5|to|6|km|mi}}``: 5 to 6 kilometres (3.1 to 3.7 mi).

    The second measure is left out where the unit, the target or the form asked for is not known.
    """
    measure = _read(call.positional(), call.first("comma") in ("off", "gaps"))
    if not measure.values:
        return call.first("1")
    abbr = "on" if call.name in ("cvt", "ccvt") else "out"
    abbr = call.first("abbr").lower() or abbr
    unit = find_unit(measure.code)
    outputs = _outputs(measure, unit, call, abbr) if unit else []
    disp = call.first("disp").lower()
    if outputs and disp in _OUTPUT_ONLY:
        return "; ".join(outputs)
    if outputs and (call.first("order") == "flip" or disp == "flip"):
        outer, inner = outputs[0], [_input(measure, unit, call, "on" if abbr == "out" else abbr)]
    else:
        outer, inner = _input(measure, unit, call, abbr), outputs
    if not inner or _NO_OUTPUT.match(disp):
        return outer
    opening, closing = _BRACKETS.get(disp, (" (", ")"))
    return f"{outer}{opening}{'; '.join(inner)}{closing}"


def _read(arguments: list[str], plain: bool) -> Measure:
    measure = Measure()
    arguments = arguments[:_MOST_ARGUMENTS]
    rest = [part for each in arguments[:1] for part in _apart(each)] + arguments[1:]
    while rest and (value := read_value(rest[0], plain)):
        measure.values.append(value)
        rest = rest[1:]
        if len(rest) < 2 or rest[0].lower() not in RANGES or not read_value(rest[1], plain):
            break
        measure.joints.append(rest[0].lower())
        rest = rest[1:]
    if rest and measure.values:
        measure.code, rest = rest[0], rest[1:]
    while len(rest) > 1 and (value := read_value(rest[0], plain)):
        if not subdivisions(measure.parts[-1][1] if measure.parts else measure.code, rest[1]):
            break
        measure.parts.append((value, rest[1]))
        rest = rest[2:]
    if rest and not _is_places(rest[0]) and rest[0][:1] not in ("-", "&"):
        measure.target, rest = rest[0], rest[1:]
    if rest and (_is_places(rest[0]) or not rest[0]):
        measure.places = int(rest[0]) if rest[0] else None
        rest = rest[1:]
    measure.text = rest[0] if rest else ""
    return measure


def _apart(argument: str) -> list[str]:
    """A range in one argument, ``5-10``, as its three parts."""
    joined = _JOINED.fullmatch(argument)
    return list(joined.groups()) if joined else [argument]


def _is_places(text: str) -> bool:
    return is_count(text.removeprefix("-")) and len(text) < 4


def read_value(text: str, plain: bool = False) -> Value | None:
    """A number of a call; None where ``text`` is none that the template would take."""
    if len(text) > _LONGEST:
        return None
    if match := _NUMBER.fullmatch(text):
        sign, digits = match.groups()
        bare = digits.replace(",", "")
        whole, dot, decimals = bare.partition(".")
        places = len(decimals) if dot else -(len(whole) - len(whole.rstrip("0")))
        shown = digits if plain or "," in digits else format_number(digits, "en")
        negative = sign not in ("", "+")
        number = -float(bare) if negative else float(bare)
        return Value(("−" if negative else "") + shown, number, places)
    if match := _FRACTION.fullmatch(text):
        sign, whole, above, below = match.groups()
        if not int(below):
            return None
        number = int(whole or 0) + int(above) / int(below)
        shown = f"{whole} {above}/{below}" if whole else f"{above}/{below}"
        return Value(
            ("−" if sign else "") + shown,
            -number if sign else number,
            max(math.log10(int(below)), 1),
        )
    return None


def _input(measure: Measure, unit: Unit | None, call: Call, abbr: str) -> str:
    adjective = call.first("adj").lower() in ("on", "mid", "mids")
    american = call.first("sp").lower() == "us"
    named = abbr not in ("on", "in", "unit", "values", "mos") and not (unit and unit.always)
    single = len(measure.values) == 1 and abs(measure.values[0].number) == 1
    hyphen = "-" if adjective and named else " "
    shown = _joined([value.shown for value in measure.values], measure, named, hyphen)
    if abbr == "values":
        return shown
    name = _unit_word(measure.code, unit, named, single or hyphen == "-", american)
    if not named and not _REPEATED.isdisjoint(measure.joints):
        shown = _repeated([value.shown for value in measure.values], measure, name)
    else:
        shown = _with_unit(shown, name, hyphen)
    for value, code in measure.parts:
        part = find_unit(code)
        single = abs(value.number) == 1 or hyphen == "-"
        shown += hyphen + _with_unit(
            value.shown, _unit_word(code, part, named, single, american), hyphen
        )
    if adjective and measure.text:
        shown += measure.text if measure.text[0] in "-–" else " " + measure.text
    return shown


def _unit_word(code: str, unit: Unit | None, named: bool, single: bool, american: bool) -> str:
    if unit is None:
        return unit_symbol(code, "en")
    return unit.word(single, american) if named else unit.sign(single)


def _with_unit(shown: str, name: str, hyphen: str = " ") -> str:
    if not name or name[0] == "/":
        return shown + name
    return f"{shown}-{name.replace(' ', '-')}" if hyphen == "-" else f"{shown} {name}"


def _joined(shown: list[str], measure: Measure, named: bool, hyphen: str) -> str:
    text = shown[0]
    for joint, value in zip(measure.joints, shown[1:], strict=True):
        between = RANGES[joint][0 if named else 1]
        text += (between.replace(" ", "-") if hyphen == "-" else between) + value
    return text


def _repeated(shown: list[str], measure: Measure, name: str) -> str:
    return _joined([_with_unit(value, name) for value in shown], measure, False, " ")


def _rounding(measure: Measure, call: Call) -> Rounding:
    figures, multiple = call.first("sigfig"), call.first("round")
    step = float(multiple) if multiple in ("0.5", "5", "10", "25", "50") else None
    return Rounding(
        measure.places,
        int(figures) if is_count(figures) and len(figures) < 3 else None,
        step,
        multiple == "each",
    )


def _outputs(measure: Measure, unit: Unit, call: Call, abbr: str) -> list[str]:
    """The measure in each target; nothing where one of them is unknown."""
    if call.first("frac") or call.first("adj").startswith("ri"):
        return []
    values, base = _smallest(measure, unit)
    if base is None:
        return []
    target = measure.target or (_default_target(values[0], unit) if not measure.parts else "")
    codes = [target] if target in ("ft in",) else target.replace("+", " ").split()
    rounding = _rounding(measure, call)
    shown = []
    for code in codes:
        pair = feet_and_inches(values, base, code, rounding) if base.kind in _PAIRED else None
        if pair is not None:
            shown.append(_joined(pair, measure, False, " "))
            continue
        other = find_unit(code)
        if other is None or other.kind != base.kind:
            return []
        finer = bool(measure.parts) and base.code == "in"
        results = converted(values, base, other, rounding, finer)
        shown.append(_output(results, other, measure, call, abbr))
    return shown


_PAIRED = frozenset({"length", "mass"})


def _default_target(value: Value, unit: Unit) -> str:
    if unit.code == "m":
        return "ftin" if 0 < value.number < 3 else "ft"
    return unit.to


def _smallest(measure: Measure, unit: Unit) -> tuple[list[Value], Unit | None]:
    """The values in the smallest unit of a measure of several, such as feet and inches."""
    if not measure.parts:
        return measure.values, unit
    if len(measure.values) > 1:
        return measure.values, None
    total, code, places = measure.values[0].number, measure.code, 0.0
    for value, smaller in measure.parts:
        total = total * subdivisions(code, smaller) + value.number
        code, places = smaller, max(value.places, 0)
    return [Value("", total, places)], find_unit(code)


def _output(results: list[str], other: Unit, measure: Measure, call: Call, abbr: str) -> str:
    shown = [format_number(result, "en") for result in results]
    american = call.first("sp").lower() == "us"
    flipped = call.first("order") == "flip" or other.multiple
    named = (abbr in ("off", "none", "in") or (flipped and abbr == "out")) and not other.always
    if abbr == "values" or call.first("disp").lower() in _BARE:
        return _joined(shown, measure, named, " ")
    adjective = call.first("adj").lower() in ("on", "mid")
    hyphen = "-" if adjective and (named or other.symbols) else " "
    single = len(results) == 1 and float(results[0]) in (1, -1)
    single = single or hyphen == "-"
    name = other.word(single, american) if named else other.sign(single)
    if not named and not _REPEATED.isdisjoint(measure.joints):
        return _repeated(shown, measure, name)
    return _with_unit(_joined(shown, measure, named, hyphen), name, hyphen)
