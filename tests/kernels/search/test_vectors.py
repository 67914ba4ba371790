from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossic_etl.kernels.search.vectors import inner_products, row_lengths


def unit(n: int, dimension: int, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((n, dimension)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@given(st.integers(1, 300), st.integers(1, 40), st.integers(1, 1100), st.integers(0, 2**32 - 1))
def test_a_product_depends_on_nothing_but_its_pair(n: int, m: int, size: int, seed: int) -> None:
    left, right = unit(n, size, seed), unit(n, size, seed + 1)
    products = inner_products(left, right)
    start = min(m, n - 1)
    assert inner_products(left[start:], right[start:]).tolist() == products[start:].tolist()
    assert inner_products(right, left).tolist() == products.tolist()
    shuffled = np.random.default_rng(seed).permutation(size)
    assert inner_products(left[:, shuffled], right[:, shuffled]).tolist() == products.tolist()


def test_products_are_those_of_double_precision_rounded_once() -> None:
    left, right = unit(5000, 64, 0), unit(5000, 64, 1)
    expected = np.einsum("nd,nd->n", left.astype(np.float64), right.astype(np.float64))
    assert np.abs(inner_products(left, right) - expected).max() < 2**-24
    assert inner_products(left, left) == pytest.approx(np.ones(5000), abs=1e-6)


def test_of_nothing_there_is_nothing() -> None:
    assert inner_products(unit(0, 4, 0), unit(0, 4, 0)).shape == (0,)
    assert np.isnan(inner_products(np.full((1, 2), np.nan, np.float32), unit(1, 2, 0)))[0]


def test_the_length_of_each_vector_in_either_form() -> None:
    lists = pa.array([[9.0], [3.0, 4.0], None, [], [0.6, math.nan]], pa.list_(pa.float32()))
    lengths = row_lengths(lists.slice(1)).to_pylist()
    assert lengths[:3] == [5.0, None, 0.0]
    assert math.isnan(lengths[3])
    halves = pa.array([np.array([3, 4], "<f2").tobytes(), None, b"odd"], pa.binary())
    lengths = row_lengths(halves).to_pylist()
    assert lengths[:2] == [5.0, None]
    assert math.isnan(lengths[2])
