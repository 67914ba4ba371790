"""Dates of the Julian calendar beside those of the Gregorian one."""

from __future__ import annotations

import re
from datetime import date

from crossic_etl.kernels.wikitext.call import Call
from crossic_etl.kernels.wikitext.dates import write_date

_PARTS = re.compile(r"([0-9]{1,2})[. ]+([0-9]{1,2})[. ]+([0-9]{1,4})")
_CHANGE = (1918, 2, 1)
"""The first day that the Julian calendar did not have in Russia."""


def show_both(call: Call) -> str:
    """``{{СС3|26.5.1799}}``: 26 мая (6 июня) 1799; after the change of calendars the day alone."""
    lang = call.page.lang
    parts = _PARTS.fullmatch(".".join(call.positional()[:3]))
    if parts is None:
        return call.first("1")
    day, month, year = map(int, parts.groups())
    if not (0 < day < 32 and 0 < month < 13 and year > 3):
        return call.first("1")
    if (year, month, day) >= _CHANGE:
        return write_date(str(year), str(month), str(day), lang)
    new = _gregorian(year, month, day)
    if new.year != year:
        new_style = write_date(str(new.year), str(new.month), str(new.day), lang)
        return f"{write_date(str(year), str(month), str(day), lang)} ({new_style})"
    if new.month != month:
        old, changed = (
            write_date("", str(m), str(d), lang) for m, d in ((month, day), (new.month, new.day))
        )
        return f"{old} ({changed}) {year}"
    return write_date(str(year), str(month), f"{day} ({new.day})", lang)


def _gregorian(year: int, month: int, day: int) -> date:
    """The Gregorian date of a day of the Julian calendar, by its Julian day number."""
    shift = (14 - month) // 12
    years, months = year + 4800 - shift, month + 12 * shift - 3
    number = day + (153 * months + 2) // 5 + 365 * years + years // 4 - 32083
    return date.fromordinal(number - 1721425)
