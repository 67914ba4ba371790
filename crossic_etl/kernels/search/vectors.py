"""Converts vectors between Arrow and numpy, without a copy where possible; inner products."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Floats = npt.NDArray[np.float32]
Longs = npt.NDArray[np.int64]
Ints = npt.NDArray[np.int32]

FLOAT_BYTES, HALF_BYTES = 4, 2
# Adding and subtracting it rounds a number below 128 to a multiple of 2 ** -44.
_GRID = 1.5 * 2**8
_CACHED_BYTES = 2**18


class VectorError(ValueError):
    """A vector that is missing or has another dimension than all others."""


def to_matrix(column: pa.Array, dimension: int) -> Floats:
    """A column of vectors as float32[n, dimension]: a view of the column where it holds float32.

    The column is a list of float32, or binary: ``dimension`` float32 or float16, little-endian.
    Slices are handled: ``flatten`` takes a list array's offset and length into account, ``values``
    does not.

    Raises:
        VectorError: a vector is null, holds a null or has another length; names its row.
    """
    if isinstance(column, (pa.BinaryArray, pa.LargeBinaryArray)):
        return _from_binary(column, dimension)
    lengths = column.value_lengths() if len(column) else pa.array([], pa.int32())
    _check(column, lengths.fill_null(-1).to_numpy(zero_copy_only=False), dimension, "floats")
    values = column.flatten()
    if values.null_count:
        raise VectorError(f"a vector holds {values.null_count} null; expected {dimension} floats")
    floats: Floats = values.to_numpy().astype(np.float32, copy=False)
    matrix: Floats = floats.reshape(len(column), dimension)
    return matrix


def _from_binary(column: pa.Array, dimension: int) -> Floats:
    width = np.int64 if pa.types.is_large_binary(column.type) else np.int32
    _, offsets_buffer, data = column.buffers()
    if not len(column):
        return np.zeros((0, dimension), np.float32)
    offsets = np.frombuffer(offsets_buffer, width)[column.offset :][: len(column) + 1]
    lengths = np.diff(offsets)
    half = lengths[0] == dimension * HALF_BYTES
    size = dimension * (HALF_BYTES if half else FLOAT_BYTES)
    lengths = np.where(column.is_valid().to_numpy(zero_copy_only=False), lengths, -1)
    _check(column, lengths, size, "bytes")
    raw = np.frombuffer(data, "<f2" if half else "<f4", len(column) * dimension, int(offsets[0]))
    return raw.reshape(len(column), dimension).astype(np.float32, copy=False)


def _check(column: pa.Array, lengths: npt.NDArray[Any], expected: int, unit: str) -> None:
    wrong = np.flatnonzero(lengths != expected)
    if not len(wrong):
        return
    length = int(lengths[wrong[0]])
    what = "is null" if length < 0 else f"has {length} {unit}"
    raise VectorError(
        f"vector {wrong[0]} of a batch of {len(column)} {what}; expected {expected} {unit}"
    )


def to_binary(matrix: Floats) -> pa.Array:
    """float32[n, d] as binary, little-endian: Spark copies it whole, but a list by element."""
    data = np.ascontiguousarray(matrix, dtype="<f4")
    n, size = data.shape[0], data.shape[1] * FLOAT_BYTES
    offsets = np.arange(n + 1, dtype=np.int32) * np.int32(size)
    return pa.BinaryArray.from_buffers(
        pa.binary(), n, [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    )


def as_binary(column: pa.Array, dimension: int) -> pa.Array:
    """A column of vectors as binary; a binary column is unchanged, half precision included."""
    if isinstance(column, (pa.BinaryArray, pa.LargeBinaryArray)):
        return column
    return to_binary(to_matrix(column, dimension))


def inner_products(left: Floats, right: Floats) -> Floats:
    """float32[n]: the inner product of each row of ``left`` with the same row of ``right``.

    A pair gives the same bits in any batch and on any processor. Each term is rounded to 2 ** -44
    first, so that the sum is exact in any order; vectors have about unit length.
    """
    n, dimension = left.shape
    step = max(1, _CACHED_BYTES // (8 * max(1, dimension)))
    products, ones = np.empty(n, np.float32), np.ones(dimension)
    for at in range(0, n, step):
        part = slice(at, at + step)
        terms = np.multiply(left[part], right[part], dtype=np.float64)
        terms += _GRID
        terms -= _GRID
        products[part] = terms @ ones
    return products


def row_lengths(column: pa.Array) -> pa.Array:
    """The Euclidean length of each vector, of any dimension: a list of floats, or binary float16.

    Null where there is no vector; NaN where it can't be read.
    """
    binary = isinstance(column, (pa.BinaryArray, pa.LargeBinaryArray))
    lengths = [None if row is None else _length(row, binary) for row in _rows(column, binary)]
    return pa.array(lengths, pa.float64())


def _rows(column: pa.Array, binary: bool) -> list[Any]:
    if binary:
        return list(column.to_pylist())
    return [scalar.values if scalar.is_valid else None for scalar in column]


def _length(row: Any, binary: bool) -> float:
    if binary and len(row) % HALF_BYTES:
        return float("nan")
    values = np.frombuffer(row, "<f2") if binary else row.to_numpy(zero_copy_only=False)
    return float(np.linalg.norm(values.astype(np.float64)))
