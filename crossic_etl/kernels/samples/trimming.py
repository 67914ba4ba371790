"""Segments without white space at their edges, with the ids of just their text.

Tokens hold white space: a space before a word at a segment's start, a blank line after a full stop
at its end. Where stripping parts such a token, the word that it stands in is tokenized again. The
rest of the ids stays a slice of the whole text's.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from crossic_etl.kernels.samples.documents import Document
from crossic_etl.kernels.tokens.ends import Ids

# A word of more tokens than these is tokenized again in part.
_LOOK = 16
_NO_IDS: Ids = np.zeros(0, np.int32)


class Segment(NamedTuple):
    """A part of a document; empty where its side has nothing to give.

    No white space is at the edges of ``text``, and ``ids`` are its own.
    """

    text: str
    ids: Ids


class _Plan(NamedTuple):
    """A segment's text, and its ids: of a text to tokenize, of a slice, of a text to tokenize."""

    text: str
    head: str
    start: int
    stop: int
    tail: str


def cut_segments(
    document: Document, tokens: Sequence[int], characters: Sequence[int]
) -> list[Segment]:
    """The segments between these places of a document, trimmed; places in tokens and characters."""
    places = zip(pairwise(tokens), pairwise(characters), strict=True)
    plans = [_plan(document, *edges) for edges in places]
    texts = [text for plan in plans for text in (plan.head, plan.tail) if text]
    encoded = iter(_encode(document, texts))

    def ids_of(text: str) -> Ids:
        return next(encoded) if text else _NO_IDS

    return [
        Segment(
            plan.text,
            np.concatenate(
                [ids_of(plan.head), document.ids[plan.start : plan.stop], ids_of(plan.tail)]
            )
            if plan.head or plan.tail
            else document.ids[plan.start : plan.stop],
        )
        for plan in plans
    ]


def _encode(document: Document, texts: Sequence[str]) -> list[Ids]:
    if not texts:
        return []
    if document.tokenizer is None:
        raise ValueError("a document with text has no tokenizer; expected the one of its ids")
    return [ids for ids, _ in document.tokenizer.encode_batch(texts)]


def _plan(document: Document, tokens: tuple[int, int], characters: tuple[int, int]) -> _Plan:
    text = document.text[characters[0] : characters[1]]
    stripped = text.strip()
    if text == stripped:
        return _Plan(text, "", *tokens, "")
    if not stripped:
        return _Plan("", "", 0, 0, "")
    first = characters[0] + text.index(stripped[0])
    last = first + len(stripped)
    start, head_stop = (
        _start(document, tokens, first) if first > characters[0] else (tokens[0], first)
    )
    stop, tail_start = _stop(document, tokens, last) if last < characters[1] else (tokens[1], last)
    if start > stop or head_stop > tail_start:
        return _Plan(stripped, stripped, 0, 0, "")
    head, tail = document.text[first:head_stop], document.text[tail_start:last]
    return _Plan(stripped, head, start, stop, tail)


def _start(document: Document, tokens: tuple[int, int], first: int) -> tuple[int, int]:
    """The first token to keep and where it begins in the text: a word's end where one is parted."""
    ends, text = document.ends, document.text
    at = int(np.searchsorted(ends, first))
    if ends[at] == first:
        return at + 1, first
    near = range(at, min(at + _LOOK, tokens[1]))
    whole = [i for i in near if i == at or ends[i] > ends[i - 1]]
    kept = next((i for i in whole if _ends_a_word(text, int(ends[i]))), at)
    return kept + 1, int(ends[kept])


def _stop(document: Document, tokens: tuple[int, int], last: int) -> tuple[int, int]:
    """How many tokens to keep and where the last of them ends: a word's start if one is parted."""
    ends, text = document.ends, document.text
    at = int(np.searchsorted(ends, last))
    if ends[at] == last:
        return at + 1, last
    near = range(at - 1, max(at - 1 - _LOOK, tokens[0] - 1), -1)
    whole = [i for i in near if i == 0 or ends[i] > ends[i - 1]]
    kept = next((i for i in whole if text[int(ends[i])].isspace()), whole[0] if whole else None)
    if kept is None:
        return tokens[0], int(ends[tokens[0] - 1]) if tokens[0] else 0
    return kept + 1, int(ends[kept])


def _ends_a_word(text: str, place: int) -> bool:
    beside = text[place - 1 : place + 1]
    return place == len(text) or any(character.isspace() for character in beside)
