"""Code as Markdown shows it: backticks within a line, a fenced block otherwise."""

from __future__ import annotations

import re

from crossic_etl.kernels.wikitext.page import CODE, CODE_END, HOLE, Page, as_it_is

# As in CommonMark, a fence is longer than any run of backticks in the code.
_BACKTICKS = re.compile("`+")
_SHORTEST_FENCE = 3
_SPAN = re.compile(f"{CODE}([^{CODE}{CODE_END}]*){CODE_END}")
_EMPTY_SPAN = re.compile(f"{CODE}[ \t{HOLE}]*{CODE_END}")
CODE_TAGS = frozenset({"code", "kbd", "samp", "tt"})
_TAG = re.compile(rf"<(/?)(?:{'|'.join(sorted(CODE_TAGS))})(?:\s[^<>]*)?>", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"""\b(lang|inline|enclose)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?""", re.IGNORECASE
)
_LANGUAGE = re.compile(r"[\w+#.-]{1,40}")


def _longest_run(source: str) -> int:
    return max(map(len, _BACKTICKS.findall(source)), default=0)


def code_span(source: str) -> str:
    """``source``, one line, in backticks; a blank parts them from backticks at its ends."""
    source = source.strip()
    if not source:
        return ""
    ticks = "`" * (_longest_run(source) + 1) if "`" in source else "`"
    pad = " " if "`" in (source[0], source[-1]) else ""
    return f"{ticks}{pad}{source}{pad}{ticks}"


def fenced(source: str, language: str = "") -> str:
    """``source`` as a fenced block, which begins with the name of its ``language``."""
    fence = "`" * max(_longest_run(source) + 1, _SHORTEST_FENCE)
    return f"{fence}{language}\n{source}\n{fence}"


def without_blank_lines(source: str) -> str:
    """``source`` without blank lines at its start and end, and blanks at its lines' ends."""
    lines = [line.rstrip() for line in source.split("\n")]
    return "\n".join(lines).strip("\n")


def preformatted(source: str, page: Page) -> str:
    """A block that stands for ``source``, whose line ends and blanks stay."""
    shown = without_blank_lines(source)
    return f"\n\n{page.protect(as_it_is(shown))}\n\n" if shown else "\n\n"


def highlighted(attributes: str, source: str, page: Page) -> str:
    """What ``<syntaxhighlight attributes>source</syntaxhighlight>`` shows.

    Entities stand for themselves there.
    """
    given = {
        name[1].lower(): name[2] or name[3] or name[4] or ""
        for name in _ATTRIBUTE.finditer(attributes)
    }
    source = source.replace("&", "&amp;")
    if "inline" in given or given.get("enclose", "").lower() == "none":
        return page.protect(code_span(" ".join(source.split())))
    shown = without_blank_lines(source)
    language = given.get("lang", "").strip().lower()
    if not shown:
        return "\n\n"
    block = fenced(shown, language if _LANGUAGE.fullmatch(language) else "")
    return f"\n\n{page.protect(as_it_is(block))}\n\n"


def mark_code(text: str, page: Page) -> str:
    """``text`` with marks in place of the tags of code within a line."""
    text, n_tags = _TAG.subn(lambda tag: CODE_END if tag[1] else CODE, text)
    page.has_code = page.has_code or n_tags > 0
    return text


def drop_empty_code(text: str) -> str:
    """``text`` where marks with nothing between them are a hole."""
    return _EMPTY_SPAN.sub(HOLE, text)


def show_code(text: str) -> str:
    """``text`` with backticks around what stands between marks; each line has its own."""
    return _SPAN.sub(_show_span, text).replace(CODE, "").replace(CODE_END, "")


def _show_span(span: re.Match[str]) -> str:
    return "\n".join(map(code_span, span[1].split("\n")))
