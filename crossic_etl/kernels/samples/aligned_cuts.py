"""Cut two documents where their chunks match, or at the same relative positions where that fits
better.

Parallel texts lose by an alignment, since each of its errors costs a match that positions have for
nothing; real articles gain much. So both cuts are made and compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from crossic_etl.kernels.encoding.embedding import embed_batch
from crossic_etl.kernels.encoding.spans import SpanRule
from crossic_etl.kernels.encoding.spec import Encoder, Kind
from crossic_etl.kernels.samples.alignment import Matches, Vectors, match_chunks, rounded_vectors
from crossic_etl.kernels.samples.anchors import anchor_vectors
from crossic_etl.kernels.samples.borders import MatchedBorders
from crossic_etl.kernels.samples.chunks import Chunks, chunk_texts, make_chunks
from crossic_etl.kernels.samples.names import BY_POSITION
from crossic_etl.kernels.samples.segments import (
    Document,
    SegmentPair,
    segment_pair,
)

ALIGNED = "aligned"

# Ours: of a chunk an encoder sees this much. By python -m bench.segments leads of 200, 300 and 400
# characters differ by a few samples; 300 reaches every goal.
CHUNK_RULE = SpanRule("lead", 300)
_DECIMALS = 4
# Ours: parallel texts lose by an alignment that is better by no more than chance.
_MARGIN = 0.015

Floats = npt.NDArray[np.float64]


class ChunkedDocument(NamedTuple):
    """A document, its chunks and a vector (n, d) for each; zeros where nothing is known of one.

    ``n_characters`` is what an encoder saw of it.
    """

    document: Document
    chunks: Chunks
    vectors: Vectors
    n_characters: int = 0


class Cut(NamedTuple):
    """Pairs of segments, how they were cut, and the cosine of each pair's sides.

    ``kind`` is `ALIGNED` or `BY_POSITION`. A cosine is None where a side is empty or has no vector.
    """

    kind: str
    pairs: list[SegmentPair]
    cosines: list[float | None]


def chunk_by_encoder(document: Document, encoder: Encoder, kind: Kind) -> ChunkedDocument:
    """The document's chunks with the encoder's vectors: zeros for a chunk without a letter.

    A document is embedded alone, so that its vectors don't depend on what else a job has at hand.
    """
    chunks = make_chunks(document)
    texts = chunk_texts(document, chunks)
    embedded = embed_batch(encoder, texts, [document.lang] * len(texts), kind, CHUNK_RULE)
    n_characters = sum(stop - start for spans in embedded.spans for start, stop in spans)
    return ChunkedDocument(document, chunks, embedded.vectors, n_characters)


def chunk_by_anchors(
    english: Document, target: Document
) -> tuple[ChunkedDocument, ChunkedDocument]:
    """The chunks of two documents with the vectors of the anchors that they share."""
    left, right = make_chunks(english), make_chunks(target)
    texts = chunk_texts(english, left), chunk_texts(target, right)
    vectors = anchor_vectors(*texts, target.lang)
    return (
        ChunkedDocument(english, left, vectors[0]),
        ChunkedDocument(target, right, vectors[1]),
    )


def cut_aligned(
    english: ChunkedDocument,
    target: ChunkedDocument,
    budget: int,
    n_separator: int = 0,
    n_split: int = 1,
    pairs: list[SegmentPair] | None = None,
) -> Cut:
    """The cut of `segment_pair` at matched chunks or by position: the one of greater mean cosine.

    The mean is over the pairs with two sides. By position unless the other is greater by a margin,
    and where no chunk matches. Long stretches without counterpart become pairs with an empty side
    where that takes no more pairs. ``pairs`` is the cut by position, where it is known. Raises
    ValueError for a budget too small.
    """
    documents, sizes = (english.document, target.document), (budget, n_separator, n_split)
    if pairs is None:
        pairs = segment_pair(*documents, *sizes)
    by_position = Cut(BY_POSITION, pairs, pair_cosines(english, target, pairs))
    if len(by_position.pairs) < 2:
        return by_position
    matches = match_chunks(english.vectors, target.vectors)
    if not len(matches.english):
        return by_position
    borders = matched_borders(english.chunks, target.chunks, matches)
    pairs = segment_pair(*documents, *sizes, borders)
    aligned = Cut(ALIGNED, pairs, pair_cosines(english, target, pairs))
    return aligned if mean_cosine(aligned) > mean_cosine(by_position) + _MARGIN else by_position


def matched_borders(english: Chunks, target: Chunks, matches: Matches) -> MatchedBorders:
    """Starts and stops of the chunks that match, as places that match."""
    left = english.shares[matches.english].ravel()
    right = target.shares[matches.target].ravel()
    return MatchedBorders(left, right)


def mean_cosine(cut: Cut) -> float:
    """The mean over the pairs that have a cosine, rounded; -1 where none has."""
    known = [cosine for cosine in cut.cosines if cosine is not None]
    return round(sum(known) / len(known), _DECIMALS) if known else -1.0


def segment_vectors(side: ChunkedDocument, texts: Sequence[str]) -> Floats:
    """A vector (n, d) for each segment: the sum of its chunks', by the characters that it has.

    ``texts`` are the segments in order; between two there may be white space that is in neither.
    """
    vectors = np.zeros((len(texts), side.vectors.shape[1]))
    rounded = rounded_vectors(side.vectors)
    at = 0
    for row, text in enumerate(texts):
        start = side.document.text.index(text, at)
        at = start + len(text)
        shared = np.minimum(side.chunks.stops, at) - np.maximum(side.chunks.starts, start)
        held = np.flatnonzero(shared > 0)
        vectors[row] = shared[held] @ rounded[held]
    return vectors


def pair_cosines(
    english: ChunkedDocument, target: ChunkedDocument, pairs: Sequence[SegmentPair]
) -> list[float | None]:
    """The cosine of the sides of each pair; None where a side is empty or has no vector."""
    left = segment_vectors(english, [pair.english.text for pair in pairs])
    right = segment_vectors(target, [pair.target.text for pair in pairs])
    return row_cosines(left, right)


def row_cosines(left: Floats, right: Floats) -> list[float | None]:
    """The cosine of each row with its counterpart, rounded; None where one is zeros."""
    lengths = np.sqrt((left * left).sum(axis=1) * (right * right).sum(axis=1))
    products = (left * right).sum(axis=1)
    return [
        round(float(product / length), _DECIMALS) if length > 0 else None
        for product, length in zip(products, lengths, strict=True)
    ]
