"""Where tokens end in a text, counted in characters, without a Python loop over tokens."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int32]
Ends = npt.NDArray[np.int64]

_WORD = re.compile(r"\S+")
_SURROGATE = re.compile("[\ud800-\udfff]")


class TokenBytes:
    """Where characters begin in the bytes of each token id of a byte-level vocabulary.

    ``tokens[i]`` are the bytes of id i; ids that text never yields have none.
    """

    def __init__(self, tokens: Sequence[bytes]) -> None:
        sizes = np.fromiter((len(token) for token in tokens), np.int64, len(tokens))
        stops = np.cumsum(sizes)
        data = np.frombuffer(b"".join(tokens), np.uint8)
        first_of_character = (data & 0xC0) != 0x80
        begun = np.concatenate([[0], np.cumsum(first_of_character)])
        self._characters = (begun[stops] - begun[stops - sizes]).astype(np.int16)
        self._continues = np.zeros(len(tokens), np.bool_)
        filled = sizes > 0
        self._continues[filled] = ~first_of_character[(stops - sizes)[filled]]

    def ends(self, ids: Ids) -> Ends:
        """The character position after each token.

        A token that ends inside a character repeats the last end that does not, so that the first
        token with a given end is the one after which the text may be cut.
        """
        ends: Ends = np.cumsum(self._characters[ids], dtype=np.int64)
        inside = self._continues[ids[1:]]
        if inside.any():
            ends[:-1][inside] = 0
            np.maximum.accumulate(ends, out=ends)
        return ends


def ends_from_offsets(offsets: Sequence[tuple[int, int]], n_characters: int) -> Ends:
    """The ends for tokens given as (start, end) in the text, as ``tokenizers`` gives them.

    What no token covers (white space that the tokenizer drops) belongs to the token before it.
    A token that begins before the one before it ended shares a character with it.
    """
    spans = np.array(offsets, np.int64).reshape(-1, 2)
    if not len(spans):
        return np.zeros(0, np.int64)
    ends: Ends = np.append(spans[1:, 0], n_characters)
    ends[:-1][spans[1:, 0] < spans[:-1, 1]] = 0
    np.maximum.accumulate(ends, out=ends)
    return ends


def without_surrogates(text: str) -> str:
    """The text with U+FFFD for each surrogate: no tokenizer, and no UTF-8, has a form for them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub("\ufffd", text)
    return text


def composed_positions(text: str, composed: str) -> Ends:
    """For each position in ``composed``, NFC of ``text``, the same position in ``text``.

    -1 where there is none, because characters on both sides of it were composed to one or put in
    another order. White space never composes, so only words that are not NFC are looked into.
    """
    positions = [0]
    done = 0
    for word in _WORD.finditer(text):
        if unicodedata.is_normalized("NFC", word.group()):
            continue
        positions.extend(range(done + 1, word.start() + 1))
        positions.extend(_word_positions(word.group(), word.start()))
        done = word.end()
    positions.extend(range(done + 1, len(text) + 1))
    if len(positions) != len(composed) + 1:
        raise AssertionError(f"{len(positions) - 1} positions for {len(composed)} characters")
    return np.array(positions, np.int64)


def _word_positions(word: str, offset: int) -> list[int]:
    """The positions after each character of the word's NFC form, by its smallest clusters."""
    positions: list[int] = []
    start = 0
    for stop in range(1, len(word) + 1):
        if stop < len(word) and _joins_the_one_before(word[stop]):
            continue
        cluster = word[start:stop]
        n_composed = len(unicodedata.normalize("NFC", cluster))
        positions.extend([-1] * (n_composed - 1))
        positions.append(offset + stop)
        start = stop
    return positions


def _joins_the_one_before(character: str) -> bool:
    """Whether NFC may compose the character with the one before it, or move it."""
    if unicodedata.category(character).startswith("M"):
        return True
    return "\u1161" <= character <= "\u1175" or "\u11a8" <= character <= "\u11c2"
