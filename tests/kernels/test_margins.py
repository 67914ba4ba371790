from __future__ import annotations

import numpy as np
import pytest

from crossic_etl.kernels.margins import margins_and_mutual, neighbour_means, ratio_margin


def floats(*values: object) -> np.ndarray:
    return np.array(values, np.float32)


def test_the_margin_is_the_cosine_over_the_mean_of_both_neighbourhoods() -> None:
    assert ratio_margin(floats(0.9), floats(0.6), floats(0.3)).tolist() == pytest.approx([2.0])


def test_there_is_no_margin_where_the_neighbourhoods_are_not_above_zero() -> None:
    margins = ratio_margin(floats(0.5, 0.5), floats(0.1, 0.0), floats(-0.1, 0.0))
    assert np.isnan(margins).all()


def test_missing_neighbours_do_not_count() -> None:
    means = neighbour_means(
        floats([0.8, 0.6], [0.5, 9.0], [9.0, 9.0]), np.array([[0, 1], [1, -1], [-1, -1]])
    )
    assert means[:2].tolist() == pytest.approx([0.7, 0.5])
    assert np.isnan(means[2])


def test_mutual_are_those_that_are_each_others_nearest() -> None:
    scores, docs = floats([0.9, 0.4], [0.8, 0.7]), np.array([[0, 1], [0, 1]])
    back_scores, back_queries = floats([0.9, 0.8], [0.7, 0.4]), np.array([[0, 1], [1, 0]])
    margins, mutual = margins_and_mutual(scores, docs, back_scores, back_queries)
    assert mutual.tolist() == [[True, False], [False, False]]
    assert margins[0, 0] == pytest.approx(0.9 / ((0.65 + 0.85) / 2))
    assert margins[1, 1] == pytest.approx(0.7 / ((0.75 + 0.55) / 2))


def test_a_query_without_neighbours_has_no_margin() -> None:
    margins, mutual = margins_and_mutual(
        floats([0.0, 0.0]), np.array([[-1, -1]]), floats([0.5, 0.4]), np.array([[0, -1]])
    )
    assert np.isnan(margins).all() and not mutual.any()


def test_without_documents_there_is_nothing() -> None:
    none = np.zeros((0, 2), np.float32)
    margins, mutual = margins_and_mutual(
        floats([0.0, 0.0]), np.array([[-1, -1]]), none, none.astype(np.int64)
    )
    assert np.isnan(margins).all() and not mutual.any()
