"""Quality rules for web documents: published rules, adapted to any language.

The rules and numbers are MassiveText's (Gopher, arXiv 2112.11446, A.1.1 and table A1), C4's
(arXiv 1910.10683, 2.2) and FineWeb's (arXiv 2406.17557, 3.6). The way of counting is ours:

* Words are runs between white space. Japanese, Thai and others have none. There a word is a fixed
  number of characters (`CHARACTERS_PER_WORD`), and an n-gram of words is a run of characters of
  the same length. The share of words with a letter becomes the share of letters.
* The limit for a short line is halved in Chinese, Japanese and Korean, which need half the
  characters.
* Lines end in the punctuation marks of any script. Thai, Lao and Khmer have none, so the rule is
  skipped for them.
* A text needs two of its language's most common words. They are matched as whole words, or as
  parts of words in Korean, Japanese and Thai. Languages without a list skip the rule.

C4's rules that cut lines, count sentences or match English phrases are left out: they change
texts, need a sentence splitter, or work for one language only.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
import numpy.typing as npt

from crossic_etl.kernels.text.ngrams import code_points, window_hashes

CHARACTERS_PER_WORD = {
    "ja": 2.5, "ko": 2.4, "th": 5.0, "zh": 1.7, "zh-yue": 1.7, "zh-classical": 1.2, "wuu": 1.7,
    "lo": 5.0, "km": 5.0, "my": 6.0, "bo": 4.0, "dz": 4.0, "shn": 5.0,
}  # fmt: skip
"""Characters that count as one word where spaces don't separate words. The values for ja, ko and th
were measured against the English words of 62 translated news documents; the others are estimates.
Korean has spaces, but they separate longer units than words.
"""
UNSPACED = frozenset(CHARACTERS_PER_WORD) - {"ko"}
_DENSE = frozenset({"ja", "ko", "zh", "zh-yue", "zh-classical", "wuu"})
_WITHOUT_END_MARKS = frozenset({"th", "lo", "km", "shn"})
_WORD_LENGTHS = {"ko": (1.5, 8.0), "ar": (2.0, 10.0)}
_COMMON_WORDS = {
    "en": "the be to of and that have with",  # Gopher's; the other lists are ours
    "es": "de la que el en y los se del las por con para una",
    "pt": "de a que o e do da em um para com uma os no",
    "ar": "في من على إلى أن عن مع التي الذي هذا هذه كان",
    "ja": "の に は を が で と た",
    "ko": "의 에 는 은 이 가 을 를 다",
    "th": "ที่ และ ของ ใน เป็น การ มี ได้",
}
_IN_WORDS = frozenset({"ja", "ko", "th"})
_END_MARKS = tuple(".!?\"'”’»…。！？」』】）)｡؟۔।॥።")
_BULLETS = tuple("•‣▪●○■◦⁃・*-–")
_PARAGRAPHS = re.compile(r"\n\s*\n")
_COMMON_WORD_COUNT = 2


@dataclass(frozen=True)
class QualityRules:
    """Thresholds of `quality_reason`; a document beyond one of them is rejected.

    Shares are of words, lines or characters, from 0 to 1. The defaults are the published values.
    """

    min_words: int = 50  # Gopher, like all down to `min_common_words`
    max_words: int = 100_000
    min_word_length: float = 3.0  # other ranges for Arabic and Korean, none for `UNSPACED`
    max_word_length: float = 10.0
    max_hash_signs: float = 0.1  # per word
    max_ellipses: float = 0.1  # per word
    max_bullet_lines: float = 0.9
    max_ellipsis_lines: float = 0.3
    min_words_with_letters: float = 0.8
    min_letters: float = 0.6  # ours, replaces the rule before for `UNSPACED`
    min_common_words: int = _COMMON_WORD_COUNT
    max_repeated_lines: float = 0.3  # Gopher's table A1, like all down to `max_repeated_ngrams`
    max_repeated_paragraphs: float = 0.3
    max_characters_in_repeated_lines: float = 0.2
    max_characters_in_repeated_paragraphs: float = 0.2
    max_top_ngrams: tuple[float, ...] = (0.2, 0.18, 0.16)  # of 2, 3 and 4 words
    max_repeated_ngrams: tuple[float, ...] = (0.15, 0.14, 0.13, 0.12, 0.11, 0.1)  # of 5 to 10
    lorem_ipsum: bool = True  # C4
    curly_brackets: bool = False  # C4; FineWeb-2 leaves it out, and it rejects mathematics
    min_punctuated_lines: float = 0.12  # FineWeb, like all below
    max_short_lines: float = 0.67
    short_line: int = 30
    max_lines_per_word: float = 0.3


REASONS = tuple(rule.name for rule in fields(QualityRules) if rule.name != "short_line")
"""Possible results of `quality_reason`: each is the name of a rule."""


class _Text:
    """The counts of a text that the rules use, each computed once."""

    def __init__(self, text: str, lang: str) -> None:
        self.text, self.lang = text, lang
        self.is_spaced = lang not in UNSPACED
        self.words = text.split()
        self.n_visible = sum(map(len, self.words))
        per_word = CHARACTERS_PER_WORD.get(lang)
        self.n_words = self.n_visible / per_word if per_word else float(len(self.words))
        self.lines = [line.strip() for line in text.split("\n") if line.strip()]
        self.paragraphs = [p.strip() for p in _PARAGRAPHS.split(text) if p.strip()]

    @cached_property
    def symbols(self) -> npt.NDArray[np.uint64]:
        """Words as numbers, or characters where spaces don't separate words."""
        if not self.is_spaced:
            return code_points("".join(self.words))
        numbers: dict[str, int] = {}
        return np.array([numbers.setdefault(w, len(numbers)) for w in self.words], np.uint64)

    @cached_property
    def ends(self) -> npt.NDArray[np.int64]:
        """The end of each symbol, counted in visible characters, after a leading zero."""
        lengths = [len(w) for w in self.words] if self.is_spaced else [1] * self.n_visible
        return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])

    def n_symbols(self, n_words: int) -> int:
        """The number of symbols in an n-gram of words."""
        return n_words if self.is_spaced else round(n_words * CHARACTERS_PER_WORD[self.lang])


def quality_reason(text: str, lang: str, rules: QualityRules | None = None) -> str | None:
    """The name in `QualityRules` of the first rule that a text breaks, or None.

    ``lang`` is a Wikipedia's code. Time is linear, apart from sorting the hashed n-grams.
    """
    rules = rules or QualityRules()
    counted = _Text(text, lang)
    if counted.n_words < max(rules.min_words, 1):
        return "min_words"
    if counted.n_words > rules.max_words:
        return "max_words"
    for check in (_broken_word_rules, _broken_line_rules, _broken_repetition_rules):
        reason = next(check(counted, rules), None)
        if reason is not None:
            return reason
    return None


def _broken_word_rules(counted: _Text, rules: QualityRules) -> Iterator[str]:
    text, words, n_words = counted.text, counted.words, counted.n_words
    if counted.is_spaced:
        default = (rules.min_word_length, rules.max_word_length)
        low, high = _WORD_LENGTHS.get(counted.lang, default)
        mean = counted.n_visible / len(words)
        if mean < low:
            yield "min_word_length"
        if mean > high:
            yield "max_word_length"
        n_with_letters = sum(any(map(str.isalpha, word)) for word in words)
        if n_with_letters < rules.min_words_with_letters * len(words):
            yield "min_words_with_letters"
    elif _n_letters(text) < rules.min_letters * counted.n_visible:
        yield "min_letters"
    if text.count("#") > rules.max_hash_signs * n_words:
        yield "max_hash_signs"
    if text.count("...") + text.count("…") > rules.max_ellipses * n_words:
        yield "max_ellipses"
    if _lacks_common_words(counted, rules.min_common_words):
        yield "min_common_words"
    if rules.lorem_ipsum and "lorem ipsum" in text.lower():
        yield "lorem_ipsum"
    if rules.curly_brackets and "{" in text:
        yield "curly_brackets"


def _n_letters(text: str) -> int:
    """Letters and their combining marks, of which Thai has many."""
    return sum(c.isalpha() or unicodedata.category(c)[0] == "M" for c in text)


def _lacks_common_words(counted: _Text, n: int) -> bool:
    common = _COMMON_WORDS.get(counted.lang)
    if common is None:
        return False
    if counted.lang in _IN_WORDS:
        return sum(word in counted.text for word in common.split()) < n
    return len(set(counted.text.lower().split()) & set(common.split())) < n


def _broken_line_rules(counted: _Text, rules: QualityRules) -> Iterator[str]:
    lines = counted.lines
    n_lines = len(lines)
    if sum(line.startswith(_BULLETS) for line in lines) > rules.max_bullet_lines * n_lines:
        yield "max_bullet_lines"
    if sum(line.endswith(("...", "…")) for line in lines) > rules.max_ellipsis_lines * n_lines:
        yield "max_ellipsis_lines"
    n_punctuated = sum(line.endswith(_END_MARKS) for line in lines)
    has_end_marks = counted.lang not in _WITHOUT_END_MARKS
    if has_end_marks and n_punctuated <= rules.min_punctuated_lines * n_lines:
        yield "min_punctuated_lines"
    short = rules.short_line // 2 if counted.lang in _DENSE else rules.short_line
    if sum(len(line) <= short for line in lines) >= rules.max_short_lines * n_lines:
        yield "max_short_lines"
    if n_lines > rules.max_lines_per_word * counted.n_words:
        yield "max_lines_per_word"


def _broken_repetition_rules(counted: _Text, rules: QualityRules) -> Iterator[str]:
    for name, parts in (("lines", counted.lines), ("paragraphs", counted.paragraphs)):
        n_repeated, n_characters = _repeated(parts)
        if n_repeated > getattr(rules, f"max_repeated_{name}") * len(parts):
            yield f"max_repeated_{name}"
        limit = getattr(rules, f"max_characters_in_repeated_{name}")
        if n_characters > limit * len(counted.text):
            yield f"max_characters_in_repeated_{name}"
    for n, share in enumerate(rules.max_top_ngrams, 2):
        if _in_top_ngram(counted, n) > share * counted.n_visible:
            yield "max_top_ngrams"
    for n, share in enumerate(rules.max_repeated_ngrams, 5):
        n_characters = _in_repeated_ngrams(counted, n)
        if n_characters == 0:
            return  # longer n-grams don't repeat either
        if n_characters > share * counted.n_visible:
            yield "max_repeated_ngrams"


def _repeated(parts: Sequence[str]) -> tuple[int, int]:
    """The number of parts that occurred before, and their characters."""
    again = [(count - 1, len(part)) for part, count in Counter(parts).items() if count > 1]
    return sum(n for n, _ in again), sum(n * length for n, length in again)


def _in_top_ngram(counted: _Text, n: int) -> int:
    """Characters in all occurrences of the n-gram that covers most of the text."""
    n = counted.n_symbols(n)
    hashes = window_hashes(counted.symbols, n)
    if len(hashes) == 0:
        return 0
    _, first, counts = np.unique(hashes, return_index=True, return_counts=True)
    lengths = counted.ends[first + n] - counted.ends[first]
    return int(np.max(np.where(counts > 1, counts * lengths, 0)))


def _in_repeated_ngrams(counted: _Text, n: int) -> int:
    """Characters in n-grams that occurred before; each character counts once."""
    n = counted.n_symbols(n)
    hashes = window_hashes(counted.symbols, n)
    _, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    starts = np.flatnonzero(first[inverse] < np.arange(len(hashes)))
    covers = np.zeros(len(counted.symbols) + 1, np.int64)
    np.add.at(covers, starts, 1)
    np.add.at(covers, starts + n, -1)
    return int(np.diff(counted.ends)[np.cumsum(covers[:-1]) > 0].sum())
