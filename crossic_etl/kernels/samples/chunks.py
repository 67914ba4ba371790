"""Cut a text in chunks, the units in which two texts on one subject are compared.

A chunk is a paragraph with the headings before it. A longer paragraph is cut at sentences, to
chunks of about equal size. Ours, by measuring (python -m bench.segments): of 48, 64, 80 and 128
tokens, 128 loses on texts of known alignment, 48 and 64 lose on independent articles.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from crossic_etl.kernels.samples.documents import Document
from crossic_etl.kernels.samples.headings import reading_borders
from crossic_etl.kernels.text.clusters import splits_a_cluster
from crossic_etl.kernels.text.sentences import PARAGRAPH

CHUNK_TOKENS = 80
# A text of more chunks gets longer ones, so that two texts cost a matrix of bounded size.
MOST_CHUNKS = 2000

_LOOK_BACK = 16

Positions = npt.NDArray[np.int64]


class Chunks(NamedTuple):
    """Where each chunk starts and stops in its text, in characters, without the white space at its
    edges; and the share of the text's tokens before its start and its stop.
    """

    starts: Positions
    stops: Positions
    shares: npt.NDArray[np.float64]  # (n, 2)


def make_chunks(
    document: Document, max_tokens: int = CHUNK_TOKENS, most: int = MOST_CHUNKS
) -> Chunks:
    """The chunks of a document, in order, each of at most ``max_tokens`` tokens.

    Only white space is in no chunk. Where there are more than ``most``, neighbours are joined in
    equal numbers, whatever their tokens.
    """
    spans = [
        span
        for sentences in _paragraphs(document)
        for start, stop in pairwise(_even_cuts(document, sentences, max_tokens))
        if (span := _stripped(document.text, start, stop)) is not None
    ]
    n_joined = -(-len(spans) // most)
    joined = [spans[i : i + n_joined] for i in range(0, len(spans), max(1, n_joined))]
    edges = [(group[0][0], group[-1][1]) for group in joined]
    characters = np.array(edges, np.int64).reshape(-1, 2)
    shares = tokens_before(document, characters) / max(1, len(document.ids))
    return Chunks(characters[:, 0], characters[:, 1], shares)


def chunk_texts(document: Document, chunks: Chunks) -> list[str]:
    """The text of each chunk."""
    edges = zip(chunks.starts.tolist(), chunks.stops.tolist(), strict=True)
    return [document.text[start:stop] for start, stop in edges]


def tokens_before(document: Document, characters: Positions) -> Positions:
    """The number of tokens that end at or before each position of the text."""
    before: Positions = np.searchsorted(document.ends, characters, side="right").astype(np.int64)
    return before


def _paragraphs(document: Document) -> list[list[int]]:
    """The places where each paragraph may be cut, its start and stop included.

    A paragraph border stands before each heading, and none behind one.
    """
    text = document.text
    borders = reading_borders(text, document.lang)
    kinds = dict(zip(borders.starts.tolist(), borders.kinds.tolist(), strict=True))
    kinds.update({0: PARAGRAPH, len(text): PARAGRAPH})
    return _runs(sorted(kinds), kinds)


def _runs(places: Sequence[int], kinds: dict[int, int]) -> list[list[int]]:
    """The places from each paragraph border to the next, both included."""
    runs: list[list[int]] = []
    for place in places:
        if runs:
            runs[-1].append(place)
        if kinds[place] == PARAGRAPH:
            runs.append([place])
    return [run for run in runs if len(run) > 1]


def _even_cuts(document: Document, places: Sequence[int], limit: int) -> list[int]:
    """Cuts at some of the places, ends included, that leave no more than ``limit`` tokens."""
    tokens = tokens_before(document, np.array(places, np.int64))
    cuts, at, stop = [places[0]], int(tokens[0]), int(tokens[-1])
    while stop - at > limit:
        n_chunks = -(-(stop - at) // limit)
        low, high = np.searchsorted(tokens, [at, at + limit], side="right").tolist()
        if low < high:
            distances = np.abs(tokens[low:high] - at - (stop - at) / n_chunks)
            nearest = low + int(np.argmin(distances))
            cuts.append(places[nearest])
            at = int(tokens[nearest])
        else:
            cuts.append(_cut_inside(document, at, limit))
            at = int(tokens_before(document, np.array(cuts[-1], np.int64)))
    return [*cuts, places[-1]]


def _cut_inside(document: Document, at: int, limit: int) -> int:
    """The last place within ``limit`` tokens where a word ends, else no cluster is parted."""
    ends = document.ends
    first = int(np.searchsorted(ends, ends[at - 1] if at else 0, side="right"))
    last = max(first, at + limit - 1)
    near = sorted({int(end) for end in ends[max(first, last - _LOOK_BACK) : last + 1]})[::-1]
    complete = [end for end in near if tokens_before(document, np.array(end)) <= at + limit]
    near = complete or near[-1:]
    for end in near:
        if any(character.isspace() for character in document.text[end - 1 : end + 1]):
            return end
    return next((end for end in near if not splits_a_cluster(document.text, end)), near[0])


def _stripped(text: str, start: int, stop: int) -> tuple[int, int] | None:
    """The span without white space at its edges; None where there is nothing else."""
    piece = text[start:stop]
    start, stop = stop - len(piece.lstrip()), start + len(piece.rstrip())
    return (start, stop) if start < stop else None
