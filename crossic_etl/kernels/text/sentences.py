"""Where a text may be cut without cutting a sentence: paragraph and sentence borders.

A wrong border costs little (a segment begins inside a sentence), a missed one nothing, so the rules
are few. They are ours. Full stops of all scripts count in every language, because articles quote
other languages.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

PARAGRAPH = 0
SENTENCE = 1

# These end a sentence where white space follows (Latin, Arabic, Devanagari, Armenian, Ethiopic).
ENDS_BEFORE_SPACE = ".!?…‽؟۔؛।॥։።፧"
# These end one wherever they stand (Japanese, Chinese, full width, Burmese, Khmer, Tibetan).
ENDS_ANYWHERE = "。！？｡．။។།"
CLOSERS = "\"'”’»›)]}」』）》〉】〕］｝"
# Written without spaces between words; a space ends a phrase, and mostly a sentence.
SPACED_BY_PHRASE = frozenset({"th", "lo", "km", "my", "shn", "bo", "dz"})
PHRASE_SCRIPTS = "\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff"

_SPACE, _NEWLINE, _LOWER, _UPPER, _LETTER, _CLOSER, _END, _ANYWHERE, _PHRASE = (
    1 << bit for bit in range(9)
)
_PAST_THE_END = 8
_HEADING_LENGTH = 80

Positions = npt.NDArray[np.int64]
Flags = npt.NDArray[np.uint16]


class Borders(NamedTuple):
    """Borders in text order; each may be drawn anywhere from ``starts`` to ``stops`` (the white
    space at the border), in characters. ``kinds`` are `PARAGRAPH` or `SENTENCE`.
    """

    starts: Positions
    stops: Positions
    kinds: npt.NDArray[np.int64]


def find_borders(text: str, lang: str) -> Borders:
    """The borders inside a text of that language, without its start and end.

    Paragraphs end after a run of newlines. A short line without a full stop (a heading, an item)
    ends like a sentence, so that a heading stays with what it heads where there is a choice. The
    white space after a sentence begins the next one, as most tokenizers join it to the word after.
    """
    flags = _flags_of(text)
    marks = np.flatnonzero((flags & (_NEWLINE | _END | _ANYWHERE)) != 0)
    is_newline = flags[marks] & _NEWLINE > 0
    found = [_line_borders(flags, marks[is_newline])]
    found.append(_sentence_borders(flags, marks[~is_newline], len(text)))
    if lang in SPACED_BY_PHRASE:
        found.append(_phrase_borders(flags))
    starts, stops, kinds = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.argsort(2 * starts + kinds, kind="stable")
    order = order[(starts[order] > 0) & (starts[order] < len(text))]
    return Borders(starts[order], stops[order], kinds[order])


def splits_a_cluster(text: str, at: int) -> bool:
    """Whether a cut at the position parts a letter from its marks, vowels or joined emoji.

    A short form of Unicode's grapheme clusters (UAX 29), with Thai's and Lao's vowels, which are
    written around their consonant.
    """
    if not 0 < at < len(text):
        return False
    before, after = text[at - 1], text[at]
    if unicodedata.category(after).startswith("M") or "\u200d" in (before, after):
        return True
    if "\U0001f3fb" <= after <= "\U0001f3ff" or after in "ะาำๅະາຳ":
        return True
    if before in "เแโใไເແໂໃໄ" or "\u1160" <= after <= "\u11ff":
        return True
    return all("\U0001f1e6" <= character <= "\U0001f1ff" for character in (before, after))


def _line_borders(flags: Flags, newlines: Positions) -> Borders:
    """A border for each run of newlines, drawn anywhere in the indent behind its last one."""
    if (flags[newlines + 1] & (_SPACE | _NEWLINE) == _SPACE).any():
        spaces = np.flatnonzero((flags & _SPACE) != 0)
        blank_ends = spaces[np.diff(spaces, append=-1) != 1] + 1
        runs = blank_ends[np.searchsorted(blank_ends, newlines, side="right")]
    else:  # nothing but newlines in a run, as in nearly every text
        runs = newlines - np.arange(len(newlines))
    is_last = np.diff(runs, append=-1) != 0
    is_first = np.diff(runs, prepend=-1) != 0
    starts, ends = newlines[is_first], newlines[is_last] + 1
    stops = np.maximum(ends, runs[is_last])
    lengths = starts - np.concatenate([[0], ends[:-1]]) if len(ends) else starts
    closed = flags[np.maximum(starts - 1, 0)] & (_END | _ANYWHERE | _CLOSER) > 0
    kinds = np.where((lengths < _HEADING_LENGTH) & ~closed, SENTENCE, PARAGRAPH)
    return Borders(ends, stops, kinds)


def _sentence_borders(flags: Flags, ends: Positions, n_characters: int) -> Borders:
    """``ends``: where a mark stands that may end a sentence."""
    # Most stops that end nothing (numbers, names of sites) have a letter after them.
    after = flags[ends + 1]
    open_ended = (flags[ends] & _ANYWHERE > 0) | (after & (_SPACE | _CLOSER) > 0)
    ends = ends[open_ended & (after & (_END | _ANYWHERE) == 0)]
    starts = ends + 1
    for _ in range(3):
        starts = starts + (flags[starts] & _CLOSER > 0)
    stops, newline = starts, np.zeros(len(starts), np.bool_)
    for _ in range(3):
        newline |= flags[stops] & _NEWLINE > 0
        stops = stops + (flags[stops] & _SPACE > 0)
    spaced = (stops > starts) & (flags[stops] & _LOWER == 0) & ~_is_abbreviated(flags, ends)
    anywhere = flags[ends] & _ANYWHERE > 0
    kept = (spaced | anywhere) & ~newline & (starts < n_characters)
    starts, stops = starts[kept], np.minimum(stops[kept], n_characters)
    return Borders(starts, stops, np.full(len(starts), SENTENCE))


def _is_abbreviated(flags: Flags, ends: Positions) -> npt.NDArray[np.bool_]:
    """Whether a capitalised word of one or two letters stands before the stop (J., Dr., St.)."""
    word = np.ones(len(ends), np.bool_)
    abbreviated = np.zeros(len(ends), np.bool_)
    for back in range(1, 3):
        letter = flags[np.maximum(ends - back, 0)]
        word &= (letter & _LETTER > 0) & (ends >= back)
        begins = flags[np.maximum(ends - back - 1, 0)] & _LETTER == 0
        abbreviated |= word & (letter & _UPPER > 0) & (begins | (ends == back))
    return abbreviated


def _phrase_borders(flags: Flags) -> Borders:
    """Spaces with a letter of the script on both sides, so not those around numbers and names."""
    spaces = np.flatnonzero(flags & _SPACE)
    spaces = spaces[spaces > 0]
    inside = (flags[spaces - 1] & _PHRASE > 0) & (flags[spaces + 1] & _PHRASE > 0)
    spaces = spaces[inside & (flags[spaces] & _NEWLINE == 0)]
    return Borders(spaces, spaces + 1, np.full(len(spaces), SENTENCE))


def _flags_of(text: str) -> Flags:
    """The flags of each character, and of a few past the end, which have none."""
    code_points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
    flags = np.zeros(len(text) + _PAST_THE_END, np.uint16)
    np.take(_flag_table(), code_points, out=flags[: len(text)], mode="clip")
    return flags


@lru_cache(maxsize=1)
def _flag_table() -> Flags:
    """The flags of each character of Unicode's first plane; the last one, U+FFFF, has none."""
    table = np.zeros(0x10000, np.uint16)
    phrase = re.compile(f"[{PHRASE_SCRIPTS}]")
    for point in range(0xFFFF):
        character = chr(point)
        table[point] = (
            _SPACE * character.isspace()
            | _LOWER * character.islower()
            | _UPPER * character.isupper()
            | _LETTER * character.isalpha()
            | _PHRASE * bool(phrase.match(character))
        )
    for characters, flag in (
        ("\n", _NEWLINE),
        (CLOSERS, _CLOSER),
        (ENDS_BEFORE_SPACE, _END),
        (ENDS_ANYWHERE, _ANYWHERE),
    ):
        table[[ord(character) for character in characters]] |= flag
    return table
