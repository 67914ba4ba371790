"""Hashes of all windows of n symbols of a sequence, as one numpy operation each.

A polynomial in an odd base modulo 2^64 over scrambled symbols, then scrambled itself: equal windows
have equal hashes wherever they are, and two different windows have the same hash with a chance near
2^-64. The hash does not resist an adversary who chooses the text. It need not: whoever wants a page
to be taken for a copy can simply copy.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]

_BASE = 0xD6E8FEB86659FD93
_MASK = 2**64 - 1


def code_points(text: str) -> Hashes:
    """The characters of a text as numbers, uint64[len(text)]."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.uint64)


def window_hashes(symbols: Hashes, n: int, seed: int = 0) -> Hashes:
    """The hash of each window of n symbols, uint64[len(symbols) - n + 1]; none where n is more."""
    if len(symbols) < n:
        return np.empty(0, np.uint64)
    if n < 1:
        raise ValueError(f"windows have at least one symbol, not {n}")
    scrambled = scramble(symbols, seed)
    if n <= 16:
        return scramble(_by_horner(scrambled, n), n)
    # sums[i] = the polynomial of the first i symbols, with growing powers: n costs nothing
    powers, inverses = _powers(1 << len(symbols).bit_length())
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(scrambled * powers[: len(symbols)])])
    return scramble((sums[n:] - sums[:-n]) * inverses[: len(symbols) - n + 1], n)


def scramble(numbers: Hashes, seed: int = 0) -> Hashes:
    """Each number mixed to 64 bits that look random (splitmix64's finalizer)."""
    mixed: Hashes = numbers + np.uint64((seed * 0xBF58476D1CE4E5B9 + 0x9E3779B97F4A7C15) & _MASK)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed


def _by_horner(symbols: Hashes, n: int) -> Hashes:
    n_windows = len(symbols) - n + 1
    value: Hashes = symbols[:n_windows]
    for i in range(1, n):
        value = value * np.uint64(_BASE) + symbols[i : i + n_windows]
    return value


@lru_cache(maxsize=32)
def _powers(n: int) -> tuple[Hashes, Hashes]:
    """The base's first n powers and their inverses modulo 2^64."""
    bases = np.full((2, n), [[_BASE], [pow(_BASE, -1, 2**64)]], np.uint64)
    bases[:, 0] = 1
    powers, inverses = np.cumprod(bases, axis=1)
    return powers, inverses
