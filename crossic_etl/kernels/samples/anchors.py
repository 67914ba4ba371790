"""How near two chunks are by what two languages write alike: numbers, years and Latin names.

No encoder is needed, and any language will do. An anchor counts the more, the fewer chunks have it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from math import log

import numpy as np
import numpy.typing as npt

# Thousands marks: comma, full stop, Arabic's, apostrophes, spaces that do not break.
_NUMBER = re.compile(r"\d+(?:[.,\u066b\u066c'’\u00a0\u202f\u2009]\d+)*")
_THOUSANDS = re.compile(
    r"\d{1,3}(?:[.,\u066c'’\u00a0\u202f\u2009]\d{3})+"
    r"|\d{1,2}(?:,\d{2})+,\d{3}"  # India's 12,34,567
)
# 31.12.1989, 1989.12.31: numbers, as each language puts them in another order.
_DATE = re.compile(r"\d{1,2}\.\d{1,2}\.\d{4}|\d{4}\.\d{1,2}\.\d{1,2}")
_NAME = re.compile(r"[A-Za-zÀ-ÖØ-öø-ɏḀ-ỿ]{3,}")
# Latin letters and marks in the width of ideographs.
_NARROW = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}
_BUDDHIST_ERA = 543
_BUDDHIST_YEARS = range(2300, 2600)
# Of two very long texts the rarest anchors count, so that their matrices stay small.
_MOST_ANCHORS = 4096
# Names are compared by their beginning: Berlin, berlinés, Berliner.
_STEM = 5

Vectors = npt.NDArray[np.float64]


def anchor_vectors(
    english: Sequence[str], target: Sequence[str], target_lang: str
) -> tuple[Vectors, Vectors]:
    """Vectors of the chunks of two texts, (n, d) and (m, d), whose products say how near they are.

    There is a column for each anchor that both texts have. Rows are of unit length, or zeros for a
    chunk without anchor.
    """
    sides = [[find_anchors(text, "en") for text in english]]
    sides.append([find_anchors(text, target_lang) for text in target])
    left, right = (Counter(anchor for found in side for anchor in found) for side in sides)
    n_with = {anchor: left[anchor] + right[anchor] for anchor in left.keys() & right.keys()}
    shared = sorted(n_with, key=lambda anchor: (n_with[anchor], anchor))[:_MOST_ANCHORS]
    n_chunks = len(english) + len(target)
    weights = {anchor: log(n_chunks / n_with[anchor] + 1) for anchor in shared}
    return _vectors(sides[0], weights), _vectors(sides[1], weights)


def find_anchors(text: str, lang: str) -> set[str]:
    """The numbers and names of a text, in the form in which they are compared.

    Digits of any script and width; without thousands marks; years of the Buddhist era, in Thai,
    Lao, Khmer and Burmese, as common years. Names are Latin words that begin with a capital,
    without accents and endings. A number of one digit is none: lists are full of them.
    """
    text = text.translate(_NARROW)
    buddhist = lang in ("th", "lo", "km", "my")
    written = (part for match in _NUMBER.finditer(text) for part in _parts(match.group()))
    numbers = {_number(part, buddhist) for part in written}
    names = {match.group() for match in _NAME.finditer(text)}
    stems = {_stem(name) for name in names if name[0].isupper()}
    return {number for number in numbers if len(number) > 1} | stems


def _parts(written: str) -> list[str]:
    return written.split(".") if _DATE.fullmatch(written) else [written]


def _number(written: str, buddhist: bool) -> str:
    whole = _THOUSANDS.fullmatch(written) is not None
    plain = "".join(
        str(unicodedata.digit(character)) if character.isdigit() else ("" if whole else ".")
        for character in written
    )
    is_year = len(plain) == 4 and plain.isdecimal() and not whole
    if buddhist and is_year and int(plain) in _BUDDHIST_YEARS:
        return str(int(plain) - _BUDDHIST_ERA)
    return plain


def _stem(name: str) -> str:
    letters = unicodedata.normalize("NFD", name.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))[:_STEM]


def _vectors(side: Sequence[set[str]], weights: dict[str, float]) -> Vectors:
    columns = {anchor: column for column, anchor in enumerate(weights)}
    vectors = np.zeros((len(side), len(columns)))
    for row, found in enumerate(side):
        for anchor in found & weights.keys():
            vectors[row, columns[anchor]] = weights[anchor]
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    units: Vectors = vectors / np.where(lengths > 0, lengths, 1)
    return units
