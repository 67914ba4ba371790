"""Rules between ``-{`` and ``}-``: what a wiki with variants of its language shows by default.

Follows ``ConverterRule`` and ``LanguageConverter::recursiveConvertRule`` of MediaWiki. A reader
without preference sees the variant that is named like the language, in which no other text is
converted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from crossic_etl.kernels.wikitext.tables import load_yaml

MAX_DEPTH = 10
"""MediaWiki's own limit on rules inside rules; the marks of a deeper one are text."""

# A rule without braces in it: nearly all are, and need no scan.
_PLAIN = re.compile(r"-\{([^{}]*)\}-")
_MARK = re.compile(r"-\{(?!\{)|-\{(?=\{\{)|\{\{|\}\}|\}-")
_FLAGS = re.compile(r"([^|:\[\]{}<>]{0,100})\|")
_ENTITY = re.compile(r"(&[#a-zA-Z0-9]{1,31});")
_SEMICOLON = "\x05"
_COMMON_FLAGS = frozenset(["A", "T", "R", "D", "-", "H", "N"])


def choose_variants(text: str, lang: str) -> str:
    """``text`` with each rule replaced by what the wiki of ``lang`` shows of it.

    On a wiki that has no variants the marks are text.
    """
    converter = _converter(lang)
    if converter is None or "-{" not in text:
        return text
    for _ in range(MAX_DEPTH):
        text, found = _PLAIN.subn(lambda rule: converter.show(rule[1]), text)
        if not found:
            break
    return _scan(text, converter) if "-{" in text else text


def _scan(text: str, converter: _Converter) -> str:
    """Rules with templates in them, innermost first, in one scan."""
    pieces: list[str] = []
    stack: list[list[str]] = []
    templates = position = 0
    for mark in _MARK.finditer(text):
        pieces.append(text[position : mark.start()])
        position = mark.end()
        if mark[0] == "-{" and len(stack) < MAX_DEPTH:
            stack.append(pieces)
            pieces = []
            templates = 0
        elif mark[0] == "}-" and stack and templates <= 0:
            shown = converter.show("".join(pieces))
            pieces = stack.pop()
            pieces.append(shown)
        else:
            templates += {"{{": 1, "}}": -1}.get(mark[0], 0)
            pieces.append(mark[0])
    pieces.append(text[position:])
    while stack:
        inner, pieces = pieces, stack.pop()
        pieces += ["-{", *inner]
    return "".join(pieces)


@dataclass(frozen=True)
class _Converter:
    """One row of ``data/variants.yaml``; ``codes`` maps each form of a variant's code to it."""

    prefer: tuple[str, ...]
    names: Mapping[str, str]
    codes: Mapping[str, str]
    marks: tuple[str, str]
    flags: frozenset[str]
    separator: re.Pattern[str]

    def show(self, rule: str) -> str:
        """What a rule, given without its marks, shows."""
        head = _FLAGS.match(rule)
        flags: set[str] = set()
        if head is not None:
            rule = rule[head.end() :]
            flags = {flag.strip() for flag in head[1].split(";")} & self.flags
        if "R" in flags or any(flag in self.codes for flag in flags):
            return rule
        if "N" in flags:
            return self.names.get(rule.strip(), "")
        if "-" in flags:
            return ""
        both, oneway = self._read(rule)
        if "D" in flags:
            return self._describe(both, oneway)
        if "H" in flags or flags == {"T"}:
            return ""
        return self._choose(rule, both, oneway)

    def _choose(self, rule: str, both: Mapping[str, str], oneway: Mapping[str, str]) -> str:
        if not both and not oneway:
            return rule
        found = next((both[code] for code in self.prefer if code in both), None)
        if found is None:
            found = oneway.get(self.prefer[0])
        return next(iter([*both.values(), *oneway.values()])) if found is None else found

    def _read(self, rule: str) -> tuple[dict[str, str], dict[str, str]]:
        """Texts by variant of a rule, and those of parts ``from=>variant:text``.

        Both are empty where the rule is a plain text.
        """
        both: dict[str, str] = {}
        oneway: dict[str, str] = {}
        rule = _ENTITY.sub(rf"\1{_SEMICOLON}", rule)
        for part in self.separator.split(rule):
            key, colon, text = part.replace(_SEMICOLON, ";").partition(":")
            source, arrow, target = key.partition("=>")
            code = self.codes.get((target if arrow else source).strip().lower())
            if not colon:
                continue
            if code is None:
                return {}, {}
            if arrow:
                oneway.setdefault(code, text.strip())
            elif text.strip():
                both[code] = text.strip()
            else:
                oneway.setdefault("", "")  # a rule all the same, though this part shows nothing
        return both, oneway

    def _describe(self, both: Mapping[str, str], oneway: Mapping[str, str]) -> str:
        after_name, after_text = self.marks
        pairs = [*both.items(), *oneway.items()]
        return "".join(
            f"{self.names[code]}{after_name}{text}{after_text}" for code, text in pairs if code
        )


@cache
def _converter(lang: str) -> _Converter | None:
    row = load_yaml("variants.yaml").get(lang)
    if row is None:
        return None
    codes = {code: code for code in row["names"]} | row.get("also", {})
    either = "|".join(sorted(map(re.escape, codes), key=len, reverse=True))
    return _Converter(
        prefer=tuple(row["prefer"]),
        names=row["names"],
        codes=codes,
        marks=tuple(row.get("marks", (":", ";"))),
        flags=frozenset(["A", "T", "R", "D", "-", "H", "N"])
        | codes.keys()
        | set(row.get("plain", ())),
        separator=re.compile(
            rf";(?=\s*(?:{either})\s*:|[^;]*?=>\s*(?:{either})\s*:|\s*\Z)", re.IGNORECASE
        ),
    )
