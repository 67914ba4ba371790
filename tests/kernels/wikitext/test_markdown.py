"""Text is Markdown: formulas, code, list items; and what keeps its lines and blanks as they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossic_etl.kernels.wikitext import Extraction, Options, to_text


def text(source: str, **options: str) -> str:
    return to_text(source, "en", options=Options(**options)).text  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a <math>x^2</math>, b", "a $x^2$, b"),
        ("a <math>x\n + y</math> b", "a $x + y$ b"),
        ("a <math>x &lt; y</math> b", "a $x < y$ b"),
        ("a <math>[[x]] {{y}} ''z''</math>", "a $[[x]] {{y}} ''z''$"),
        ("a <chem>H2O</chem> <ce>CO2</ce> <math chem>\\ce{O}</math>",
         "a $\\ce{H2O}$ $\\ce{CO2}$ $\\ce{O}$"),
        ("a {{tmath|b{{=}}c}} {{#tag:math|d}}", "a $b=c$ $d$"),
        ("a ({{math|''b''<sup>2</sup>}}, {{mvar|c}}, {{chem|H|2|O}}, {{chem2|O3}})",
         "a (b², c, H2O, O3)"),
        ("So <math display=block>a</math>, b", "So\n\n$$a$$,\n\nb"),
        ("So\n<math display='block'>\na\n\n= b\n</math>\nc", "So\n\n$$a\n= b$$\n\nc"),
        ("So\n:<math>a</math>,\nb", "So\n\n$$a$$,\n\nb"),
        ("So\n::<math>a</math><ref>b</ref>.\nc", "So\n\n$$a$$.\n\nc"),
        ("So\n:<math display=inline>a</math>\nb", "So\n\n$a$\n\nb"),
        (":<math>a</math> for <math>b</math>", "$a$ for $b$"),
        ("# a\n#:<math>b</math>.\n# c", "1. a\n   $$b$$.\n2. c"),
        ("* a <math display=block>b</math>, c\n* d", "- a\n  $$b$$,\n  c\n- d"),
        ("== The <math>x</math> axis ==\na", "## The $x$ axis\n\na"),
        ("a <math></math> b", "a b"),
        ("It costs $5, or $6 with tax.", "It costs $5, or $6 with tax."),
    ],
)  # fmt: skip
def test_formulas_are_latex_between_dollar_signs(source: str, expected: str) -> None:
    assert text(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a <code>f(x)</code>, <code>g</code>.", "a `f(x)`, `g`."),
        ("a <code>''x'' [[b|c]] &lt;d></code>", "a `x c <d>`"),
        ("a <code><nowiki>{{b}} ''c''</nowiki></code>", "a `{{b}} ''c''`"),
        ("a <code>b `c` d</code> <code>`e`</code>", "a ``b `c` d`` `` `e` ``"),
        ("a <code>{{x}}</code>, <code></code> b", "a, b"),
        ("<code>a\n\nb</code>", "`a`\n\n`b`"),
        ("a <kbd>b</kbd> <samp>c</samp> <tt>d</tt> {{kbd|e}}", "a `b` `c` `d` `e`"),
        ("{{code|a {{=}} ''b''|lang=c}} {{codes|d|e}}", "`a = ''b''` `d`, `e`"),
        ("a <syntaxhighlight lang=c inline>b  &lt; c</syntaxhighlight> d", "a `b &lt; c` d"),
        ("a <source enclose=none>b</source>", "a `b`"),
        ("a\n<source lang='Python'>\ndef f():\n    x  = 1\n\n\n    # y\n</source>\nb",
         "a\n\n```python\ndef f():\n    x  = 1\n\n\n    # y\n```\n\nb"),
        ("<syntaxhighlight>\n\tif a:\n\n</syntaxhighlight>", "```\n\tif a:\n```"),
        ("<syntaxhighlight lang=md>```a```</syntaxhighlight>", "````md\n```a```\n````"),
        ("{{#tag:syntaxhighlight|a = 1|lang=python}}", "```python\na = 1\n```"),
        ("a <code>b\n\nc", "a b\n\nc"),
        ("a </code> b", "a b"),
    ],
)  # fmt: skip
def test_code_is_in_backticks_or_a_fenced_block(source: str, expected: str) -> None:
    assert text(source) == expected


def test_formulas_and_code_are_dropped_where_the_options_say_so() -> None:
    source = "a <math>x</math> <code>y</code> <source>z</source> {{tmath|x}}, <kbd>b</kbd> c"

    actual = to_text(source, "en", options=Options(math="drop", code="drop"))

    assert actual == Extraction("a, b c", {"math": 2, "code": 2})


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<pre>\ndef f(x):\n    return  x\n</pre>", "def f(x):\n    return  x"),
        ("a\n<pre>\n  b\n\n\n\tc\n</pre>\nd", "a\n\n  b\n\n\n\tc\n\nd"),
        ("<pre>* a\n# b ''c'' &lt;</pre>", "* a\n# b ''c'' <"),
        ("a\n{{pre|b\n   c}}", "a\n\nb\n   c"),
        ("{{#tag:pre|a\n  b}}", "a\n  b"),
    ],
)
def test_preformatted_text_keeps_its_blanks(source: str, expected: str) -> None:
    assert text(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<poem>\na\n:b\n::c\nd\n</poem>", "a\nb\nc\nd"),
        ("<poem>\na\n  b\n</poem>", "a\n  b"),
        ("<poem>\na\n\n''b''\n</poem>c", "a\n\nb\n\nc"),
        ("{{poem|a\n:b}}", "a\nb"),
        ("{{#tag:poem|a\n:b}}", "a\nb"),
        ("<poem>a\n\n:b", "a\n\nb"),
    ],
)
def test_a_verse_is_a_line_indented_or_not(source: str, expected: str) -> None:
    assert text(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("# a\n# b\n## c\n#* d\n# e", "1. a\n2. b\n   1. c\n   - d\n3. e"),
        ("# a\n* b\n# c", "1. a\n- b\n1. c"),
        ("*** a\n* b\n** c", "- a\n- b\n  - c"),
        ("* a\n* {{x}}\n** b", "- a\n  - b"),
        ("* a\n*: b\n: c", "- a\n  b\nc"),
        (":* a\n:** b", "- a\n  - b"),
        ("; a\n: b\n:* c", "a\nb\n- c"),
        ("<ol><li>a</li>\n\n<li>b<ul>\n<li>c</li></ul></li></ol>", "1. a\n2. b\n   - c"),
    ],
)
def test_list_items_have_markers_and_are_nested_by_indentation(source: str, expected: str) -> None:
    assert text(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<span style='display:none'>a<b>q</b>c</span>d", "d"),
        ("a<span style='display:none'>b<span>c</span>d</span>e", "ae"),
        ('a<div style="x:y; DISPLAY : none">b<div>c</div>\n\n* d</div>e', "ae"),
        ("a<small style='visibility:hidden'>b<i>c</i></small> d", "a d"),
        ("a<span style='display:none'>b <span>c</span> d", "ab c d"),
        ("a<span style='display:inline'>b<b>c</b></span>", "abc"),
    ],
)
def test_what_a_style_hides_goes_with_all_that_is_in_it(source: str, expected: str) -> None:
    assert text(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("for A{{efn|x}} and {{flagicon|B}} B.", "for A and B."),
        ("for A {{efn|x}} and {{flagicon|B}} B.", "for A and B."),
        ("for A{{x}} or {{y}} B.", "for A or B."),
        ("a ({{x}} or {{y}}) b", "a b"),
        ("either {{x}} or {{y}}, as b", "either, as b"),
        ("is {{x}} and {{y}} long", "is long"),
    ],
)
def test_a_word_between_holes_stays_where_both_sides_have_a_word(
    source: str, expected: str
) -> None:
    assert text(source) == expected


@given(st.lists(st.text(alphabet="ab `\n", max_size=8), min_size=1, max_size=4))
def test_a_fence_is_longer_than_any_in_the_code(pieces: list[str]) -> None:
    source = "".join(pieces)
    lines = text(f"<source>{source}</source>").split("\n")

    assert not source.strip() or (
        lines[0] == lines[-1]
        and set(lines[0]) == {"`"}
        and all(lines[0] not in line for line in lines[1:-1])
    )


SYMBOLS = st.text(alphabet="*#:;", min_size=1, max_size=4)


@given(st.lists(SYMBOLS, min_size=1, max_size=8))
def test_every_item_is_a_line_indented_by_whole_markers(symbols: list[str]) -> None:
    lines = text("\n".join(f"{each}a" for each in symbols)).split("\n")

    assert len(lines) == len(symbols)
    for line, each in zip(lines, symbols, strict=True):
        indent = len(line) - len(line.lstrip(" "))
        assert indent <= 3 * (len(each) - 1)
        assert line.lstrip(" 0123456789.-") == "a"
        assert ("- " in line) == (each[-1] == "*") and (". " in line) == (each[-1] == "#")
