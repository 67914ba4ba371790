"""Comments, references and the other tags whose content is no wikitext."""

from __future__ import annotations

import re

from crossic_etl.kernels.wikitext.code import highlighted, preformatted
from crossic_etl.kernels.wikitext.formulas import formula
from crossic_etl.kernels.wikitext.page import EDGE, HOLE, Page

_COMMENT = "\x05"

_DROPPED = (
    "gallery|timeline|imagemap|score|graph|chart|mapframe|maplink|templatedata|templatestyles"
    "|categorytree|inputbox|hiero|references|indicator|section|languages|charinsert|includeonly"
    "|rss|dynamicpagelist|listing|phonos|quiz|ref"
)
_FORMULAS = frozenset({"math", "chem", "ce"})
_HIGHLIGHTED = frozenset({"syntaxhighlight", "source"})
_PAIRED = "|".join([*sorted(_FORMULAS | _HIGHLIGHTED), _DROPPED])
EXTENSIONS = frozenset({"nowiki", "pre", *_PAIRED.split("|")})
"""Tags whose content is no wikitext, or is not shown."""

# A body ends at its own closing tag and fails at another opening tag of its kind, which means that
# the first one was never closed: so no stretch of text is read twice for the same kind. What is
# shown as it stands runs to the first closing tag, as in MediaWiki; before the passes, those that
# have none lose their opening tag.
_RAW_BODY = r">(?P<source>[^<]*(?:<(?!/(?P=raw)\s*>)[^<]*)*)</(?P=raw)\s*>"
_REF_BODY = r">[^<]*(?:<(?!/?ref[\s/>])[^<]*)*</ref\s*>"
_PAIRED_BODY = r">(?P<body>[^<]*(?:<(?!/?(?P=name)[\s/>])[^<]*)*)</(?P=name)\s*>"
_TAGS = (
    r"<(?=[!a-z])(?:!--(?P<comment>)[^-]*(?:-(?!->)[^-]*)*-->"
    rf"|ref(?=[\s/>])[^<>]*(?:(?<=/)>|(?<!/){_REF_BODY})"
    rf"|(?P<raw>nowiki|pre)(?=[\s/>])[^<>]*(?:(?<=/)>|(?<!/){_RAW_BODY})"
    r"|(?P<name>{names})(?=[\s/>])(?P<attributes>[^<>]*)(?:(?<=/)>|(?<!/)"
    rf"{_PAIRED_BODY}))"
)
_EXTENSION = re.compile(_TAGS.replace("{names}", _PAIRED), re.IGNORECASE)
# The content of ``code`` is wikitext, unless it is dropped.
_EXTENSION_OR_CODE = re.compile(_TAGS.replace("{names}", "code|" + _PAIRED), re.IGNORECASE)
_RAW_TAG = re.compile(r"<(/?)(nowiki|pre)(?:\s*>|[\s/][^<>]*>)", re.IGNORECASE)
_INCLUSION = re.compile(r"</?(?:noinclude|onlyinclude)\s*/?>", re.IGNORECASE)
_OPEN_COMMENT = re.compile(r"<!--[^\n]*(?:\n(?!\n)[^\n]*)*")
_COMMENT_LINE = re.compile("\n(?=[ \t]*\x05)[ \t\x05]*(?=\n)")
_STOPS = frozenset(",.;:。、，；：،؛")
_OPEN_ENDS = frozenset(" (（[")
_ENDS = frozenset(")）]")


def strip_extensions(text: str, page: Page) -> str:
    """``text`` without comments, references, galleries and the like; ``nowiki`` is protected.

    The leftmost opening tag wins, as in MediaWiki's preprocessor. A comment that is never closed
    hides its paragraph, any other unclosed tag nothing.
    """
    if "<" not in text:
        return text
    if "<!--" in text:
        text = _close_comments(text)
    if "nclude" in text:
        text = _INCLUSION.sub("", text)
    if _RAW_TAG.search(text):
        text = _without_open_raw_tags(text)

    refs = 0

    def replace(match: re.Match[str]) -> str:
        nonlocal refs
        kind = match.lastgroup
        if kind is None:
            refs += 1
            return _trace(match.string, match.start(), match.end())
        if kind == "comment":
            return _COMMENT
        if match["raw"]:
            return _verbatim(match["raw"].lower(), match["source"] or "", page)
        return extension(match["name"].lower(), match["attributes"], match["body"] or "", page)

    tags = _EXTENSION_OR_CODE if page.options.code == "drop" else _EXTENSION
    text = tags.sub(replace, text)
    if refs:
        page.left_out["ref"] += refs
    if _COMMENT in text:
        text = _COMMENT_LINE.sub("", text).replace("(" + _COMMENT, "(" + HOLE)
        text = text.replace(_COMMENT, "")
    return text


def _trace(source: str, start: int, end: int) -> str:
    """What stands for a reference: a hole where something beside it may need tidying."""
    before, after = source[start - 1], source[end : end + 1]
    if before == "'" == after:
        return EDGE
    stop = after == " " and source[end + 1 : end + 2] in _STOPS
    if stop and not source[end + 2 : end + 3].isalnum():
        return HOLE
    return HOLE if before in _OPEN_ENDS or (before in _STOPS and after in _ENDS) else ""


def _without_open_raw_tags(text: str) -> str:
    """``text`` without the opening tags of ``nowiki`` and ``pre`` after the last closing one."""
    closed = {"nowiki": 0, "pre": 0}
    for tag in _RAW_TAG.finditer(text):
        if tag[1]:
            closed[tag[2].lower()] = tag.start()

    def drop(tag: re.Match[str]) -> str:
        single = tag[1] or tag[0].endswith("/>")
        return tag[0] if single or tag.start() < closed[tag[2].lower()] else ""

    return _RAW_TAG.sub(drop, text)


def _verbatim(name: str, source: str, page: Page) -> str:
    """Text that is no wikitext."""
    if name == "nowiki":
        return page.protect(source)
    return preformatted(_without_nowiki(source) if "<nowiki>" in source else source, page)


def _without_nowiki(source: str) -> str:
    """``source`` without pairs of ``nowiki`` tags, which ``pre`` does not need."""
    pieces: list[str] = []
    position = 0
    while (start := source.find("<nowiki>", position)) >= 0:
        end = source.find("</nowiki>", start)
        if end < 0:
            break
        pieces += (source[position:start], source[start + 8 : end])
        position = end + 9
    return "".join(pieces) + source[position:]


def _close_comments(text: str) -> str:
    """``text`` where each ``<!--`` has its ``-->``: one without hides the rest of its paragraph."""
    last = text.rfind("-->")
    if text.rfind("<!--") < last:
        return text
    end = last + 3 if last >= 0 else 0
    return text[:end] + _OPEN_COMMENT.sub("", text[end:]) + "\n"


def extension(name: str, attributes: str, body: str, page: Page) -> str:
    """What the tag ``name``, in lower case, shows of its ``body``, which is no wikitext."""
    if name in _FORMULAS:
        return formula(name, attributes, body, page)
    if name in ("nowiki", "pre"):
        return _verbatim(name, body, page)
    if name in _HIGHLIGHTED and page.options.code == "keep":
        return highlighted(attributes, body, page)
    if name == "includeonly":
        return ""
    page.left_out["code" if name in _HIGHLIGHTED else name] += 1
    return HOLE
