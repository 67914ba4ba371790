"""Values in another unit, rounded as Module:Convert of the English Wikipedia rounds by default.

The rule (Template:Convert/doc, "Default rounding"): as precise as the input, measured by the digits
after its decimal mark or the zeros before it and adjusted for the size of the factor, with at least
two significant digits; for temperatures, three significant digits in kelvin.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from crossic_etl.kernels.wikitext.tables import load_yaml

_FUDGE = 1e-14
_MULTIPLES = {"ftin": ("ft", "in", 12), "ft in": ("ft", "in", 12), "stlb": ("st", "lb", 14)}
_DIVISIONS = {("ft", "in"): 12, ("st", "lb"): 14, ("lb", "oz"): 16, ("yd", "ft"): 3}


@dataclass(frozen=True)
class Unit:
    """One row of ``data/conversions.yaml``."""

    kind: str
    code: str
    scale: float
    name: str = ""
    plural: str = ""
    symbol: str = ""
    symbols: str = ""
    offset: float = 0.0
    to: str = ""
    always: str = ""
    whole: str = ""
    multiple: bool = False

    def word(self, singular: bool, american: bool) -> str:
        """The unit spelled out; the symbol of one that is never spelled."""
        if self.always or not self.name:
            return self.sign(singular)
        word = self.name if singular else self.plural or _plural(self.name)
        if american:
            word = word.replace("metre", "meter").replace("litre", "liter")
            word = word.replace("tonne", "metric ton").replace("US gal", "U.S. gal")
        return word

    def sign(self, singular: bool) -> str:
        """The unit's symbol, which has a plural where it is a word."""
        return self.symbols if self.symbols and not singular else self.symbol or self.code


def _plural(name: str) -> str:
    head, per, tail = name.partition(" per ")
    return f"{head}s{per}{tail}"


@dataclass(frozen=True)
class Value:
    """A number of the input: how it is written, what it is, and how precise.

    ``places`` counts digits after the decimal mark, or as a negative number zeros before it.
    """

    shown: str
    number: float
    places: float


@cache
def _units() -> dict[str, Unit]:
    table = load_yaml("conversions.yaml")
    return {
        str(code): Unit(kind, str(code), **row)
        for kind, rows in table.items()
        for code, row in rows.items()
    }


_POWER = re.compile("e([369]|12)(.+)")
_POWERS = {"3": "thousand", "6": "million", "9": "billion", "12": "trillion"}


def find_unit(code: str) -> Unit | None:
    """The unit that convert calls ``code``, if its value can be worked out.

    ``e6km`` is a million kilometres.
    """
    power = _POWER.fullmatch(code)
    unit = _units().get(power[2] if power else code)
    return _multiple(unit, power[1]) if unit and power else unit


def _multiple(unit: Unit, power: str) -> Unit:
    count = _POWERS[power]
    return replace(
        unit,
        code=f"e{power}{unit.code}",
        scale=unit.scale * 10 ** int(power),
        name=f"{count} {unit.word(False, False)}",
        plural=f"{count} {unit.word(False, False)}",
        symbol=f"{count} {unit.sign(True)}",
        symbols=f"{count} {unit.sign(False)}" if unit.symbols else "",
        to=" ".join(f"e{power}{each}" for each in unit.to.split()),
        multiple=True,
    )


def subdivisions(unit: str, smaller: str) -> int:
    """How many of ``smaller`` go into ``unit`` where the two may make one measure, else 0."""
    return _DIVISIONS.get((unit, smaller), 0)


@dataclass(frozen=True)
class Rounding:
    """What the call says about the output's digits; nothing says the default."""

    places: int | None = None
    significant: int | None = None
    multiple: float | None = None
    each: bool = False


def converted(
    values: Sequence[Value], unit: Unit, target: Unit, rounding: Rounding, finer: bool = False
) -> list[str]:
    """``values`` of ``unit`` in ``target``, rounded, not grouped; a range shares its precision.

    ``finer`` says that ``unit`` is the inch of feet and inches.
    """
    results = [_in_unit(value.number, unit, target) for value in values]
    places = [
        _places(value, result, unit, target, rounding, finer)
        for value, result in zip(values, results, strict=True)
    ]
    if not rounding.each and rounding.significant is None:
        places = [max(places)] * len(places)
    if rounding.multiple:
        step = rounding.multiple
        results = [math.floor(result / step + 0.5) * step for result in results]
        places = [0 if step >= 1 else 1] * len(places)
    return [_rounded(result, digits) for result, digits in zip(results, places, strict=True)]


def feet_and_inches(
    values: Sequence[Value], unit: Unit, code: str, rounding: Rounding
) -> list[str] | None:
    """``values`` in a larger and a smaller unit, such as feet and inches; None for other codes."""
    if code not in _MULTIPLES:
        return None
    large, small, count = _MULTIPLES[code]
    target = _units()[small]
    shown = []
    for value in values:
        result = _in_unit(value.number, unit, target)
        places = max(_places(value, result, unit, target, rounding, False), 0)
        total = float(_rounded(result, places))
        whole = int(total // count)
        rest = _rounded(total - whole * count, places)
        shown.append(f"{whole:,} {_units()[large].sign(whole == 1)} {rest} {target.sign(False)}")
    return shown


def _in_unit(number: float, unit: Unit, target: Unit) -> float:
    return (number - unit.offset) * (unit.scale / target.scale) + target.offset


def _places(
    value: Value, result: float, unit: Unit, target: Unit, rounding: Rounding, finer: bool
) -> int:
    if rounding.places is not None:
        return rounding.places
    if rounding.significant is not None:
        size = math.floor(math.log10(abs(result)) + _FUDGE) if result else 0
        return rounding.significant - 1 - size
    if unit.kind == "temperature":
        kelvin = abs(value.number - unit.offset) * unit.scale
        least = 2 if kelvin < 1e-8 else 2 - math.floor(math.log10(kelvin) + _FUDGE)
        return max(math.floor(value.places), least)
    result = abs(result)
    if not value.number or not result:
        return 0
    if target.whole == "precise" and value.number == math.floor(value.number):
        adjust = -math.log10(unit.scale)
    elif finer:
        adjust = math.log10(target.scale) + 2
    else:
        adjust = math.log10(abs(value.number / result))
    least = 1 - math.floor(math.log10(result) + _FUDGE)
    return max(math.floor(value.places + adjust + math.log10(2)), least)


def _rounded(number: float, places: int) -> str:
    if places < 0:
        step = 10.0**-places
        return f"{round(number / step) * step:.0f}"
    shown = f"{number + math.copysign(2e-14, number):.{places}f}"
    return shown if float(shown) else shown.removeprefix("-")
