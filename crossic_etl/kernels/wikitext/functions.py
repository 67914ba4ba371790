"""Rules that take more than a place in a text: the functions that the template tables name."""

from __future__ import annotations

from collections.abc import Callable

from crossic_etl.kernels.wikitext.call import Call
from crossic_etl.kernels.wikitext.code import highlighted, preformatted
from crossic_etl.kernels.wikitext.dates import DATE_FUNCTIONS
from crossic_etl.kernels.wikitext.formulas import formula
from crossic_etl.kernels.wikitext.html import raised
from crossic_etl.kernels.wikitext.languages import LANGUAGE_FUNCTIONS, language_name
from crossic_etl.kernels.wikitext.numbers import format_number
from crossic_etl.kernels.wikitext.old_style import show_both
from crossic_etl.kernels.wikitext.page import EDGE, EQUALS, HOLE, PIPE
from crossic_etl.kernels.wikitext.quantities import QUANTITY_FUNCTIONS
from crossic_etl.kernels.wikitext.tables import load_yaml
from crossic_etl.kernels.wikitext.values import VALUE_FILTERS, VALUE_FUNCTIONS


def _joined(separator: str) -> Callable[[Call], str]:
    return lambda call: separator.join(value for value in call.positional() if value)


def _items(symbol: str) -> Callable[[Call], str]:
    def show(call: Call) -> str:
        items = [value for value in call.positional() if value]
        return "\n" + "".join(f"{symbol} {item}\n" for item in items) if items else ""

    return show


def source_of(text: str, call: Call) -> str:
    """``text``, an argument, as it was written."""
    text = text.replace(PIPE, "|").replace(EQUALS, "=").replace(EDGE, "").replace(HOLE, "")
    return call.page.restore(text)


def _code(call: Call) -> str:
    """``{{code|source|lang}}``: within a line, and no wikitext."""
    return _coded([call.first("1", "code")], call)


def _codes(call: Call) -> str:
    return _coded(call.positional(), call)


def _coded(sources: list[str], call: Call) -> str:
    if call.page.options.code == "drop":
        return ""
    shown = [highlighted("inline", source_of(source, call), call.page) for source in sources]
    return ", ".join(filter(None, shown))


def _preformatted(call: Call) -> str:
    return preformatted(source_of(call.first("1"), call), call.page)


def _formula(call: Call) -> str:
    return formula("math", "", source_of(call.first("1"), call), call.page)


def _typed(call: Call) -> str:
    """What someone types or a program shows: text, in backticks where code has them."""
    text = call.first("1")
    return f"<code>{text}</code>" if text and call.page.options.code == "keep" else text


def _list(call: Call) -> str:
    """A list in columns; their number or width may stand before it as an argument."""
    parts = call.positional()
    shown = next((part for part in parts if part[:1] in "*#:;" and part), "") or call.first(
        "2", "1"
    )
    return f"\n{shown}\n" if shown else ""


def _content(call: Call) -> str:
    """The opening of columns, which may hold all they show in ``content=``."""
    content = call.first("content")
    return f"\n{content}\n" if content else HOLE


def country_name(code: str, lang: str) -> str:
    """What the wiki of ``lang`` calls the country of a flag template's code; "" if unknown."""
    return str((load_yaml("countries.yaml").get(code) or {}).get(lang, ""))


def _country(call: Call) -> str:
    """``{{flag|JPN}}`` and ``{{flag|Japan}}``: the country's name beside its flag."""
    shown = call.first("name", "1")
    return country_name(shown, call.page.lang) or shown


_SIGNS = {
    "USD": "US$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹", "KRW": "₩", "CAD": "CA$",
    "AUD": "A$", "NZD": "NZ$", "BRL": "R$", "PHP": "₱", "RUB": "₽",
}  # fmt: skip


def _currency(call: Call) -> str:
    """``{{currency|13 billion|USD}}``: US$13 billion."""
    amount, code = call.first("1", "amount"), call.first("2", "type").upper() or "USD"
    sign = _SIGNS.get(code)
    shown = format_number(amount, call.page.lang)
    return (f"{sign}{shown}" if sign else f"{shown} {code}") if amount else ""


def _blocks(call: Call) -> str:
    """Arguments that are blocks side by side, one below the other."""
    return "\n\n" + "\n\n".join(call.positional()) + "\n\n" if call.first("1") else ""


def _sic(call: Call) -> str:
    text = "".join(call.positional())
    if not text or call.yes("hide"):
        return text or " [sic]"
    return f"{text} [sic]"


def _author_year(call: Call) -> str:
    """``{{harvtxt|Smith|Jones|2000|p=4}}`` within a sentence: Smith & Jones (2000)."""
    values = call.positional()
    if len(values) < 2:
        return ""
    authors = values[:-1]
    shown = authors[0] if len(authors) == 1 else ", ".join(authors[:-1]) + " & " + authors[-1]
    if len(authors) > 3:
        shown = f"{authors[0]} et al."
    return f"{shown} ({values[-1]})"


_ACCIDENTALS = {
    "flat": "♭", "b": "♭", "sharp": "♯", "#": "♯", "natural": "♮", "n": "♮",
    "doubleflat": "𝄫", "bb": "𝄫", "doublesharp": "𝄪", "x": "𝄪",
}  # fmt: skip


def _music(call: Call) -> str:
    return _ACCIDENTALS.get(call.first("1").lower(), "")


def _superscript(call: Call) -> str:
    text = call.first("1")
    return raised(text) if text.isdecimal() and text.isascii() else text


def _power_of_ten(call: Call) -> str:
    exponent = call.first("1")
    return "×10" + raised(exponent) if exponent else "×10"


# What the wikis call a quotation, who said it and where.
_QUOTED = (
    "text", "1", "quote", "content", "cita", "texto", "نص", "اقتباس", "Text", "texte", "citation",
    "testo", "текст", "treść", "tekst", "citaat", "citat", "idézet", "lainaus", "alıntı", "isi",
    "תוכן", "نقل قول", "nội dung", "उद्धरण",
)  # fmt: skip
_QUOTED_OF = (
    "author", "by", "2", "sign", "autor", "col2", "المؤلف", "مؤلف", "قائل", "Autor", "auteur",
    "autore", "автор", "författare", "szerző", "sanoja", "yazar", "דובר", "گوینده", "tác giả",
)  # fmt: skip
_QUOTED_FROM = (
    "source", "3", "title", "fuente", "fonte", "المصدر", "مصدر", "Quelle", "источник", "джерело",
    "źródło", "bron", "källa", "forrás", "lähde", "kaynak", "sumber", "מקור", "منبع", "nguồn",
    "sursă", "font",
)  # fmt: skip


def _quote(call: Call) -> str:
    """A block of its own; whoever said it stands after a dash on the next line."""
    text = call.first(*_QUOTED)
    if not text:
        return ""
    by, source = call.first(*_QUOTED_OF), call.first(*_QUOTED_FROM)
    credit = ", ".join(part for part in (by, source) if part)
    if "poem" in call.name or "verse" in call.name:
        text = f"<poem>{text}</poem>"
    return f"\n\n{text}\n" + (f"— {credit}\n" if credit else "") + "\n"


FUNCTIONS: dict[str, Callable[[Call], str]] = {
    "nothing": lambda call: "",
    "join": _joined(""),
    "words": _joined(" "),
    "commas": _joined(", "),
    "dots": _joined(" · "),
    "items": _items("*"),
    "numbered": _items("#"),
    "code": _code,
    "codes": _codes,
    "typed": _typed,
    "preformatted": _preformatted,
    "formula": _formula,
    "list": _list,
    "blocks": _blocks,
    "sic": _sic,
    "author year": _author_year,
    "music": _music,
    "text or blank": lambda call: call.first("1") or " ",
    "superscript": _superscript,
    "power of ten": _power_of_ten,
    "quote": _quote,
    "content": _content,
    "country": _country,
    "currency": _currency,
    **LANGUAGE_FUNCTIONS,
    **QUANTITY_FUNCTIONS,
    **VALUE_FUNCTIONS,
    **DATE_FUNCTIONS,
    "old style": show_both,
}
"""Name in a table, after ``=``, to function: what the call shows, or nothing to leave it out."""

FILTERS: dict[str, Callable[[str, str], str]] = {
    "number": format_number,
    "superscript": lambda text, lang: raised(text),
    "language": language_name,
    "bare": lambda text, lang: text.partition(" (")[0],
    "optional": lambda text, lang: text.replace(HOLE, ""),
    **VALUE_FILTERS,
}
"""Name in a table, after ``:``, to what it does to an argument."""
