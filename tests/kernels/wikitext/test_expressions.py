"""``#expr`` and the other parser functions that take an expression or a tag."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossic_etl.kernels.wikitext import Extraction, to_text
from crossic_etl.kernels.wikitext.expressions import ExpressionError, evaluate, show_value


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("2^3", "8"),
        ("7 mod 4", "3"),
        ("-7 mod 4", "-3"),
        ("7.5 mod 4", "3"),
        ("7.5 fmod 4", "3.5"),
        ("-2^2", "4"),
        ("2^3^2", "64"),
        ("2^-1", "0.5"),
        ("1 + 2 * 3 - 4 / 8", "6.5"),
        ("(1 + 2) * 3", "9"),
        ("7 div 2", "3.5"),
        ("1e3 + 2E-1", "1000.2"),
        ("2.5 round 0", "3"),
        ("-2.5 round 0", "-3"),
        ("1234 round -2", "1200"),
        ("10 / 3 round 2", "3.33"),
        ("1/3", "0.33333333333333"),
        ("10^25", "1.0E+25"),
        ("15/10^6", "1.5E-5"),
        ("3 <= 4 and 4 != 5", "1"),
        ("not 1 or 2 > 3", "0"),
        ("1 = 1.0", "1"),
        ("1 &lt; 2", "1"),
        ("abs -3 + floor 2.7 + ceil 2.1 + trunc -1.5", "7"),
        ("sqrt 16 + ln e + exp 0", "6"),
        ("sin(pi/2) + cos 0 + atan 0", "2"),
        ("5 × 4 ÷ 2 − 1", "9"),
        ("1,234 + 1", "1235"),
    ],
)
def test_an_expression_has_mediawikis_value(source: str, expected: str) -> None:
    value = evaluate(source)

    assert value is not None and show_value(value) == expected


@pytest.mark.parametrize(
    "source",
    ["1 +", "1 2", "(1", "1)", "()", "1/0", "5 mod 0", "ln 0", "asin 2", "foo", "1 ? 2", "10^999",
     "1.2.3", "*", "(-8)^0.5", "1" * 2000],
)  # fmt: skip
def test_what_mediawiki_refuses_is_an_error(source: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate(source)


def test_an_empty_expression_has_no_value() -> None:
    assert evaluate(" ") is None


@given(st.text(alphabet="0123 .+-*/^()<>=!eapimodnrtsqu", max_size=40))
def test_any_expression_has_a_value_or_is_an_error(source: str) -> None:
    try:
        value = evaluate(source)
    except ExpressionError:
        return
    assert value is None or show_value(value)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("It is {{#expr: 2^3}} or {{#expr: 7 mod 4}}.", "It is 8 or 3."),
        ("So {{#ifexpr: 3 <= 4 | yes | no}}.", "So yes."),
        ("So {{#ifexpr: 1 {{=}} 2 | yes | no}}.", "So no."),
        ("So {{#ifexpr: | yes | no}}.", "So no."),
        ("So {{#ifexpr: {{#expr: 2*3}} > 5 | {{#ifexpr: 1 | a}} | b}}.", "So a."),
        ("So {{#iferror: {{#expr: 1/0}} | bad | good}}.", "So bad."),
        ("So {{#iferror: {{#expr: 1/1}} | bad | good}}.", "So good."),
        ("So {{#iferror: {{#expr: 1/1}} | bad}}.", "So 1."),
        ("A {{#tag:nowiki|''b'' <nowiki>[[c]]</nowiki>}} d", "A ''b'' [[c]] d"),
        ("A {{#tag:span|b|class=c}} d", "A b d"),
    ],
)
def test_parser_functions_show_their_values(source: str, expected: str) -> None:
    assert to_text(source, "en").text == expected


def test_a_reference_that_a_function_makes_is_left_out() -> None:
    actual = to_text("a{{#tag:ref|b {{c|d}}|name=e}}. {{#tag:gallery|f.jpg}}", "en")

    assert actual == Extraction("a.", {"ref": 1, "gallery": 1, "template:c": 1})


def test_a_wrong_expression_is_a_hole_that_is_counted() -> None:
    actual = to_text("a ({{#expr: 1 +}}) b", "en")

    assert actual.text == "a b"
    assert sum(actual.left_out.values()) <= 1
