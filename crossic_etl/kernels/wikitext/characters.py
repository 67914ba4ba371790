"""Characters: entities, blanks, marks of direction, normal form."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from html.entities import html5

_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_CONTROL_BYTES = bytes(code for code in [*range(0x20), 0x7F] if code not in b"\t\n\r")
_ENTITY = re.compile(
    r"&(?:#(?:0*[0-9]{1,7}|[xX]0*[0-9a-fA-F]{1,6})|[A-Za-z][A-Za-z0-9]{1,31}|רלמ|رلم);"
)
_BLANKS = re.compile("  +")
_GAPS = re.compile("\n\n\n+")
_NAMED = {**html5, "רלמ;": "\u200f", "رلم;": "\u200f"}
# fmt: off
_RIGHT_TO_LEFT = frozenset({
    "ar", "arc", "ary", "arz", "azb", "ckb", "dv", "fa", "glk", "he", "khw", "ks", "lki", "lrc",
    "mzn", "nqo", "pnb", "ps", "sd", "ug", "ur", "yi",
})
# fmt: on
_DIRECTIONS = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c"
_DROPPED = "\u00ad\u2060\ufeff"
_BREAKABLE = frozenset({"th", "lo", "km", "my", "bo", "dz"})
_WIDE_BLANKS = "\u00a0\u202f\u2007"


def clean_source(text: str) -> str:
    """``text`` with plain line ends, without the characters that the passes use as marks."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if _has_controls(text):
        text = _CONTROLS.sub("", text)
    if "\u00a0" in text:
        text = text.replace("\u00a0", " ")
    return text.replace("&nbsp;", " ").replace("&#160;", " ")


def _has_controls(text: str) -> bool:
    """Whether ``_CONTROLS`` has something to do; bytes answer several times faster."""
    try:
        raw = text.encode()
    except UnicodeEncodeError:
        return True
    return len(raw.translate(None, _CONTROL_BYTES)) < len(raw)


_JOINER = "\u034f"
_PERHAPS_RARE_MARKS = re.compile("[\U00010000-\U0001ffff]{31}")


@cache
def _long_marks(first: int, last: int) -> re.Pattern[str]:
    """Thirty combining marks of a range of code points with another one after them."""
    codes = map(chr, range(first, last))
    marks = "".join(mark for mark in codes if unicodedata.combining(mark))
    return re.compile(f"([{marks}]{{30}})(?=[{marks}])")


def compose(text: str) -> str:
    """``text`` in NFC, in linear time.

    Sorting a run of combining marks takes the square of its length, so one of more than thirty is
    parted as Unicode's stream-safe text format says (UAX 15, section 13).
    """
    if unicodedata.is_normalized("NFC", text):
        return text
    text = _long_marks(0x300, 0x10000).sub(rf"\1{_JOINER}", text)
    if _PERHAPS_RARE_MARKS.search(text):
        text = _long_marks(0x300, 0x20000).sub(rf"\1{_JOINER}", text)
    return unicodedata.normalize("NFC", text)


def decode_entities(text: str) -> str:
    """``text`` with entities decoded once, as MediaWiki does: ``&amp;lt;`` shows ``&lt;``.

    A reference needs its semicolon and a character that exists.
    """
    if "&" not in text:
        return text
    return _ENTITY.sub(_decode, text)


def _decode(match: re.Match[str]) -> str:
    name = match[0][1:]
    if name[0] != "#":
        return _NAMED.get(name, match[0])
    code = int(name[2:-1], 16) if name[1] in "xX" else int(name[1:-1])
    low = code in (9, 10) or 0x20 <= code < 0x7F or 0xA0 <= code < 0xD800
    high = 0xE000 <= code <= 0xFFFD or 0x10000 <= code <= 0x10FFFF
    return chr(code) if low or high else match[0]


def finish(text: str, lang: str) -> str:
    """``text`` in NFC, with plain blanks, trimmed lines and one blank line between blocks."""
    if text.isascii():
        lines = text.split("\n")
    else:
        text = _plain_characters(text, lang)
        lines = text.split("\n")
        if not unicodedata.is_normalized("NFC", text):
            lines = [line if line.isascii() else compose(line) for line in lines]
    text = "\n".join(map(str.strip, lines))
    if "  " in text:
        text = _BLANKS.sub(" ", text)
    if "\n\n\n" in text:
        text = _GAPS.sub("\n\n", text)
    return text.strip()


def _plain_characters(text: str, lang: str) -> str:
    for blank in _WIDE_BLANKS:
        if blank in text:
            text = text.replace(blank, " ")
    for dropped in _DROPPED:
        if dropped in text:
            text = text.replace(dropped, "")
    if lang not in _RIGHT_TO_LEFT:
        for mark in _DIRECTIONS:
            if mark in text:
                text = text.replace(mark, "")
    if "\u200b" in text and lang not in _BREAKABLE:
        text = text.replace("\u200b", "")
    return text
