"""Templates for dates, ages and spans of years."""

from __future__ import annotations

import re
from collections.abc import Callable

from crossic_etl.kernels.wikitext.call import Call
from crossic_etl.kernels.wikitext.tables import load_yaml


def _month(text: str, names: list[str]) -> str:
    if text.isdecimal() and 1 <= int(text) <= 12:
        return names[int(text) - 1]
    return text


def write_date(year: str, month: str, day: str, lang: str, month_first: bool = False) -> str:
    """A date in words, as the wiki of ``lang`` writes it; month and day may be empty.

    ``month_first`` chooses May 12, 1900 over 12 May 1900 where the language has both.
    """
    table = load_yaml("dates.yaml")
    form = table.get(lang) or table["default"]
    if "later" in form and year.isdecimal() and int(year) >= form["later"]["from"]:
        form = {**form, **form["later"]}
    month = _month(month, form["months"])
    day = str(int(day)) if day.isdecimal() else day
    if not month:
        pattern = form["year"]
    elif not day:
        pattern = form["year month"]
    elif month_first and "month first" in form:
        pattern = form["month first"]
    else:
        pattern = form["day first"]
    if not year:
        pattern = pattern.replace("{year}", "").strip(" ,.년年")
    return str(pattern.replace("{year}", year).replace("{month}", month).replace("{day}", day))


_ISO = re.compile(r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})")


def _written(call: Call, year: str, month: str, day: str) -> str:
    """The date of three arguments; a year that is a whole date stays as it was written."""
    iso = _ISO.fullmatch(year)
    if iso and not month:
        year, month, day = iso.groups()
    if year and not year.strip("-").isdecimal():
        return year
    if not year and not month:
        return ""
    month_first = call.page.lang == "en" and not call.yes("df", "dfy")
    return write_date(year, month, day, call.page.lang, month_first or call.yes("mf"))


def _date(call: Call) -> str:
    year, month, day = (call.first(key) for key in ("1", "2", "3"))
    if year.isdecimal() and len(year) < 3 and len(day) == 4:
        year, day = day, year
    return _written(call, year, month, day) or call.first("date", "year")


def _day_month_year(call: Call) -> str:
    """As ``_date`` for templates that take day, month and year, or day and month."""
    day, month, year = (call.first(key) for key in ("1", "2", "3"))
    if year and not day and not month:
        return year
    if len(day) > 2 or not month:
        return _date(call)
    if not year.isdecimal():
        year = ""
    return write_date(year, month, day, call.page.lang)


def _death_and_age(call: Call) -> str:
    """The day of death and the age then, which is known, unlike that of the living.

    The wikis differ in the order of the two dates, and in that of day and year: the later is death.
    """
    values = [call.first(str(number)) for number in range(1, 7)]
    dates = [_ordered(values[:3]), _ordered(values[3:])]
    if not all(part.isdecimal() and len(part) < 5 for date in dates for part in date):
        return _written(call, *dates[0])
    birth, death = sorted(tuple(map(int, date)) for date in dates)
    age = death[0] - birth[0] - (death[1:] < birth[1:])
    form = (load_yaml("dates.yaml").get(call.page.lang) or {}).get("aged", "")
    shown = _written(call, str(death[0]), str(death[1]), str(death[2]))
    return shown + str(form).replace("{age}", str(age))


def _age_at_death(call: Call) -> str:
    """``{{没年齢|1966|7|11|2021|5|6}}``: the age at which somebody died."""
    numbers = [call.first(str(number)) for number in range(1, 7)]
    if not all(map(str.isdecimal, numbers)):
        return ""
    birth, death = tuple(map(int, numbers[:3])), tuple(map(int, numbers[3:]))
    return f"{death[0] - birth[0] - (death[1:] < birth[1:])}歳没"


def _ordered(date: list[str]) -> list[str]:
    """Year, month, day, from that or from day, month, year."""
    return date[::-1] if len(date[2]) > 2 >= len(date[0]) else date


def _span(prefix: str) -> Callable[[Call], str]:
    """``c. 1900``, ``r. 1900–1910``: a word for what the years are, and the years."""

    def show(call: Call) -> str:
        table = load_yaml("dates.yaml")
        form = table.get(call.page.lang) or table["default"]
        word = form.get(prefix) or table["en"][prefix]
        years = [value for value in call.positional()[:2] if value]
        if not years:
            return str(word)
        if prefix == "circa":
            return " – ".join(f"{word} {year}" for year in years)
        return f"{word} " + "–".join(years)

    return show


def _as_of(call: Call) -> str:
    alternative = call.first("alt", "text", "txt")
    if alternative:
        return alternative
    year, month, day = (call.first(key) for key in ("1", "2", "3"))
    if not year:
        return ""
    date = write_date(year, month, day, call.page.lang, call.first("df").upper() == "US")
    if call.page.lang != "en":
        return date
    word = "since" if call.yes("since") else "as of"
    return (word if call.yes("lc") else word.capitalize()) + " " + date + call.first("post")


DATE_FUNCTIONS: dict[str, Callable[[Call], str]] = {
    "date": _date,
    "day month year": _day_month_year,
    "death and age": _death_and_age,
    "age at death": _age_at_death,
    "circa": _span("circa"),
    "reign": _span("reign"),
    "floruit": _span("floruit"),
    "born": _span("born"),
    "died": _span("died"),
    "as of": _as_of,
}
