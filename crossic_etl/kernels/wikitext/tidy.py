"""Around a hole: empty brackets, doubled separators and blanks that it left behind."""

from __future__ import annotations

import re

from crossic_etl.kernels.wikitext.page import BLANK, HOLE, ITEM

_MET = re.compile(r"\{\{+|\}\}+|\[\[+|\]\]+")
_PASSES = 4
# Brackets in which others vanish that hold a template's text.
_OUTER = re.compile("\\(([^()\n]*)\\)")
_VANISHING = str.maketrans("", "", "\x06\x0e")
_TAIL = 200
_CURRENCIES = "$€£¥₹₩₱"
# A bracket that says what a sum is worth, without the sum; and two holes with only "or" between.
_VALUE_BRACKET = re.compile(
    f" ?\\((?:[^()\n]{{0,60}}[^()\n\\w])?[A-Z]{{0,3}}[{_CURRENCIES}]\x01[^()\n]{{0,200}}\\)"
)
_WORTH = re.compile(f"\x01(?<=[{_CURRENCIES}]\x01)")
_ALTERNATIVES = (
    "or|and|also|または|あるいは|もしくは|また|及び|および|또는|혹은|및|o|ou|y|e|u|หรือ|และ|أو|و"
)
_BETWEEN = "[ ,;、،/]*"
# Where both sides have a word of their own (France● and ● Germany), it joins these.
_ALTERNATIVE_HOLES = re.compile(
    f"\x01(?<!\x01\x01){_BETWEEN}(?:{_ALTERNATIVES}){_BETWEEN}(?=\x01(?!\x01)( *[\\w(\"'‘“«])?)"
)
_WORD_ENDS = frozenset(")]\"'’”»")

_PAIRS = dict(zip("(（[【〔“「『«", ")）]】〕”」』»", strict=True))
_PAIRS_OR_QUOTES = {**_PAIRS, '"': '"'}
_CLOSING = tuple(_PAIRS.values())
_SEPARATORS = " ,;:/–—-、，；：・･،؛|"
_STOPS = tuple(",;:.!?、。，．；：！？،؛؟")
_DASH_LAST = re.compile(" [-–—]$")
_ENDS = " .,;:。、．，；：・)）"
_STARTS = ("", "\n", ITEM)
_EMPTY_ITEM = re.compile(f"\n{BLANK}*(?:- |[0-9]+\\. )?{ITEM} *(?=\n)")


def tidy_holes(text: str) -> str:
    """``text`` without its holes, and without what made sense only with something in them."""
    if "\x06" in text:
        text = _OUTER.sub(lambda pair: pair[0].translate(_VANISHING), text)
        text = text.replace("\x06", "(").replace("\x0e", ")")
    if HOLE in text:
        if _WORTH.search(text):
            text = _VALUE_BRACKET.sub("", text)
        text = _ALTERNATIVE_HOLES.sub(_without_alternative, text)
        text = _join_pieces(text)
    # Two single braces may have met where a hole was; each pass mends what the last one joined.
    for _ in range(_PASSES):
        if not any(sign in text and sign * 2 in text for sign in "{}[]"):
            break
        text = _MET.sub("", text)
    return text


def drop_empty_items(text: str) -> str:
    """``text``, tidied, without the items whose text was a hole, and without the marks of items."""
    if ITEM + "\n" in text or ITEM + " " in text:
        text = _EMPTY_ITEM.sub("", text)
    return text.replace(ITEM, "")


def _without_alternative(holes: re.Match[str]) -> str:
    before = holes.string[holes.start() - 1 : holes.start()]
    has_word = before.isalnum() or before in _WORD_ENDS
    return holes[0] if has_word and holes[1] else ""


def _join_pieces(text: str) -> str:
    first, *pieces = text.split(HOLE)
    kept = [""]
    _append(kept, first)
    for right in pieces:
        while right:
            kept[-1], right = _join(kept[-1], right)
            if kept[-1] or len(kept) == 1:
                break
            kept.pop()
            _append(kept, kept.pop())
        _append(kept, right)
    return "".join(kept)


def _append(kept: list[str], text: str) -> None:
    """Add ``text``, its end apart: only that is looked at again, so that no long text is copied."""
    if len(text) > 2 * _TAIL:
        kept += (text[:-_TAIL], text[-_TAIL:])
    elif text:
        kept.append(text)


def _join(left: str, right: str) -> tuple[str, str]:
    """What stays of the text on both sides of a hole."""
    last, following = left[-1:], right[0]
    if last in _STARTS:
        return left, _line_start(right)
    if last.isalnum() and following.isalnum():
        return left, right
    bare = left.rstrip(_SEPARATORS)
    opening = bare[-1:]
    if opening in _PAIRS:
        rest = right.lstrip(_SEPARATORS)
        if rest[:1] == _PAIRS[opening]:
            return _without_bracket(bare[:-1], rest[1:])
        return bare, rest
    if last in _PAIRS_OR_QUOTES and following == _PAIRS_OR_QUOTES[last]:
        return _without_bracket(left[:-1], right[1:])
    rest = right.lstrip(" ")
    if rest[:1] in _CLOSING and rest:
        return bare, rest
    if not rest:
        return left, "" if last == " " else right
    if rest[0] == "\n":
        return _DASH_LAST.sub("", left.rstrip(" ")), rest
    if rest.startswith(_STOPS) and not (right[0] == " " and _opens_word(left, rest)):
        return _before_stop(left, rest)
    if last == " ":
        return left, rest
    return left, right


def _before_stop(left: str, rest: str) -> tuple[str, str]:
    """``left`` and ``rest``, which begins with a stop, with one stop between them."""
    bare = left.rstrip(" ")
    if bare.endswith((",", ";", "、", "،", "؛")) or (
        rest[0] in ",;、،؛" and bare.endswith((":", "："))
    ):
        bare = bare[:-1]
    if rest[0] in ".。" and bare.endswith(rest[0]) and not rest.startswith(".."):
        rest = rest[1:]
    return bare, rest


def _opens_word(left: str, rest: str) -> bool:
    """Whether the stop that begins ``rest`` belongs to a word: .NET, or ? after a sentence."""
    if rest[0] not in ".!?:;":
        return False
    ended = rest[0] in ".!?" and left.rstrip(" ").endswith((".", "!", "?"))
    return ended or rest[1:2].isalnum()


def _line_start(right: str) -> str:
    """``right`` at the start of a line: no comma there, and no full stop without anything else."""
    rest = right.lstrip(" ,，、،")
    if rest[:2] in ("- ", "– ", "— "):
        rest = rest[2:].lstrip(" ")
    line = rest[: rest.find("\n")] if "\n" in rest else rest
    return rest[len(line) :] if len(line) < 4 and not line.strip(_ENDS) else rest


def _without_bracket(left: str, right: str) -> tuple[str, str]:
    """``left`` and ``right`` of a bracket pair that went, with one blank between words."""
    if left.endswith(_STARTS[1:]):
        return left, _line_start(right) if right else ""
    if right.startswith(_STOPS):
        return _before_stop(left, right)
    if not right or right[0] in " \n":
        return left.rstrip(" "), right
    return left, right
