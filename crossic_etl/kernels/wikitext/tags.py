"""Comments, references and the other tags whose content is no wikitext."""

from __future__ import annotations

import re

from crossic_etl.kernels.wikitext.page import HOLE, Page

_COMMENT = "\x05"

_DROPPED = (
    "gallery|timeline|imagemap|score|graph|chart|mapframe|maplink|templatedata|templatestyles"
    "|categorytree|inputbox|hiero|references|indicator|section|languages|charinsert|includeonly"
    "|rss|dynamicpagelist|listing|phonos|quiz|ref"
)
_FORMULAS = "math|chem|ce"
_CODE = "syntaxhighlight|source|code"
_RAW = "nowiki|pre"
_PAIRED = f"{_RAW}|{_FORMULAS}|{_CODE}|{_DROPPED}"

# A body ends at its own closing tag and fails at another opening tag of its kind, which means that
# the first one was never closed: so no stretch of text is read twice for the same kind.
_REF_BODY = r">[^<]*(?:<(?!/?ref[\s/>])[^<]*)*</ref\s*>"
_PAIRED_BODY = r">(?P<body>[^<]*(?:<(?!/?(?P=name)[\s/>])[^<]*)*)</(?P=name)\s*>"
_EXTENSION = re.compile(
    r"<(?=[!a-z])(?:!--(?P<comment>)[^-]*(?:-(?!->)[^-]*)*-->"
    rf"|ref(?=[\s/>])[^<>]*(?:(?<=/)>|(?<!/){_REF_BODY})"
    rf"|(?P<name>{_PAIRED})(?=[\s/>])[^<>]*(?:(?<=/)>|(?<!/){_PAIRED_BODY}))",
    re.IGNORECASE,
)
_OPEN_COMMENT = re.compile(r"<!--[^\n]*(?:\n(?!\n)[^\n]*)*")
_COMMENT_LINE = re.compile("\n(?=[ \t]*\x05)[ \t\x05]*(?=\n)")
_STOPS = frozenset(",.;:。、，；：،؛")
_OPEN_ENDS = frozenset(" (（[")
_LINE = re.compile("[^\n]+")


def strip_extensions(text: str, page: Page) -> str:
    """``text`` without comments, references, galleries and the like; ``nowiki`` is protected.

    The leftmost opening tag wins, as in MediaWiki's preprocessor. A comment that is never closed
    hides its paragraph, any other unclosed tag nothing.
    """
    if "<" not in text:
        return text
    if "<!--" in text:
        text = _close_comments(text)

    refs = 0

    def replace(match: re.Match[str]) -> str:
        nonlocal refs
        kind = match.lastgroup
        if kind is None:
            refs += 1
            source, start, end = match.string, match.start(), match.end()
            stop = source[end : end + 1] == " " and source[end + 1 : end + 2] in _STOPS
            return HOLE if stop or source[start - 1] in _OPEN_ENDS else ""
        if kind == "comment":
            return _COMMENT
        return _extension(match["name"].lower(), match["body"], page)

    text = _EXTENSION.sub(replace, text)
    if refs:
        page.left_out["ref"] += refs
    if _COMMENT in text:
        text = _COMMENT_LINE.sub("", text).replace("(" + _COMMENT, "(" + HOLE)
        text = text.replace(_COMMENT, "")
    return text


def _close_comments(text: str) -> str:
    """``text`` where each ``<!--`` has its ``-->``: one without hides the rest of its paragraph."""
    last = text.rfind("-->")
    if text.rfind("<!--") < last:
        return text
    end = last + 3 if last >= 0 else 0
    return text[:end] + _OPEN_COMMENT.sub("", text[end:]) + "\n"


def _extension(name: str, body: str | None, page: Page) -> str:
    if name == "nowiki":
        return page.protect(body or "")
    if name == "pre":
        return "\n\n" + _LINE.sub(lambda line: page.protect(line[0]), body or "") + "\n\n"
    if name in ("math", "chem", "ce"):
        return _configured(page, "math", page.options.math, body)
    if name in ("syntaxhighlight", "source", "code"):
        return _configured(page, "code", page.options.code, body)
    if name == "includeonly":
        return ""
    page.left_out[name] += 1
    return HOLE


def _configured(page: Page, kind: str, form: str, body: str | None) -> str:
    if not form:
        page.left_out[kind] += 1
        return HOLE
    return page.protect(form.replace("{}", (body or "").strip()))
