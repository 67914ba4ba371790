"""Numbers as each wiki writes them."""

from __future__ import annotations

import re

from crossic_etl.kernels.wikitext.tables import load_yaml

_NUMBER = re.compile(r"([-−–+]?)([0-9]+)(?:\.([0-9]*))?")


def separators(lang: str) -> tuple[str, str, int]:
    """Thousands separator, decimal mark, and how many digits it takes before they are grouped."""
    table = load_yaml("numbers.yaml")
    thousands, decimal, least = table.get(lang) or table["default"]
    return str(thousands), str(decimal), int(least)


def format_number(text: str, lang: str) -> str:
    """``text``, a number in computer form, as ``formatnum`` shows it on the wiki of ``lang``.

    What is no number, or is grouped already, comes back as it is.
    """
    match = _NUMBER.fullmatch(text.strip())
    if match is None:
        return text
    thousands, decimal, least = separators(lang)
    sign, whole, fraction = match.groups()
    if len(whole) >= least:
        whole = f"{int(whole):,}".replace(",", thousands) if len(whole) < 4000 else whole
    sign = "−" if sign in ("-", "–") and sign else sign
    return sign + whole + (decimal + fraction if fraction else "")


def parse_number(text: str, lang: str) -> str:
    """The reverse of ``format_number``, as ``formatnum`` with the flag R gives it."""
    thousands, decimal, _ = separators(lang)
    return text.replace(thousands, "").replace(decimal, ".")
