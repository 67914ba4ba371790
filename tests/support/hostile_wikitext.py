"""Wikitext that makes cleaners hang, lose the rest of a page or leave it in pieces, at any size."""

from __future__ import annotations

from collections.abc import Callable

SIZES = (10_000, 100_000, 1_000_000)
BEFORE = "The harbour master counted eleven boats before the fog closed in that evening."
AFTER = "By morning every one of them had come home with the tide."


def repeated(unit: str) -> Callable[[int], str]:
    """Return a maker of ``unit`` over and over."""
    return lambda size: unit * (size // len(unit))


def nested(left: str, middle: str, right: str) -> Callable[[int], str]:
    """Return a maker of ``middle`` inside as many pairs as fit."""

    def make(size: int) -> str:
        depth = size // (len(left) + len(right))
        return left * depth + middle + right * depth

    return make


def framed(head: str, unit: str, tail: str) -> Callable[[int], str]:
    """Return a maker of one construct with a very long inside."""
    return lambda size: head + unit * ((size - len(head) - len(tail)) // len(unit)) + tail


CONSTRUCTS: dict[str, Callable[[int], str]] = {
    "crossed template and link": repeated("{{a|[[b}}c]]"),
    "crossed table and template": repeated("\n{|\n| {{a\n|}\n}}"),
    "unclosed tables": repeated("\n{|\n| a\n|-\n"),
    "unclosed table in a cell": repeated("\n{|\n|\n"),
    "apostrophes": repeated("'"),
    "crossed bold and italic": repeated("''a'''b"),
    "unclosed block tags": repeated("<div><span>"),
    "nested block tags": nested("<div>", "x", "</div>"),
    "less-than signs": repeated("<"),
    "tag names without an end": repeated("<a "),
    "attribute without an end": repeated('<ref name="'),
    "close tags alone": repeated("</ref></div></nowiki>"),
    "close tag without an end": repeated("<ref>x</ref "),
    "unclosed external links": repeated("[http://a.b "),
    "addresses in a row": repeated("http://"),
    "template of many arguments": framed("{{convert|1", "|km", "}}"),
    "unclosed template of many arguments": framed("{{convert|1", "|a=b", ""),
    "template names without an end": repeated("{{a|"),
    "nested arguments": nested("{{{a|", "x", "}}}"),
    "braces in threes and twos": repeated("{{{{{a}}}"),
    "unclosed parser functions": repeated("{{#if:a|"),
    "nested parser functions": nested("{{#if:a|", "x", "}}"),
    "closing braces": repeated("}}"),
    "closing brackets": repeated("]]"),
    "equals signs": repeated("="),
    "headings without an end": repeated("\n== a"),
    "heading ends alone": repeated("a ==\n"),
    "nested headings": repeated("\n= a =\n===== b =====\n"),
    "entities in entities": repeated("&amp;amp;#38;"),
    "ampersands": repeated("&"),
    "digits of an entity": framed("&#", "1", ";"),
    "list markers": repeated("*#:;"),
    "definition list of colons": framed("\n;", "a:", "\n"),
    "nested captions": repeated("[[File:a.png|thumb|"),
    "nested closed captions": nested("[[File:a.png|thumb|", "x", "]]"),
    "link of many pipes": framed("[[File:a.png", "|a", "]]"),
    "unclosed nowiki": repeated("<nowiki>"),
    "unclosed formulas": repeated("<math>a"),
    "unclosed galleries": repeated("<gallery>\nA.png|a\n"),
    "nested HTML tables": nested("<table><tr><td>", "x", "</td></tr></table>"),
    "unclosed HTML tables": repeated("<table><tr><td>"),
    "spaces": repeated(" "),
    "blank lines": repeated(" \n"),
    "tabs before a line's end": framed("a", "\t ", "\n"),
    "no-break spaces": repeated("&nbsp; "),
    "underscores": repeated("_"),
    "behaviour switches without an end": repeated("__NOTOC"),
    "open round brackets": repeated("("),
    "empty round brackets": nested("(", " ", ")"),
    "punctuation and spaces": repeated(" , ; "),
    "brackets and punctuation": repeated("(, ;{{a}}"),
    "language variants": repeated("-{a|"),
    "single square brackets": repeated("["),
    "pipes": repeated("\n|"),
    "row of one table cell marks": framed("\n{|\n|", "||", "\n|}\n"),
    "combining marks in the wrong order": framed("a", "\u0301\u0316", " "),
    "control characters": repeated("\x7f\x01\ue000\uf8ff"),
    "directional marks": repeated("\u200e\u200f\u202a\u202c"),
    "line of one word": repeated("a"),
    "template comments": repeated("{{<!-- -->"),
    "refs in refs": nested("<ref>", "x", "</ref>"),
    "terms of links without an end": framed("\n;", "[[a:", "\n"),
    "terms of addresses": framed("\n;", "http://a:", "\n"),
    "encoded links without an end": repeated("[[%41%41"),
    "links that end in three brackets": repeated("[[a|[b]]]"),
    "nowiki tags before one end": framed("", "<nowiki><pre>", "</pre></nowiki>"),
    "nowiki inside pre": framed("<pre>", "<nowiki>", "</pre>"),
    "emphasis beside tags": repeated("'''a'''<b>''"),
    "line breaks between lines": repeated("<br>\n"),
    "brackets left empty one after the other": repeated("({{a}}), "),
    "sums left out": repeated("($ {{a}} or {{a}} "),
    "headings of tags": framed("\n==", "<br><center>", "==\n"),
    "exponents": repeated("m<sup>2</sup>"),
    "arithmetic in brackets": nested("{{#expr:(", "1", ")}}"),
    "conversion of a range": framed("{{convert|1", "|to|2", "|km}}"),
}
# Constructs after which MediaWiki itself shows nothing of the page, or shows it as another thing.
SWALLOWING: dict[str, Callable[[int], str]] = {
    "unclosed comments": repeated("<!-- a "),
    "comment without its last sign": framed("<!--", "--", " "),
}


def hostile_page(name: str, size: int) -> str:
    """Return a paragraph, an attack of about ``size`` characters, and another paragraph."""
    attack = {**CONSTRUCTS, **SWALLOWING}[name](size)
    return f"{BEFORE}\n\n{attack}\n\n{AFTER}\n"
