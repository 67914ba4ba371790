"""Cut two texts on one subject in pairs of segments that fit a budget of tokens.

Each text is tokenized once and whole; a segment is a slice of it, so the segments of a side,
joined, are its text and its ids, and the count of tokens is exact.

How the cut is found: both texts fall into pieces, the sentences. The pieces of both sides are put
in one row by their relative position (the middle of the piece, in tokens, as a share of its text),
so that any cut of the row cuts both texts at matching positions, half a sentence off at most. Where
a paragraph border of one text has its nearest in the other close by, the two are taken to match,
and positions in between are stretched to them. The row is then cut in the fewest runs that fit.
Within the freedom that this leaves, each run is as full as it gets, or a few sentences less full
where that takes the cut to paragraph borders: full segments and short last ones pack into windows
with far less waste than even ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from crossic_etl.kernels.samples.borders import Floats, MatchedBorders
from crossic_etl.kernels.text.sentences import PARAGRAPH, find_borders, splits_a_cluster
from crossic_etl.kernels.tokens.ends import Ends, Ids
from crossic_etl.kernels.tokens.tokenizers import Tokenizer

MIN_BUDGET = 16
INSIDE_A_SENTENCE = 2

# The tokens that may be left empty for a better cut, on each side: for a paragraph border rather
# than a sentence border, and for either rather than a cut inside a sentence. Ours: a sentence is
# about 30 tokens, and a paragraph border is not worth more padding than that.
_COSTS = np.array([0, 32, 1 << 20])
# The same for each token that stands apart from its known counterpart, up to a share of the budget:
# padding is cheaper than text beside another subject.
_COST_APART, _MOST_APART = 4, 0.25
# Chunks and pieces differ by a token where one token holds a full stop and the newline after it.
_TOKENS_OFF = 1.5
# Paragraph borders of the two sides match if they are no further apart than this share of a budget.
_MATCHING = 0.2
_LOOK_BACK = 16

Positions = npt.NDArray[np.int64]


class Document(NamedTuple):
    """A text, its language, the ids of the whole text and where each token ends (`Tokenizer`)."""

    text: str
    lang: str
    ids: Ids
    ends: Ends


class Segment(NamedTuple):
    """A slice of a document; empty where its side has nothing to give."""

    text: str
    ids: Ids


class SegmentPair(NamedTuple):
    """Pair ``number`` (from 0) of the ``n`` pairs that two documents were cut in."""

    number: int
    n: int
    english: Segment
    target: Segment


NO_DOCUMENT = Document("", "", np.zeros(0, np.int32), np.zeros(0, np.int64))


def tokenize_documents(
    texts: Sequence[str], langs: Sequence[str], tokenizer: Tokenizer
) -> list[Document]:
    """The documents of these texts, tokenized in one batch."""
    encoded = tokenizer.encode_batch(texts)
    rows = zip(texts, langs, encoded, strict=True)
    return [Document(text, lang, ids, ends) for text, lang, (ids, ends) in rows]


def segment_pair(
    english: Document,
    target: Document,
    budget: int,
    n_separator: int = 0,
    n_split: int = 1,
    borders: MatchedBorders | None = None,
) -> list[SegmentPair]:
    """Cut two documents in n pairs of segments, each of at most ``budget`` tokens.

    A pair's tokens are those of both segments, ``n_separator`` and ``n_split``. n is the smallest
    for which the row of pieces (module docstring) can be cut so that every pair fits. Sentences are
    cut only where one is longer than its side's share of a pair (and than a quarter of it), then
    at a token that ends a word, else a character. Only a single character, with all its marks, of
    more tokens than that is cut inside: then its text goes to the later segment.
    Where one side is much shorter, some pairs have an empty segment on that side. One document
    alone: give `NO_DOCUMENT` for the other. Two empty texts give no pair. ``borders`` are places
    known to match; without them the paragraph borders that stand near each other are.
    Raises ValueError for a budget below 16 or without 8 tokens left for text.
    """
    room = budget - n_separator - n_split
    if budget < MIN_BUDGET or room < MIN_BUDGET // 2:
        raise ValueError(
            f"segment.max_tokens: {budget} leaves {room} tokens for text; "
            f"expected {MIN_BUDGET} or more, and {MIN_BUDGET // 2} beside separator and split token"
        )
    if not english.text and not target.text:
        return []
    total = len(english.ids) + len(target.ids)
    if total <= room:
        return [SegmentPair(0, 1, _slice(english), _slice(target))]
    sides = [
        _pieces(side, _longest_piece(len(side.ids), total, room)) for side in (english, target)
    ]
    of_english, cuts = _cut_row(sides[0], sides[1], room, borders)
    left, right = of_english[cuts], cuts - of_english[cuts]
    pairs = zip(_slices(english, sides[0], left), _slices(target, sides[1], right), strict=True)
    return [SegmentPair(i, len(cuts) - 1, *pair) for i, pair in enumerate(pairs)]


class _Pieces(NamedTuple):
    """The pieces of one side: where each ends, in tokens and characters, and how."""

    tokens: Positions
    characters: Positions
    kinds: Positions


def _longest_piece(n_side: int, total: int, room: int) -> int:
    """How long a sentence may be before it is cut, in tokens: what its side has of each pair, but
    no crumbs of a side that is much the shorter.
    """
    return min(room, max(room * n_side // total, room // 4, MIN_BUDGET // 2))


def _pieces(document: Document, longest: int) -> _Pieces:
    ends, n_tokens = document.ends, len(document.ids)
    if not n_tokens:
        return _Pieces(*(np.zeros(0, np.int64) for _ in range(3)))
    borders = find_borders(document.text, document.lang)
    at = np.searchsorted(ends, borders.starts)
    drawn = (ends[at] <= borders.stops) & (at + 1 < n_tokens)
    tokens = np.append(at[drawn] + 1, n_tokens)
    kinds = np.append(borders.kinds[drawn], PARAGRAPH)
    order = np.lexsort((kinds, tokens))
    order = order[np.diff(tokens[order], prepend=0) > 0]
    tokens, kinds = tokens[order], kinds[order]
    sizes = np.diff(tokens, prepend=0)
    if sizes.max() > longest:
        extra = [
            cut
            for i in np.flatnonzero(sizes > longest)
            for cut in _cuts_inside(document, int(tokens[i] - sizes[i]), int(tokens[i]), longest)
        ]
        tokens = np.append(tokens, np.array(extra, np.int64))
        kinds = np.append(kinds, np.full(len(extra), INSIDE_A_SENTENCE))
        order = np.argsort(tokens)
        tokens, kinds = tokens[order], kinds[order]
    return _Pieces(tokens, ends[tokens - 1], kinds)


def _cuts_inside(document: Document, start: int, stop: int, longest: int) -> list[int]:
    """The cuts that part the tokens from ``start`` to ``stop`` about evenly."""
    before = int(document.ends[start - 1]) if start else 0
    moves = np.diff(document.ends[start : stop - 1], prepend=before) > 0
    allowed = start + 1 + np.flatnonzero(moves)
    cuts: list[int] = []
    while stop - start > longest:
        n_pieces = -(-(stop - start) // longest)
        aim = start + -(-(stop - start) // n_pieces)
        low, high = np.searchsorted(allowed, [start, aim], side="right")
        near = allowed[max(low, high - _LOOK_BACK) : high][::-1].tolist()
        start = _best_cut(document, near) if near else aim
        cuts.append(start)
    return cuts


def _best_cut(document: Document, near: list[int]) -> int:
    """The first of the cuts that parts words, else the first that parts no cluster."""
    text = document.text
    places = [(cut, int(document.ends[cut - 1])) for cut in near]
    for cut, at in places:
        if text[at - 1 : at + 1].strip() != text[at - 1 : at + 1]:
            return cut
    return next((cut for cut, at in places if not splits_a_cluster(text, at)), near[0])


def _cut_row(
    english: _Pieces, target: _Pieces, room: int, borders: MatchedBorders | None
) -> tuple[Positions, Positions]:
    """How many of the row's first k pieces are English, for each k, and the cuts in the row."""
    sizes = np.concatenate([np.diff(english.tokens, prepend=0), np.diff(target.tokens, prepend=0)])
    total = int(sizes.sum())
    middles = _middles(english, target, _MATCHING * room / total, borders)
    order = np.argsort(np.concatenate(middles), kind="stable")
    filled = np.concatenate([[0], np.cumsum(sizes[order])])
    of_english = np.concatenate([[0], np.cumsum(order < len(english.tokens))])
    of_target = np.arange(len(of_english)) - of_english
    costs = _costs_at(english, of_english) + _costs_at(target, of_target)
    if borders is not None:
        apart = _tokens_apart(english, target, of_english, borders)
        costs += np.rint(np.minimum(_COST_APART * apart, _MOST_APART * room)).astype(np.int64)
    return of_english, _fewest_runs(filled, costs, room)


def _middles(
    english: _Pieces, target: _Pieces, tolerance: float, borders: MatchedBorders | None
) -> tuple[Floats, Floats]:
    """The relative position of each piece's middle, the target's stretched to the English one's."""
    ends = [side.tokens / max(1, int(side.tokens[-1:].sum())) for side in (english, target)]
    middles = [(end + np.concatenate([[0.0], end])[:-1]) / 2 for end in ends]
    paragraphs = [
        end[:-1][side.kinds[:-1] == PARAGRAPH]
        for end, side in zip(ends, (english, target), strict=True)
    ]
    found = borders or MatchedBorders(*_matches(paragraphs[0], paragraphs[1], tolerance))
    if len(found.english):
        middles[1] = found.to_english(middles[1])
    return middles[0], middles[1]


def _matches(left: Floats, right: Floats, tolerance: float) -> tuple[Floats, Floats]:
    """The positions of both sides that are each other's nearest, at most ``tolerance`` apart."""
    if not len(left) or not len(right):
        return left[:0], right[:0]
    to_right, to_left = _nearest(left, right), _nearest(right, left)
    mutual = to_left[to_right] == np.arange(len(left))
    near = np.abs(left - right[to_right]) <= tolerance
    return left[mutual & near], right[to_right[mutual & near]]


def _nearest(points: Floats, others: Floats) -> Positions:
    after = np.searchsorted(others, points).clip(0, len(others) - 1)
    before = (after - 1).clip(0)
    closer = np.abs(points - others[before]) <= np.abs(others[after] - points)
    nearest: Positions = np.where(closer, before, after)
    return nearest


def _costs_at(side: _Pieces, n_taken: Positions) -> Positions:
    """What a cut after that many pieces of the side costs; before its first one, nothing."""
    costs: Positions = np.concatenate([[0], _COSTS[side.kinds]])[n_taken]
    return costs


def _tokens_apart(
    english: _Pieces, target: _Pieces, of_english: Positions, borders: MatchedBorders
) -> Floats:
    """At each place of the row, the English tokens between its two sides' matching places."""
    of_target = np.arange(len(of_english)) - of_english
    taken = [
        np.concatenate([[0], side.tokens])[n_taken]
        for side, n_taken in ((english, of_english), (target, of_target))
    ]
    totals = [max(1, int(side.tokens[-1:].sum())) for side in (english, target)]
    shares = [tokens / total for tokens, total in zip(taken, totals, strict=True)]
    return borders.distances(shares[0], shares[1], _TOKENS_OFF / totals[1]) * totals[0]


def _fewest_runs(filled: Positions, costs: Positions, room: int) -> Positions:
    """The cuts of the row, both ends included, that leave no run over ``room``.

    ``filled[k]`` are the tokens of the first k pieces. The latest cuts, found from the left, give
    the number of runs; the earliest, found from the right, say how far back each cut may be.
    """
    earliest = [len(filled) - 1]
    while earliest[-1] > 0:
        earliest.append(int(np.searchsorted(filled, filled[earliest[-1]] - room)))
    earliest.reverse()
    cuts = [0]
    for at_least in earliest[1:-1]:
        full = int(filled[cuts[-1]]) + room
        first, after = max(at_least, cuts[-1] + 1), int(np.searchsorted(filled, full, side="right"))
        cost = full - filled[first:after] + np.minimum(costs[first:after], room // 2)
        cuts.append(first + int(np.argmin(cost)))
    return np.array([*cuts, len(filled) - 1], np.int64)


def _slice(document: Document) -> Segment:
    return Segment(document.text, document.ids)


def _slices(document: Document, pieces: _Pieces, n_taken: Positions) -> list[Segment]:
    """The segments of one side, cut after each of those numbers of pieces."""
    tokens = np.concatenate([[0], pieces.tokens])[n_taken].tolist()
    characters = np.concatenate([[0], pieces.characters])[n_taken].tolist()
    characters[-1] = len(document.text)
    return [
        Segment(document.text[characters[i] : characters[i + 1]], document.ids[start:stop])
        for i, (start, stop) in enumerate(pairwise(tokens))
    ]
