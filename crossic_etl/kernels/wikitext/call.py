"""One template call: its name and arguments, read as MediaWiki reads them."""

from __future__ import annotations

import re

from crossic_etl.kernels.wikitext.page import EQUALS, PIPE, Page

_LINK = re.compile(r"\[\[[^\[\]]*\]\]")


def _shield(link: re.Match[str]) -> str:
    return link[0].replace("|", PIPE).replace("=", EQUALS)


def is_count(text: str) -> bool:
    """Whether ``text`` is a whole number of at most nine digits, so that ``int`` takes it."""
    return len(text) < 10 and text.isdecimal()


def split_arguments(source: str) -> list[str]:
    """The arguments in ``source``, cut at the pipes that stand in no link."""
    if "[[" in source:
        source = _LINK.sub(_shield, source)
    return source.split("|")


class Call:
    """Arguments by name; positional ones are named "1", "2" and so on, blanks trimmed.

    Where a pattern found the template, the pattern's groups are arguments too.
    """

    __slots__ = ("arguments", "name", "page")

    def __init__(self, name: str, source: str, page: Page) -> None:
        self.name = name
        self.page = page
        self.arguments: dict[str, str] = {}
        position = 0
        if not source:
            return
        for piece in split_arguments(source):
            key, equals, value = piece.partition("=")
            if equals:
                self.arguments[key.strip()] = value.strip()
            else:
                position += 1
                self.arguments[str(position)] = piece.strip()

    def including(self, values: dict[str, str]) -> Call:
        """The call with ``values`` among its arguments."""
        self.arguments |= values
        return self

    def first(self, *keys: str) -> str:
        """The first argument of ``keys`` that is not empty; ``last`` is the last positional one."""
        for key in keys:
            value = self.positional()[-1:] if key == "last" else self.arguments.get(key)
            if isinstance(value, list):
                value = value[0] if value else ""
            if value:
                return value
        return ""

    def positional(self) -> list[str]:
        """The positional arguments in order, those that are left empty included."""
        values = []
        for number in range(1, len(self.arguments) + 1):
            value = self.arguments.get(str(number))
            if value is None:
                break
            values.append(value)
        return values

    def yes(self, *keys: str) -> bool:
        """Whether a switch such as ``df=y`` is set."""
        return self.first(*keys).lower() not in ("", "no", "n", "off", "false", "0")
