"""The vectors of a shard in blocks: added as they stream in, searched block by block.

The inner products of a block of vectors and a block of queries are one matrix product, which runs
near a core's peak. Growing copies nothing, and no index is built. Two codecs save memory: a block
is decoded once for each block of queries, which costs little beside the product.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from crossic_etl.kernels.search.vectors import Floats, Longs

BLOCK_BYTES = 32 * 2**20
_STEPS = 127
ANY = npt.NDArray[Any]


class Codec(Protocol):
    """The storage format of vectors: rows of ``width`` items of ``dtype``."""

    @property
    def dtype(self) -> npt.DTypeLike:
        """Type of an item."""

    @property
    def width(self) -> int:
        """Items in a row."""

    def encode(self, vectors: Floats) -> ANY:
        """float32[n, d] to rows of the codec."""

    def decode(self, rows: ANY) -> Floats:
        """Rows of the codec to float32[n, d]."""


class FloatCodec(NamedTuple):
    """Stores rows as floats of any precision."""

    dtype: npt.DTypeLike
    width: int

    def encode(self, vectors: Floats) -> ANY:
        """The vectors in the codec's precision."""
        return vectors.astype(self.dtype, copy=False)

    def decode(self, rows: ANY) -> Floats:
        """The rows in single precision."""
        return rows.astype(np.float32, copy=False)


class ByteCodec:
    """One byte a float, as a share of the vector's largest value, which follows in four bytes.

    It needs no training. FAISS's 8-bit quantizer learns a range for each dimension from the first
    vectors, and here those come from one cell.
    """

    dtype: npt.DTypeLike = np.uint8

    def __init__(self, dimension: int) -> None:
        self._dimension = dimension
        self.width = dimension + 4

    def encode(self, vectors: Floats) -> ANY:
        """Rounds each value to the nearest of 255 steps."""
        largest = np.abs(vectors).max(axis=1, keepdims=True, initial=1e-30).astype(np.float32)
        rows = np.empty((len(vectors), self.width), np.uint8)
        steps = np.rint(vectors * (_STEPS / largest)).astype(np.int8)
        rows[:, : self._dimension] = steps.view(np.uint8)
        rows[:, self._dimension :] = largest.view(np.uint8)
        return rows

    def decode(self, rows: ANY) -> Floats:
        """The middle of each step."""
        steps = rows[:, : self._dimension].view(np.int8)
        largest = np.ascontiguousarray(rows[:, self._dimension :]).view(np.float32)
        vectors: Floats = steps.astype(np.float32) * (largest / np.float32(_STEPS))
        return vectors


CODECS: dict[str, Callable[[int], Codec]] = {
    "float32": lambda dimension: FloatCodec(np.float32, dimension),
    "float16": lambda dimension: FloatCodec(np.float16, dimension),
    "uint8": ByteCodec,
}


class VectorStore:
    """Vectors by position, in the order in which they came."""

    def __init__(self, dimension: int, codec: str, block_bytes: int = BLOCK_BYTES) -> None:
        self._codec = CODECS[codec](dimension)
        item = np.dtype(self._codec.dtype).itemsize
        self._block_rows = max(1, block_bytes // (self._codec.width * item))
        self._blocks: list[ANY] = []
        self._n = 0

    def __len__(self) -> int:
        return self._n

    def add(self, vectors: Floats) -> None:
        """Adds float32[n, d]; the data is copied, so it may be a view of temporary memory."""
        while len(vectors):
            at = self._n % self._block_rows
            if not at:
                # Memory that hasn't been written to yet isn't allocated by the system.
                shape = (self._block_rows, self._codec.width)
                self._blocks.append(np.empty(shape, self._codec.dtype))
            taken = vectors[: self._block_rows - at]
            self._blocks[-1][at : at + len(taken)] = self._codec.encode(taken)
            self._n += len(taken)
            vectors = vectors[len(taken) :]

    def pieces(self, start: int, stop: int) -> Iterator[tuple[int, Floats]]:
        """The vectors from ``start`` to ``stop`` as (position of the first, float32[m, d])."""
        while start < stop:
            block, at = divmod(start, self._block_rows)
            rows = self._blocks[block][at : at + stop - start]
            yield start, self._codec.decode(rows)
            start += len(rows)

    def take(self, positions: Longs) -> Floats:
        """The vectors at those positions, float32[n, d]."""
        blocks, places = np.divmod(positions, self._block_rows)
        if len(self._blocks) == 1:
            return self._codec.decode(self._blocks[0][places])
        rows = np.empty((len(positions), self._codec.width), self._codec.dtype)
        for number in np.unique(blocks):
            here = blocks == number
            rows[here] = self._blocks[number][places[here]]
        return self._codec.decode(rows)
