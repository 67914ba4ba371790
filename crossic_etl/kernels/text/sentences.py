"""Where a text may be cut without cutting a sentence: paragraph and sentence borders.

A wrong border costs little (a segment begins inside a sentence), a missed one nothing, so the rules
are few. They are ours, the marks are Unicode's Sentence_Terminal with Tibetan's. Marks of all
scripts count in every language, because articles quote other languages.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from crossic_etl.kernels.text.phrases import LEAST_POINTS, WORDS, points_of

PARAGRAPH = 0
SENTENCE = 1
PHRASE = 2

# These end a sentence where white space follows (Latin, Armenian, Arabic, Urdu, Syriac, N'Ko).
ENDS_BEFORE_SPACE = (
    ".!?…‽‼⁇⁈⁉⸮﹖﹗\u037e\u0589\u061b\u061d\u061e\u061f\u06d4\u0700\u0701\u0702\u07f9"
)
# These end one wherever they stand, but between digits (Chinese, Japanese, full width, Devanagari,
# Burmese, Khmer, Ethiopic, Tibetan, Mongolian and rarer scripts).
ENDS_ANYWHERE = "。！？｡．︒﹒।॥။។៕።፧፨།༎༏༐༑᠃᠉᙮᜵᜶᥄᥅᪨᪩᪪᪫᭚᭛᭞᭟᰻᰼᱾᱿꓿꘎꘏꛳꛷꡶꡷꣎꣏꤯꧈꧉꩝꩞꩟꫰꫱꯫"
GREEK = frozenset({"el", "grc", "pnt"})
# An ordinal has a full stop: the 3. Mai is no end of a sentence.
ORDINAL_STOPS = frozenset(
    ["als", "bar", "bs", "cs", "da", "de", "dsb", "et", "eu", "fi", "fo", "hr", "hsb", "hu", "is",
     "ka", "lb", "lv", "nds", "nn", "no", "pl", "sh", "sk", "sl", "sr", "tr"]
)  # fmt: skip
CLOSERS = "\"'”’»›)]}」』）》〉】〕］｝"
# Written without spaces between words; a space ends a phrase.
SPACED_BY_PHRASE = frozenset({"th", "lo", "km", "my", "shn", "bo", "dz"})

# What the Japanese sentence goes on with after a quotation in it.
_PARTICLES = "とってのがをはにもでや、，"
_PHRASE_SCRIPTS = "\u0e00-\u0fff\u1000-\u109f\u1780-\u17ff\ua9e0-\ua9ff\uaa60-\uaa7f"
# Repetition and abbreviation: the space after them is a habit of spelling.
_NO_PHRASE_END = "ๆฯໆຯៗ"
_QUOTES = "\"'“”‘’«»"
_COMMAS = "၊"
# A word of one letter, with a vowel sign at most, is an initial before a full stop.
_INITIALS = "\u05d0-\u05ea\u0621-\u064a\u0900-\u0dff"

_SPACE, _NEWLINE, _LOWER, _UPPER, _LETTER, _CLOSER, _END, _ANYWHERE, _PHRASE = (
    1 << bit for bit in range(9)
)
_DIGIT, _DOT, _PARTICLE, _INITIAL, _QUOTE, _COMMA = (1 << bit for bit in range(9, 15))
_PAST_THE_END = 8
_HEADING_LENGTH = 80

Positions = npt.NDArray[np.int64]
Flags = npt.NDArray[np.uint16]


class Borders(NamedTuple):
    """Borders in text order; each may be drawn anywhere from ``starts`` to ``stops`` (the white
    space at the border), in characters. ``kinds`` are `PARAGRAPH`, `SENTENCE` or `PHRASE`; the last
    is inside a sentence, where its script parts phrases.
    """

    starts: Positions
    stops: Positions
    kinds: npt.NDArray[np.int64]


def find_borders(text: str, lang: str) -> Borders:
    """The borders inside a text of that language, without its start and end.

    Paragraphs end after a run of newlines. A short line without a full stop (a heading, an item)
    ends like a sentence, so that a heading stays with what it heads where there is a choice. The
    white space after a sentence begins the next one, as most tokenizers join it to the word after.
    Scripts without spaces between words also have borders of phrases, at spaces between letters:
    not those beside numbers, words of other scripts, brackets, abbreviations and signs of
    repetition.
    """
    flags = _flags_of(text, lang)
    marks = np.flatnonzero((flags & (_NEWLINE | _END | _ANYWHERE)) != 0)
    is_newline = flags[marks] & _NEWLINE > 0
    found = [_line_borders(flags, marks[is_newline])]
    found.append(_sentence_borders(flags, marks[~is_newline], len(text), lang))
    if lang in SPACED_BY_PHRASE:
        found.append(_phrase_borders(text, flags, lang))
    starts, stops, kinds = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.argsort(4 * starts + kinds, kind="stable")
    order = order[(starts[order] > 0) & (starts[order] < len(text))]
    order = order[np.diff(starts[order], prepend=0) > 0]
    return Borders(starts[order], stops[order], kinds[order])


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
    for _ in range(3):  # white space at a line's end
        starts = starts - ((starts > 0) & (flags[np.maximum(starts - 1, 0)] & _SPACE > 0))
    closed = flags[np.maximum(starts - 1, 0)] & (_END | _ANYWHERE | _CLOSER) > 0
    kinds = np.where((lengths < _HEADING_LENGTH) & ~closed, SENTENCE, PARAGRAPH)
    return Borders(ends, stops, kinds)


def _sentence_borders(flags: Flags, ends: Positions, n_characters: int, lang: str) -> Borders:
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
    anywhere = flags[ends] & _ANYWHERE > 0
    spaced = ~anywhere & (stops > starts) & (flags[stops] & _LOWER == 0)
    spaced &= ~_is_abbreviated(flags, ends) & ~_stands_at_number(flags, ends, stops)
    spaced &= ~_is_marker(flags, ends)
    if lang in ORDINAL_STOPS:
        spaced &= ~_is_ordinal(flags, ends)
    if anywhere.any():
        anywhere &= ~_goes_on(flags, ends, starts, stops)
    kept = (spaced | anywhere) & ~newline & (starts < n_characters)
    starts, stops = starts[kept], np.minimum(stops[kept], n_characters)
    return Borders(starts, stops, np.full(len(starts), SENTENCE))


def _is_abbreviated(flags: Flags, ends: Positions) -> npt.NDArray[np.bool_]:
    """Whether the stop is part of a word: a capitalised one of one or two letters (J., Dr., St.), a
    single letter without case (د. for doctor) or an abbreviation of Thai's kind (พ.ศ.).
    """
    word = np.ones(len(ends), np.bool_)
    abbreviated = np.zeros(len(ends), np.bool_)
    for back in range(1, 3):
        letter = flags[np.maximum(ends - back, 0)]
        word &= (letter & _LETTER > 0) & (ends >= back)
        begins = flags[np.maximum(ends - back - 1, 0)] & _LETTER == 0
        abbreviated |= word & (letter & _UPPER > 0) & (begins | (ends == back))
    without_case = flags[np.maximum(ends - 1, 0)] & (_PHRASE | _INITIAL)
    if without_case.any():
        is_dot = flags[ends] & _DOT > 0
        abbreviated |= is_dot & ((without_case & _PHRASE > 0) | _is_initial(flags, ends))
    return abbreviated


def _is_ordinal(flags: Flags, ends: Positions) -> npt.NDArray[np.bool_]:
    """Whether a full stop follows a number of one or two digits."""
    one, two, three = (flags[np.maximum(ends - back, 0)] & _DIGIT > 0 for back in (1, 2, 3))
    found: npt.NDArray[np.bool_] = (flags[ends] & _DOT > 0) & one & ~(two & three) & (ends > 0)
    return found


def _stands_at_number(flags: Flags, ends: Positions, stops: Positions) -> npt.NDArray[np.bool_]:
    """Whether a short word with a full stop comes before a number: p. 12, ca. 1900, nr. 5."""
    one, two, three = (flags[np.maximum(ends - back, 0)] for back in (1, 2, 3))
    short = (two & _LETTER == 0) | (three & _LETTER == 0)
    number = (flags[stops] & _DIGIT > 0) & (flags[ends] & _DOT > 0)
    found: npt.NDArray[np.bool_] = number & (one & _LOWER > 0) & short & (ends > 2)
    return found


def _is_marker(flags: Flags, ends: Positions) -> npt.NDArray[np.bool_]:
    """Whether the stop ends the number of a list item: up to four digits that begin a line."""
    numbered = (flags[ends] & _DOT > 0) & (ends > 0) & (flags[ends - 1] & _DIGIT > 0)
    if not numbered.any():
        return numbered
    at = ends - 1
    for _ in range(4):
        at = at - ((at >= 0) & (flags[at] & _DIGIT > 0))
    # Before an indented item are two blanks, or a line's end and one.
    is_space = flags[at] & _SPACE > 0
    begins = (at < 0) | (flags[at] & _NEWLINE > 0)
    begins |= is_space & (flags[np.maximum(at - 1, 0)] & _SPACE > 0)
    found: npt.NDArray[np.bool_] = numbered & begins
    return found


def _is_initial(flags: Flags, ends: Positions) -> npt.NDArray[np.bool_]:
    """Whether a word of one letter, with one vowel sign at most, stands before the stop."""
    last, first = (flags[np.maximum(ends - back, 0)] for back in (1, 2))
    has_sign = (last & _INITIAL > 0) & (last & _LETTER == 0)
    letter = np.where(has_sign, first, last)
    before = ends - 2 - has_sign
    begins = (before < 0) | (flags[np.maximum(before, 0)] & (_SPACE | _DOT) > 0)
    is_letter = (letter & _INITIAL > 0) & (letter & _LETTER > 0)
    found: npt.NDArray[np.bool_] = is_letter & begins & (ends > has_sign)
    return found


def _goes_on(
    flags: Flags, ends: Positions, starts: Positions, stops: Positions
) -> npt.NDArray[np.bool_]:
    """Whether the sentence goes on though its mark needs no space: inside a number, before another
    mark (Tibetan), inside an abbreviation (Khmer ។ល។) or after a quotation (Japanese 「。」と).
    """
    before, after = flags[np.maximum(ends - 1, 0)], flags[ends + 1]
    number = (ends > 0) & (before & after & _DIGIT > 0)
    abbreviation = (after & _PHRASE > 0) & (flags[ends + 2] & _ANYWHERE > 0)
    quotation = (starts > ends + 1) & (flags[starts] & _PARTICLE > 0)
    more = flags[stops] & _ANYWHERE > 0
    found: npt.NDArray[np.bool_] = number | abbreviation | quotation | more
    return found


def _phrase_borders(text: str, flags: Flags, lang: str) -> Borders:
    """Runs of spaces between letters of the script or their quotes."""
    spaces = np.flatnonzero(flags & _SPACE)
    starts = spaces[np.diff(spaces, prepend=-2) != 1]
    stops = spaces[np.diff(spaces, append=-2) != 1] + 1
    before, after = np.diff(starts, prepend=0), np.diff(stops, append=len(text))
    before[1:] -= (stops - starts)[:-1]
    after[:-1] -= (stops - starts)[1:]
    if not len(starts):
        return Borders(starts, stops, starts)
    in_line = np.bitwise_or.reduceat(flags, starts) & _NEWLINE == 0
    kept = (starts > 0) & in_line & _parts_phrases(flags, starts, stops)
    starts, stops, before, after = (column[kept] for column in (starts, stops, before, after))
    kinds = np.full(len(starts), PHRASE)
    if lang in WORDS and len(starts):
        points = points_of(text, starts, stops, before, after, lang)
        kinds[points >= LEAST_POINTS] = SENTENCE
    return Borders(starts, stops, kinds)


def _parts_phrases(flags: Flags, starts: Positions, stops: Positions) -> npt.NDArray[np.bool_]:
    """Whether a letter of the script, or a quote on the right side, is at both ends of the spaces.

    A comma (Burmese ၊) may stand before them.
    """
    last, first = flags[starts - 1], flags[stops]
    closes = (last & _QUOTE > 0) & (flags[np.maximum(starts - 2, 0)] & _SPACE == 0) & (starts > 1)
    opens = (first & _QUOTE > 0) & (flags[stops + 1] & _PHRASE > 0)
    ended = (last & _PHRASE > 0) | (last & _COMMA > 0) | closes
    found: npt.NDArray[np.bool_] = ended & ((first & _PHRASE > 0) | opens)
    return found


def _flags_of(text: str, lang: str) -> Flags:
    """The flags of each character, and of a few past the end, which have none."""
    code_points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")
    flags = np.zeros(len(text) + _PAST_THE_END, np.uint16)
    np.take(_flag_table(), code_points, out=flags[: len(text)], mode="clip")
    if lang in GREEK:
        flags[: len(text)][code_points == ord(";")] |= _END
    return flags


@lru_cache(maxsize=1)
def _flag_table() -> Flags:
    """The flags of each character of Unicode's first plane; the last one, U+FFFF, has none."""
    table = np.zeros(0x10000, np.uint16)
    phrase, initial = re.compile(f"[{_PHRASE_SCRIPTS}]"), re.compile(f"[{_INITIALS}]")
    for point in range(0xFFFF):
        character = chr(point)
        table[point] = (
            _SPACE * character.isspace()
            | _LOWER * character.islower()
            | _UPPER * character.isupper()
            | _LETTER * character.isalpha()
            | _DIGIT * character.isdigit()
        )
        if character not in _NO_PHRASE_END and unicodedata.category(character)[0] in "LM":
            table[point] |= _PHRASE * bool(phrase.match(character))
            table[point] |= _INITIAL * bool(initial.match(character))
    for characters, flag in (
        ("\n", _NEWLINE),
        (CLOSERS, _CLOSER),
        (ENDS_BEFORE_SPACE, _END),
        (ENDS_ANYWHERE, _ANYWHERE),
        (".", _DOT),
        (_PARTICLES, _PARTICLE),
        (_QUOTES, _QUOTE),
        (_COMMAS, _COMMA),
    ):
        table[[ord(character) for character in characters]] |= flag
    return table
