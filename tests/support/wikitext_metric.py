"""How good a cleaned article is: markup left, prose, list items and headings kept, leaks.

Independent of the kernel: the truth is :mod:`wikitext_reference`, and where outputs of other
cleaners are at hand (``voters``) only what a majority of them keeps as well counts.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from tests.support.wikitext_reference import BREAK, LETTERS, Reference

N = 5
LEAK_N = {"ja": 12, "th": 12}
CHARACTER_LANGUAGES = ("ja", "th")


LETTER = re.compile(LETTERS)
NUMBER = re.compile(r"^ *[0-9]+\. ")
INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")

RESIDUE = re.compile(
    r"""
    \{\{ | \}\} | \[\[ | \]\] | \{\| | \|\} | ''
    | </?(?:ref|references|div|span|small|big|br|hr|sub|sup|center|math|gallery|nowiki|table|tr|td
        |th|p|b|i|u|s|li|ul|ol|dl|dd|dt|font|blockquote|poem|ruby|rt|rp|rb|code|pre|source|cite
        |syntaxhighlight|timeline|score|abbr|del|ins|tt|em|strong|noinclude|includeonly
        |onlyinclude|section|templatestyles|h[1-6])\b[^<>]*>
    | <ref\b | <!-- | -->
    | ^\s*[|!] | \|\|
    | \b(?:align|valign|style|class|colspan|rowspan|width|height|bgcolor|cellpadding|cellspacing)
        \s*=\s*["'\w]
    | \b(?:thumb|thumbnail|frameless|upright|framed)\s*\| | \|\s*(?:thumb|right|left|center|\d+px)\b
    | \|\s*\w[\w\ -]*\s*= | \d+px\s*\|
    | (?:^|\s)\[?(?:File|Image|Category|ملف|تصنيف|Archivo|Categoría|ファイル|画像|파일|분류
        |Ficheiro|Imagem|Categoria|ไฟล์|ภาพ|หมวดหมู่):\S
    | \[(?:https?:)?//
    | &(?:\#\d+|\#x[0-9a-f]+|nbsp|ndash|mdash|lt|gt|amp|quot|minus|times|thinsp|middot|deg);
    | __[A-Z]{3,}__ | ^\#REDIRECT | ^={2,6}[^=].*={2,6}\s*$
    | [\x00-\x08\x0b-\x1f\x7f\ufffd]
    """,
    re.X | re.I,
)


class _Blanks(dict[int, int | str]):
    """A table for ``str.translate`` that turns what is no letter into a blank, filled as asked."""

    def __missing__(self, code: int) -> int | str:
        self[code] = code if LETTER.match(chr(code)) else " "
        return self[code]


BLANKS = _Blanks()


@dataclass(frozen=True)
class Score:
    """Counts of one or more articles; shares are properties, 1.0 where there was nothing to keep.

    ``chars`` and ``dirty`` are characters of output, prose and leaks n-grams, the rest pieces.
    """

    chars: int = 0
    dirty: int = 0
    prose: int = 0
    prose_kept: int = 0
    items: int = 0
    items_kept: int = 0
    headings: int = 0
    headings_kept: int = 0
    cut: int = 0
    leaked: int = 0

    def __add__(self, other: Score) -> Score:
        """Add two scores count by count."""
        return Score(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    @property
    def residue(self) -> float:
        """Share of output characters in lines with leftover markup."""
        return self.dirty / self.chars if self.chars else 0.0

    @property
    def prose_share(self) -> float:
        """Share of the n-grams of running text that the output has."""
        return self.prose_kept / self.prose if self.prose else 1.0

    @property
    def items_share(self) -> float:
        """Share of list items that the output has whole."""
        return self.items_kept / self.items if self.items else 1.0

    @property
    def headings_share(self) -> float:
        """Share of headings that are lines of the output."""
        return self.headings_kept / self.headings if self.headings else 1.0

    @property
    def leak_share(self) -> float:
        """Share of the n-grams of references, tables, boxes and end sections that stayed."""
        return self.leaked / self.cut if self.cut else 0.0


def tokens(text: str, lang: str) -> list[str]:
    """Words; characters in languages that do not space them. Case and digits stay as they are."""
    seen = INVISIBLE.sub("", unicodedata.normalize("NFC", text))
    words = seen.translate(BLANKS).split()
    return list("".join(words)) if lang in CHARACTER_LANGUAGES else words


def _grams(parts: Iterable[str], lang: str, n: int) -> Counter[tuple[str, ...]]:
    counts: Counter[tuple[str, ...]] = Counter()
    for part in parts:
        for piece in part.split(BREAK):
            words = tokens(piece, lang)
            counts.update(zip(*(words[i:] for i in range(n)), strict=False))
    return counts


def dirty_lines(text: str, literal: Sequence[str] = ()) -> list[str]:
    """Lines of a cleaned text in which markup is left, other than what is ``literal``."""
    dirty = [line for line in text.split("\n") if RESIDUE.search(line)]
    shown = sorted({*literal, *map(html.unescape, literal)}, key=len, reverse=True)
    return [line for line in dirty if RESIDUE.search(_without(shown, line))]


def _without(pieces: Sequence[str], line: str) -> str:
    for piece in pieces:
        line = line.replace(piece, " ")
    return line


def lost_prose(
    truth: Reference, output: str, lang: str, voters: Sequence[str] = ()
) -> tuple[int, Counter[tuple[str, ...]]]:
    """Count the n-grams that must stay, and name those that the output lacks."""
    wanted = _grams(truth.prose, lang, N)
    if voters:
        votes = [_grams([voter], lang, N) for voter in voters]
        need = len(votes) // 2 + 1
        for gram, count in wanted.items():
            kept = sorted((vote[gram] for vote in votes), reverse=True)
            wanted[gram] = min(count, kept[need - 1])
    have = _grams([output], lang, N)
    missing = wanted - have
    return sum(wanted.values()), missing


class _Lines:
    """An output's tokens, searchable for a run of them; the number of a list item is no word."""

    def __init__(self, text: str, lang: str) -> None:
        self.lang = lang
        self.run = " " + " ".join(tokens(text, lang)) + " "
        lines = (NUMBER.sub("", line) for line in text.split("\n"))
        self.lines = {" ".join(tokens(line, lang)) for line in lines}

    def has(self, item: str) -> bool:
        """Whether every claimed piece is there: a lone word as a line, longer ones anywhere."""
        pieces = [tokens(piece, self.lang) for piece in item.split(BREAK)]
        said = [piece for piece in pieces if piece]
        if len(said) == 1 and len(said[0]) == 1 and BREAK not in item:
            return said[0][0] in self.lines
        return all(f" {' '.join(piece)} " in self.run for piece in said)


def lost_items(
    truth: Reference, output: str, lang: str, voters: Sequence[str] = ()
) -> tuple[int, list[str]]:
    """Count the list items that must stay, and name those that the output lacks."""
    wanted = [item for item in truth.items if tokens(item.replace(BREAK, " "), lang)]
    if voters:
        seen = [_Lines(voter, lang) for voter in voters]
        wanted = [i for i in wanted if sum(v.has(i) for v in seen) > len(seen) / 2]
    have = _Lines(output, lang)
    return len(wanted), [item for item in wanted if not have.has(item)]


def lost_headings(truth: Reference, output: str, lang: str) -> list[str]:
    """Name the headings that are no line of the output."""
    lines = _Lines(output, lang).lines
    return [title for _, title in truth.headings if " ".join(tokens(title, lang)) not in lines]


def leaks(truth: Reference, output: str, lang: str) -> tuple[int, Counter[tuple[str, ...]]]:
    """Count the n-grams that only cut parts hold, and name those that the output has."""
    n = LEAK_N.get(lang, N)
    kept = _grams(truth.prose + truth.items + truth.open, lang, n)
    plain = [html.unescape(re.sub(r"[\[\]{}]|<[^<>]*>|'{2,}", BREAK, part)) for part in truth.cut]
    cut = set(_grams(plain, lang, n)) - set(kept)
    have = _grams([output], lang, n)
    return len(cut), Counter({gram: have[gram] for gram in cut if gram in have})


def judge(truth: Reference, output: str, lang: str, voters: Sequence[str] = ()) -> Score:
    """Score one cleaned article."""
    prose, missing = lost_prose(truth, output, lang, voters)
    items, lost = lost_items(truth, output, lang, voters)
    cut, leaked = leaks(truth, output, lang)
    headings = len(truth.headings)
    return Score(
        chars=len(output),
        dirty=sum(map(len, dirty_lines(output, truth.literal))),
        prose=prose,
        prose_kept=prose - sum(missing.values()),
        items=items,
        items_kept=items - len(lost),
        headings=headings,
        headings_kept=headings - len(lost_headings(truth, output, lang)),
        cut=cut,
        leaked=len(leaked),
    )
