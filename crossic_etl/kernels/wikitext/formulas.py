"""Formulas: LaTeX between dollar signs, as Markdown has it."""

from __future__ import annotations

import re

from crossic_etl.kernels.wikitext.page import BLOCK, HOLE, Page, as_it_is

CHEMISTRY = frozenset({"chem", "ce"})
_DISPLAY = re.compile(r"""\bdisplay\s*=\s*["']?\s*(block|inline)""", re.IGNORECASE)
_MARK = "\x04[0-9]+\x04"
# Alone on an indented line, but for the stop after it and what was left out.
_ALONE = re.compile(f"({_MARK})([ \t\x01.,;:]*)")
_BLOCK = re.compile(f"{BLOCK}({_MARK}){BLOCK}[ \t]*((?:[.,;:!?。、，]+(?=[\\s\x01]))?)[ \t]*")


def formula(name: str, attributes: str, source: str, page: Page) -> str:
    """What ``<name attributes>source</name>`` shows: ``$…$``, or ``$$…$$`` as a block."""
    if page.options.math == "drop":
        page.left_out["math"] += 1
        return HOLE
    lines = [line.strip() for line in source.split("\n")]
    lines = [line for line in lines if line]
    if not lines:
        return HOLE
    if name in CHEMISTRY:
        lines = [f"\\ce{{{' '.join(lines)}}}"]
    display = _DISPLAY.search(attributes)
    if display and display[1].lower() == "block":
        return f"{BLOCK}{page.protect(_displayed(lines))}{BLOCK}"
    mark = page.protect(f"${' '.join(lines)}$")
    if not display:
        page.formulas[mark] = lines
    return mark


def _displayed(lines: list[str]) -> str:
    return as_it_is("$$" + "\n".join(lines) + "$$")


def displayed_if_alone(item: str, page: Page) -> str:
    """An indented line, in which a formula that stands alone is a block."""
    alone = _ALONE.fullmatch(item)
    lines = page.formulas.get(alone[1]) if alone else None
    if alone is None or lines is None:
        return item
    page.raw[int(alone[1].strip("\x04"))] = _displayed(lines)
    return f"{BLOCK}{alone[1]}{BLOCK}{alone[2]}"


def part_blocks(text: str, border: str) -> str:
    """``text`` with ``border`` on both sides of each block; a stop stays with its formula."""
    return _BLOCK.sub(rf"{border}\1\2{border}", text).replace(BLOCK, "")
