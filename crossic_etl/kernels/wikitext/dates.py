"""Templates for dates, ages and spans of years."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from crossic_etl.kernels.wikitext.call import Call, is_count
from crossic_etl.kernels.wikitext.tables import load_yaml


def _form(lang: str) -> dict[str, Any]:
    table = load_yaml("dates.yaml")
    form: dict[str, Any] = table.get("en" if lang == "simple" else lang) or table["default"]
    return form


def _month(text: str, names: list[str]) -> str:
    if is_count(text) and 1 <= int(text) <= 12:
        return names[int(text) - 1]
    return text


def write_date(year: str, month: str, day: str, lang: str, month_first: bool = False) -> str:
    """A date in words, as the wiki of ``lang`` writes it; month and day may be empty.

    ``month_first`` chooses May 12, 1900 over 12 May 1900 where the language has both.
    """
    form = _form(lang)
    if "later" in form and is_count(year) and int(year) >= form["later"]["from"]:
        form = {**form, **form["later"]}
    day = str(int(day)) if is_count(day) else day
    day = form.get("first", day) if day == "1" else day
    month = _month(month, form["months"] if day else form.get("alone", form["months"]))
    if not month:
        pattern = form["year"]
    elif not day:
        pattern = form["year month"]
    elif month_first and "month first" in form:
        pattern = form["month first"]
    else:
        pattern = form["day first"]
    if not year:
        pattern = _without_year(pattern, form)
    return str(pattern.replace("{year}", year).replace("{month}", month).replace("{day}", day))


def _without_year(pattern: str, form: dict[str, Any]) -> str:
    """The form of a date, less what belongs to its year."""
    if "{day}" in pattern:
        pattern = form.get("day month", pattern)
    elif "{month}" in pattern:
        pattern = "{month}"
    return pattern.replace("{year}", "").strip(" ,.年년")


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
    month_first = call.page.lang in ("en", "simple") and not call.yes("df", "dfy")
    return write_date(year, month, day, call.page.lang, month_first or call.yes("mf"))


def _date(call: Call) -> str:
    year, month, day = (call.first(key) for key in ("1", "2", "3"))
    if year.isdecimal() and len(year) < 3 and len(day) == 4:
        year, day = day, year
    return _written(call, year, month, day) or call.first("date", "year")


_PARTS = re.compile(r"[\s./]+")


def _day_month_year(call: Call) -> str:
    """As ``_date`` for templates that take day, month and year, or day and month.

    All three may stand in the first argument; a text that is no date stays as it is.
    """
    parts = [call.first(key) for key in ("1", "2", "3")]
    if parts[0] and not any(parts[1:]):
        iso = _ISO.fullmatch(parts[0])
        found = list(iso.groups())[::-1] if iso else _PARTS.split(parts[0])
        if len(found) < 2 or len(found) > 3 or not found[0].isdecimal() or len(found[0]) > 2:
            return parts[0]
        parts = [*found, ""][:3]
    day, month, year = parts
    if year and not day and not month:
        return year
    if len(day) > 2 and day.isdecimal():
        return _date(call)
    if not year[:1].isdecimal():
        year = ""
    return write_date(year, month, day, call.page.lang) if month or year else day


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
    form = _form(call.page.lang).get("aged", "")
    shown = _written(call, str(death[0]), str(death[1]), str(death[2]))
    return shown + str(form).replace("{age}", str(age))


def _age_at_death(call: Call) -> str:
    """``{{没年齢|1966|7|11|2021|5|6}}``: the age at which somebody died."""
    numbers = [call.first(str(number)) for number in range(1, 7)]
    if not all(map(is_count, numbers)):
        return ""
    birth, death = tuple(map(int, numbers[:3])), tuple(map(int, numbers[3:]))
    return f"{death[0] - birth[0] - (death[1:] < birth[1:])}歳没"


def _ordered(date: list[str]) -> list[str]:
    """Year, month, day, from that or from day, month, year."""
    return date[::-1] if len(date[2]) > 2 >= len(date[0]) else date


def _span(prefix: str) -> Callable[[Call], str]:
    """``c. 1900``, ``r. 1900–1910``: a word for what the years are, and the years."""

    def show(call: Call) -> str:
        word = _form(call.page.lang).get(prefix) or _form("en")[prefix]
        years = [value for value in call.positional()[:2] if value]
        if not years:
            return str(word)
        if prefix == "circa":
            return " – ".join(f"{word} {year}" for year in years)
        return f"{word} " + "–".join(years)

    return show


_NUMERAL = re.compile("[IVXLC]+|[0-9]+", re.IGNORECASE)
_BETWEEN = {"-": " – ", "–": " – "}


def _french_century(call: Call) -> str:
    """``{{s|XIX|e}}``: XIXe siècle; ``{{-s2|V|e|IV|e}}``: Ve et IVe siècles av. J.-C.

    Between two centuries stands what the call says (``{{sp|V|e|au|X|e}}``), or "et".
    """
    shown = ""
    count = 0
    between = " et "
    for value in call.positional():
        if _NUMERAL.fullmatch(value):
            numeral = value.upper()
            shown += (between if shown else "") + numeral
            shown += "er" if numeral in ("I", "1") else "e"
            count, between = count + 1, " et "
        elif value and value.lower() not in ("e", "er", "ère", "ème"):
            between = _BETWEEN.get(value, f" {value} ")
    if not count or "mini" in call.name:
        return shown
    plural = "siècles" if count > 1 and "sp" not in call.name else "siècle"
    before = call.name.startswith(("-", "sav")) or call.name.endswith("avjc")
    return f"{shown} {plural}" + (" av. J.-C." if before else "")


def _life(call: Call) -> str:
    """``{{lahirmati|place|1|2|1950|place|3|4|2000}}``: the days of birth and death with places."""
    lang = call.page.lang
    values = [call.first(str(number)) for number in range(1, 9)]
    days = [write_date(values[i + 3], values[i + 2], values[i + 1], lang) for i in (0, 4)]
    born, died = (
        ", ".join(part for part in (values[i], day) if part)
        for i, day in zip((0, 4), days, strict=True)
    )
    if not born:
        return ""
    return f"{born} – {died}" if died else f"lahir {born}"


def _season(call: Call) -> str:
    """``{{nhly|1996}}``: 1996–97, the season that begins in the year."""
    year = call.first("1")
    return f"{year}–{(int(year) + 1) % 100:02}" if year.isdecimal() and len(year) == 4 else year


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
    "season": _season,
    "french century": _french_century,
    "life": _life,
}
