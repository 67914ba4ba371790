"""Symbols of units."""

from __future__ import annotations

from crossic_etl.kernels.wikitext.tables import load_yaml


def unit_symbol(code: str, lang: str) -> str:
    """The symbol of the unit that convert and its like call ``code`` on the wiki of ``lang``."""
    table = load_yaml("units.yaml")
    local = table.get(lang, {}).get(code)
    return str(local if local is not None else table["common"].get(code, code))


def with_unit(value: str, unit: str) -> str:
    """``value`` and the symbol ``unit``, apart unless it is one of angles, percent or Chinese."""
    if not unit:
        return value
    close = unit[0] in "°′″'\"%" and unit not in ("°C", "°F")
    close = close or "\u4e00" <= unit[0] <= "\u9fff"
    return value + unit if close else f"{value} {unit}"
