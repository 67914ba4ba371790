"""Numbers as each wiki writes them, by ``Language::formatNum`` of MediaWiki."""

from __future__ import annotations

import re
from functools import cache

from crossic_etl.kernels.wiki_facts import NumberForm, facts_of

_NUMBER = re.compile(r"([-−–+]?)([0-9]+)(?:\.([0-9]*))?")
_PIECE = re.compile(r"(?:-(?=[0-9.]))?(?:[0-9]+|(?=\.[0-9]))(?:\.[0-9]*)?")
_SPACES = re.compile("[ \u00a0\u2009\u202f]|&nbsp;")
_ASCII = "0123456789"


def format_number(text: str, lang: str) -> str:
    """``text``, a number in computer form, as ``formatnum`` shows it on the wiki of ``lang``.

    What is no number, or is grouped already, comes back as it is.
    """
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        return text
    form = facts_of(lang).numbers
    sign, whole, fraction = match.groups()
    if len(whole) >= form.least:
        whole = form.thousands.join(_groups(whole, form.further))
    sign = "−" if sign in ("-", "–") and sign else sign
    return _with_digits(sign + whole + (form.decimal + fraction if fraction else ""), form)


def format_numbers(text: str, lang: str) -> str:
    """``text`` with each number in it as ``format_number`` shows it, as ``formatnum`` does."""
    return _PIECE.sub(lambda piece: format_number(piece[0], lang), text)


def parse_number(text: str, lang: str) -> str:
    """The reverse of ``format_number``, as ``formatnum`` with the flag R gives it."""
    form = facts_of(lang).numbers
    if form.digits:
        text = text.translate(_to_ascii(form.digits))
    if form.thousands == " ":
        text = _SPACES.sub("", text)
    elif form.thousands:
        text = text.replace(form.thousands, "")
    return text.replace(form.decimal, ".").replace("−", "-")


def without_groups(text: str, lang: str) -> str:
    """``text`` in the wiki's digits alone, as ``formatnum`` with the flag NOSEP gives it."""
    return _with_digits(text, facts_of(lang).numbers)


def _groups(whole: str, further: int) -> list[str]:
    """The digits in groups: the last has three, those before it ``further``."""
    start = len(whole) - 3
    first = start % further
    groups = [whole[i : i + further] for i in range(first, start, further)]
    return [*([whole[:first]] if first else []), *groups, whole[start:]]


def _with_digits(text: str, form: NumberForm) -> str:
    return text.translate(_from_ascii(form.digits)) if form.digits else text


@cache
def _from_ascii(digits: str) -> dict[int, int]:
    return str.maketrans(_ASCII, digits)


@cache
def _to_ascii(digits: str) -> dict[int, int]:
    return str.maketrans(digits, _ASCII)
