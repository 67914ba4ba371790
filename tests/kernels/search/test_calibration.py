from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossic_etl.kernels.search.calibration import (
    calibrate,
    find_threshold,
    highest_share,
    pairs_needed,
    precision_table,
    wrong_partners,
)

RIGHT = [0.9, 0.8, 0.7, 0.4]
WRONG = [0.5, 0.3, 0.2, 0.1]


def test_the_lowest_threshold_with_a_precision_is_found() -> None:
    point = find_threshold(RIGHT, WRONG, precision=1.0)
    assert point is not None
    assert (point.threshold, point.precision, point.recall) == (pytest.approx(0.6), 1.0, 0.75)
    point = find_threshold(RIGHT, WRONG, precision=0.8)
    assert point is not None
    assert (point.threshold, point.precision, point.recall) == (pytest.approx(0.35), 0.8, 1.0)


def test_the_best_f1_is_found() -> None:
    point = find_threshold(RIGHT, WRONG)
    assert point is not None
    assert (point.threshold, point.recall) == (pytest.approx(0.35), 1.0)
    assert point.f1 == pytest.approx(2 * 0.8 / 1.8)


def test_more_wrong_candidates_lower_the_precision() -> None:
    point = find_threshold(RIGHT, WRONG, precision=0.8, wrong_per_right=4)
    assert point is not None
    assert (point.threshold, point.precision) == (pytest.approx(0.6), 1.0)


def test_the_lowest_threshold_with_at_most_a_share_of_wrong_pairs_is_found() -> None:
    point = find_threshold(RIGHT, WRONG, max_false_accept=0.25)
    assert point is not None
    assert (point.threshold, point.false_accept) == (pytest.approx(0.35), 0.25)
    assert point.recall == 1.0
    point = find_threshold(RIGHT, WRONG, max_false_accept=0.24)
    assert point is not None
    assert (point.threshold, point.false_accept) == (pytest.approx(0.6), 0.0)
    assert point.recall == 0.75


def test_one_wrong_pair_in_fifty_is_two_per_cent() -> None:
    wrong = [0.9, *np.linspace(0, 0.5, 49)]
    point = find_threshold([0.8, 0.95], wrong, max_false_accept=0.02)
    assert point is not None
    assert (point.threshold, point.false_accept) == (pytest.approx(0.65), 0.02)
    point = find_threshold([0.8, 0.95], wrong[:-1], max_false_accept=0.02)
    assert point is not None
    assert (point.threshold, point.false_accept) == (pytest.approx(0.925), 0.0)


def test_without_wrong_pairs_or_above_them_all_no_threshold_has_the_share() -> None:
    assert find_threshold(RIGHT, [], max_false_accept=0.5) is None
    assert find_threshold([0.5, 0.4], [0.9, 0.8], max_false_accept=0.4) is None
    assert find_threshold([], WRONG, max_false_accept=0.5) is None


SCORES = st.lists(st.floats(0, 2, width=32), max_size=60)


@given(SCORES, SCORES, st.floats(0.01, 0.99))
def test_a_threshold_has_the_share_and_none_below_it_has_more_recall(
    right: list[float], wrong: list[float], share: float
) -> None:
    def taken(scores: list[float], least: float) -> float:
        return sum(score >= least for score in scores) / len(scores)

    point = find_threshold(right, wrong, max_false_accept=share)
    if point is None:
        allowed = [least for least in right if wrong and taken(wrong, least) <= share]
        assert not allowed
        return
    assert taken(wrong, point.threshold) == point.false_accept <= share
    assert taken(right, point.threshold) == point.recall
    more = [least for least in right if taken(right, least) > point.recall]
    assert all(taken(wrong, least) > share for least in more)


@pytest.mark.parametrize(
    ("taken", "n", "expected"),
    # 1 - 0.05 ** (1 / n) for none; for others, tables of the beta distribution.
    [(0, 62, 0.0472), (0, 1, 0.95), (1, 50, 0.0914), (40, 2000, 0.0260), (240, 12000, 0.0222)],
)
def test_a_share_is_known_as_well_as_its_sample_is_large(
    taken: int, n: int, expected: float
) -> None:
    assert highest_share(taken, n) == pytest.approx(expected, abs=2e-4)


def test_a_sample_that_is_all_taken_or_empty_says_nothing() -> None:
    assert highest_share(3, 3) == highest_share(0, 0) == 1.0


@pytest.mark.parametrize(("share", "needed"), [(None, 20), (0.02, 50), (0.03, 34), (0.5, 20)])
def test_a_smaller_share_needs_more_pairs(share: float | None, needed: int) -> None:
    assert pairs_needed(share) == needed


def test_a_language_with_too_few_pairs_for_the_share_takes_the_threshold_of_all() -> None:
    rng = np.random.default_rng(0)
    right = {"es": rng.normal(0.8, 0.05, 50), "th": rng.normal(0.6, 0.05, 49)}
    wrong = {lang: rng.normal(0.4, 0.05, len(scores)) for lang, scores in right.items()}
    found = calibrate(right, wrong, max_false_accept=0.02)
    assert {lang: one.pooled for lang, one in found.items()} == {
        "*": False, "es": False, "th": True,
    }  # fmt: skip
    assert found["th"].point == found["*"].point != found["es"].point
    assert found["th"].highest_false_accept == found["*"].highest_false_accept
    assert found["*"].highest_false_accept == pytest.approx(highest_share(1, 99))
    assert not calibrate(right, wrong, max_false_accept=0.03)["th"].pooled


def test_the_number_of_wrong_pairs_is_no_matter() -> None:
    assert find_threshold(RIGHT, WRONG * 5, 0.8) == find_threshold(RIGHT, WRONG, 0.8)


def test_a_precision_that_no_threshold_reaches_has_none() -> None:
    assert find_threshold([0.5, 0.4], [0.9, 0.8], precision=0.99) is None


def test_without_right_pairs_there_is_no_threshold() -> None:
    assert find_threshold([], WRONG) is None
    assert precision_table([], WRONG) == []


def test_pairs_without_a_score_do_not_count() -> None:
    assert find_threshold([*RIGHT, np.nan], [*WRONG, np.nan]) == find_threshold(RIGHT, WRONG)


def test_neighbouring_floats_are_told_apart() -> None:
    above = float(np.nextafter(0.5, 1))
    point = find_threshold([above], [0.5], precision=1.0)
    assert point is not None
    assert (point.threshold, point.precision, point.recall) == (above, 1.0, 1.0)


def test_a_table_goes_from_the_lowest_to_the_highest_score() -> None:
    table = precision_table(RIGHT, WRONG, n_points=3)
    assert [round(point.threshold, 6) for point in table] == [0.1, 0.5, 0.9]
    assert [point.recall for point in table] == [1.0, 0.75, 0.25]
    assert [round(point.precision, 6) for point in table] == [0.5, 0.75, 1.0]


def test_wrong_partners_are_wrong_and_the_same_in_any_order() -> None:
    queries = [f"q{n}" for n in range(50)]
    documents = [f"d{n}" for n in range(50)]
    chosen = wrong_partners(queries, documents, seed=7, n_wrong=3)
    assert chosen.shape == (50, 3)
    for row, partners in enumerate(chosen.tolist()):
        assert len({row, *partners}) == 4
    backwards = wrong_partners(queries[::-1], documents[::-1], seed=7, n_wrong=3)
    assert [[49 - at for at in row] for row in backwards[::-1].tolist()] == chosen.tolist()
    assert (wrong_partners(queries, documents, seed=8, n_wrong=3) != chosen).mean() > 0.8


def test_every_document_has_about_the_same_chance() -> None:
    ids = [str(n) for n in range(40)]
    chosen = wrong_partners(ids, ids, seed=0, n_wrong=20)
    counts = np.bincount(chosen.ravel(), minlength=40)
    assert counts.min() >= 10 and counts.max() <= 30


def test_a_document_that_is_right_elsewhere_for_the_query_is_no_wrong_one() -> None:
    chosen = wrong_partners(["q", "q", "p"], ["a", "b", "c"], seed=1, n_wrong=2)
    assert chosen[:2].tolist() == [[2, -1], [2, -1]]
    assert sorted(chosen[2].tolist()) == [0, 1]


def test_one_document_has_no_wrong_partner() -> None:
    assert wrong_partners(["q"], ["a"], seed=1).shape == (1, 0)
    assert wrong_partners([], [], seed=1).shape == (0, 0)


def test_each_language_has_its_own_threshold_unless_its_pairs_are_few() -> None:
    rng = np.random.default_rng(0)
    right = {"es": rng.normal(0.8, 0.05, 100), "th": rng.normal(0.6, 0.05, 100), "pt": [0.7]}
    wrong = {lang: rng.normal(0.2, 0.05, 100) for lang in right}
    found = calibrate(right, wrong, precision=0.99)
    assert sorted(found) == ["*", "es", "pt", "th"]
    assert [found[lang].pooled for lang in sorted(found)] == [False, False, True, False]
    assert found["pt"].point == found["*"].point
    assert (found["*"].n_right, found["*"].n_wrong, found["pt"].n_right) == (201, 300, 1)
    own = {lang: found[lang].point for lang in ("es", "th")}
    assert own["es"] is not None and own["th"] is not None
    assert own["es"].threshold > own["th"].threshold


def test_nothing_to_calibrate_with_gives_no_threshold() -> None:
    found = calibrate({}, {})
    assert found["*"].point is None and found["*"].table == []


def test_a_ratio_that_is_no_ratio_is_refused() -> None:
    with pytest.raises(ValueError, match="wrong_per_right: 0 given, expected a number > 0"):
        find_threshold(RIGHT, WRONG, wrong_per_right=0)
