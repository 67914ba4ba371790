"""Texts to unit vectors, a batch at a time, and the two forms in which vectors are stored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from crossic_etl.kernels.encoding.spans import REASONS as UNFIT
from crossic_etl.kernels.encoding.spans import Span, SpanRule, find_spans, unfit_reason
from crossic_etl.kernels.encoding.spec import Encoder, Kind, Vectors
from crossic_etl.kernels.tokens.ends import without_surrogates

NOT_FINITE = "not_finite"
REASONS = (*UNFIT, NOT_FINITE)
# Ours: some 100,000 tokens, so that a call costs nothing beside its work and memory stays small.
SUB_BATCH_CHARACTERS = 200_000

LITTLE_HALF = np.dtype("<f2")


@dataclass(frozen=True)
class Embedded:
    """One row for each text that was given, in its order.

    Attributes:
        vectors: float32[n, d], unit length; zeros where there is a reason.
        spans: what the encoder saw of each text, in characters of the text as given.
        reasons: one of `REASONS` where a text has no vector, else None.
    """

    vectors: Vectors
    spans: list[list[Span]]
    reasons: list[str | None]


def embed_batch(
    encoder: Encoder,
    texts: Sequence[str | None],
    langs: Sequence[str | None],
    kind: Kind,
    rule: SpanRule,
    sub_batch_characters: int = SUB_BATCH_CHARACTERS,
) -> Embedded:
    """The vector of each text. A text that can't be embedded has a reason; none raises.

    The encoder gets the spans sorted by length, in sub-batches of a bounded number of characters.
    The vector of a text with several spans is their mean, weighted by their characters. Lone
    surrogates count as U+FFFD. Other texts of the batch change a vector only where the encoder
    itself rounds by batch.

    Raises:
        RuntimeError: where the encoder gives another number of rows or columns than it should.
    """
    reasons = [unfit_reason(text) for text in texts]
    pieces, owners, spans = _cut(encoder, texts, langs, reasons, kind, rule)
    vectors = encode_sorted(encoder, pieces, kind, sub_batch_characters)
    weights = np.array([len(piece) for piece in pieces], np.float64)
    means = np.zeros((len(texts), encoder.dimension), np.float64)
    np.add.at(means, np.array(owners, np.int64), _unit(vectors) * weights[:, None])
    units = _unit(means)
    bad = np.asarray(~np.isfinite(units).all(axis=1))
    units[bad] = 0
    reasons = [
        reason or (NOT_FINITE if broken else None)
        for reason, broken in zip(reasons, bad.tolist(), strict=True)
    ]
    return Embedded(units.astype(np.float32), spans, reasons)


def encode_sorted(
    encoder: Encoder, texts: Sequence[str], kind: Kind, sub_batch_characters: int
) -> Vectors:
    """The encoder's rows for the texts, in their order, encoded from the shortest to the longest.

    Raises:
        RuntimeError: where the encoder gives another number of rows or columns than it should.
    """
    vectors = np.empty((len(texts), encoder.dimension), np.float32)
    for rows in _sub_batches([len(text) for text in texts], sub_batch_characters):
        encoded = encoder.encode([texts[row] for row in rows], kind)
        if encoded.shape != (len(rows), encoder.dimension):
            raise RuntimeError(
                f"encoder {encoder.name}: {len(rows)} texts gave an array of {encoded.shape}, "
                f"expected {(len(rows), encoder.dimension)}"
            )
        vectors[rows] = encoded
    return vectors


def vectors_to_arrow(embedded: Embedded, half: bool) -> pa.Array:
    """A column with one vector for each row, null where there is a reason.

    list<float>, or with ``half`` binary: IEEE half precision, little-endian, two bytes a number.
    """
    missing = [reason is not None for reason in embedded.reasons]
    if half:
        rows = [
            None if gone else blob
            for gone, blob in zip(missing, to_half(embedded.vectors), strict=True)
        ]
        return pa.array(rows, pa.binary())
    n_rows, dimension = embedded.vectors.shape
    offsets = np.arange(n_rows + 1, dtype=np.int32) * dimension
    return pa.ListArray.from_arrays(
        offsets, embedded.vectors.ravel(), type=pa.list_(pa.float32()), mask=pa.array(missing)
    )


def to_half(vectors: Vectors) -> list[bytes]:
    """Each row as ``2 * d`` bytes: IEEE half precision, little-endian, rounded to nearest."""
    halves = vectors.astype(LITTLE_HALF)
    return [row.tobytes() for row in halves]


def _cut(
    encoder: Encoder,
    texts: Sequence[str | None],
    langs: Sequence[str | None],
    reasons: Sequence[str | None],
    kind: Kind,
    rule: SpanRule,
) -> tuple[list[str], list[int], list[list[Span]]]:
    """The pieces to encode, the row of each, and the spans of each row as the encoder sees them."""
    pieces: list[str] = []
    owners: list[int] = []
    starts: list[int] = []
    for row, (text, lang, reason) in enumerate(zip(texts, langs, reasons, strict=True)):
        if text is None or reason:
            continue
        for start, end in find_spans(text, lang or "", rule):
            pieces.append(without_surrogates(text[start:end]))
            owners.append(row)
            starts.append(start)
    seen = encoder.visible(pieces, kind)
    spans: list[list[Span]] = [[] for _ in texts]
    for row, start, length in zip(owners, starts, seen, strict=True):
        spans[row].append((start, start + length))
    return pieces, owners, spans


def _sub_batches(lengths: Sequence[int], limit: int) -> Iterator[list[int]]:
    """Rows from the shortest to the longest, in runs of at most so many characters, or of one."""
    rows: list[int] = []
    total = 0
    for row in sorted(range(len(lengths)), key=lambda row: (lengths[row], row)):
        if rows and total + lengths[row] > limit:
            yield rows
            rows, total = [], 0
        rows.append(row)
        total += lengths[row]
    if rows:
        yield rows


def _unit(vectors: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Rows of unit length; NaN where a row has no direction, or a number that is not finite."""
    wide = vectors.astype(np.float64)
    lengths = np.linalg.norm(wide, axis=1, keepdims=True)
    lengths[~(lengths > 0)] = np.nan
    with np.errstate(invalid="ignore"):
        units: npt.NDArray[np.float64] = wide / lengths
    return units
