"""The expressions of ``#expr`` and ``#ifexpr``, as MediaWiki's extension ParserFunctions has them.

Operators, words and their precedence are those of its ``ExprParser``: ``-2^2`` is 4 and ``2^3^2``
is 64. A value is shown with 14 digits, as PHP does it: 1.0E+25.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal

_TOKEN = re.compile(r"\s*(?:([0-9.]+)|([A-Za-z]+)|(<=|>=|<>|!=|[-+*/^()=<>]))")
_WRITTEN_OTHERWISE = (
    ("&lt;", "<"), ("&gt;", ">"), ("&minus;", "-"), ("−", "-"), ("–", "-"), ("×", "*"), ("÷", "/"),
    (",", ""),
)  # fmt: skip
_LONGEST = 1000
_MOST_PLACES = 30


def _rounded(value: float, places: float) -> float:
    """``value`` rounded half away from zero, as PHP does; no negative zero."""
    digits = max(min(int(places), _MOST_PLACES), -_MOST_PLACES)
    unit = Decimal(1).scaleb(-digits)
    number = Decimal(repr(value))
    if abs(number) >= Decimal(10) ** 20:
        return value
    return float((number / unit).quantize(Decimal(1), rounding=ROUND_HALF_UP) * unit) + 0.0


def _modulo(left: float, right: float) -> float:
    """The rest of a division of whole numbers; it has the sign of the first."""
    return math.fmod(int(left), int(right))


# fmt: off
_BINARY: dict[str, tuple[int, Callable[[float, float], float]]] = {
    "e": (10, lambda left, right: left * math.pow(10, right)),
    "^": (8, math.pow),
    "*": (7, operator.mul), "/": (7, operator.truediv), "div": (7, operator.truediv),
    "mod": (7, _modulo), "fmod": (7, math.fmod),
    "+": (6, operator.add), "-": (6, operator.sub),
    "round": (5, _rounded),
    "=": (4, operator.eq), "<": (4, operator.lt), ">": (4, operator.gt), "<=": (4, operator.le),
    ">=": (4, operator.ge), "<>": (4, operator.ne), "!=": (4, operator.ne),
    "and": (3, lambda left, right: bool(left and right)),
    "or": (2, lambda left, right: bool(left or right)),
}
_UNARY: dict[str, tuple[int, Callable[[float], float]]] = {
    "-": (10, operator.neg), "+": (10, operator.pos),
    "not": (9, operator.not_), "abs": (9, abs), "floor": (9, math.floor), "ceil": (9, math.ceil),
    "trunc": (9, math.trunc), "sqrt": (9, math.sqrt), "exp": (9, math.exp), "ln": (9, math.log),
    "sin": (9, math.sin), "cos": (9, math.cos), "tan": (9, math.tan),
    "asin": (9, math.asin), "acos": (9, math.acos), "atan": (9, math.atan),
}
# fmt: on
_CONSTANTS = {"e": math.e, "pi": math.pi}

_Waiting = tuple[int, Callable[..., float], int]
_BRACKET: _Waiting = (-1, abs, 0)


class ExpressionError(ValueError):
    """What MediaWiki would show an error for."""


def evaluate(source: str) -> float | None:
    """The value of an expression, or None for an empty one.

    Raises:
        ExpressionError: where MediaWiki shows an error, or the value is no finite number.
    """
    for written, meant in _WRITTEN_OTHERWISE:
        source = source.replace(written, meant)
    source = source.strip()
    if not source:
        return None
    if len(source) > _LONGEST:
        raise ExpressionError("too long")
    try:
        value = _value(source)
    except (ArithmeticError, ValueError, IndexError) as error:
        raise ExpressionError(str(error)) from error
    if not math.isfinite(value):
        raise ExpressionError("not finite")
    return value


def show_value(value: float) -> str:
    """A number as PHP shows a float."""
    shown = f"{float(value) + 0.0:.14G}"
    mantissa, has_exponent, exponent = shown.partition("E")
    if not has_exponent:
        return shown
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}E{int(exponent):+d}"


def _value(source: str) -> float:
    """One pass with a stack of operands and one of operators that wait for theirs."""
    operands: list[float] = []
    waiting: list[_Waiting] = []
    position, wants_operand = 0, True
    while position < len(source):
        token = _TOKEN.match(source, position)
        if token is None:
            raise ExpressionError(f"unknown: {source[position]}")
        position = token.end()
        sign = (token[2] or token[3] or "").lower()
        if wants_operand:
            if sign == "(":
                waiting.append(_BRACKET)
            elif sign in _UNARY:
                waiting.append((*_UNARY[sign], 1))
            else:
                operands.append(_CONSTANTS[sign] if sign in _CONSTANTS else float(token[1] or sign))
                wants_operand = False
        elif sign == ")":
            _apply(operands, waiting, 0)
            if waiting.pop() is not _BRACKET:
                raise ExpressionError("no opening bracket")
        elif sign in _BINARY:
            _apply(operands, waiting, _BINARY[sign][0])
            waiting.append((*_BINARY[sign], 2))
            wants_operand = True
        else:
            raise ExpressionError(f"unexpected: {token[0]}")
    _apply(operands, waiting, 0)
    if waiting or wants_operand:
        raise ExpressionError("unfinished")
    return operands[0]


def _apply(operands: list[float], waiting: list[_Waiting], least: int) -> None:
    """Work out the operators that wait, back to one that binds less than ``least``."""
    while waiting and waiting[-1][0] >= least:
        _, function, arity = waiting.pop()
        if len(operands) < arity:
            raise ExpressionError("an operand is missing")
        operands[-arity:] = [float(function(*operands[-arity:]))]
