from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossic_etl.kernels.samples.shares import SampleShares, add_up
from crossic_etl.transforms.mixture import (
    MissingSamplesError,
    choose_pairs,
    count_mixture,
    count_samples,
    mix_samples,
    sampling_rates,
)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row, SparkSession

SAMPLES = (
    "arrangement string, target_lang string, split string, pair_id string, sample_id string, "
    "n_tokens int, n_en_tokens int, n_target_tokens int, similarity double"
)
# Tokens of the sides: even, lopsided, one-sided.
SIDES = ((5, 4), (1, 8), (9, 0))
# In en-first, pair i has one to three samples of 10 to 50 tokens; in retrieved, one of 20.
ROWS = [
    *(
        (
            "en-first",
            ("th", "ja")[i % 2],
            "validation" if i % 10 == 0 else "train",
            f"p{i}",
            f"en-first {i} {segment}",
            10 + 10 * (i % 5),
            *SIDES[i % 3],
            0.5,
        )
        for i in range(120)
        for segment in range(1 + i % 3)
    ),
    *(("retrieved", "th", "train", f"q{i}", f"retrieved {i}", 20, 9, 9, None) for i in range(30)),
    *(("mix", "th", "train", f"p{i}", f"mix {i}", 1000, 0, 999, None) for i in range(30)),
]
SHARES = {"en-first": 0.75, "retrieved": 0.25}
RATES = {"en-first": 0.24, "retrieved": 1.0}


def tokens_of(name: str) -> int:
    return sum(row[5] for row in ROWS if row[0] == name)


def test_the_arrangement_that_limits_is_taken_whole() -> None:
    rates = sampling_rates({"a": 1000, "b": 300, "c": 7}, {"a": 0.5, "b": 0.5})
    assert rates == {"a": pytest.approx(0.3), "b": 1.0}


TOKENS_AND_WEIGHTS = st.tuples(st.integers(1, 10**12), st.integers(1, 100))


@given(st.dictionaries(st.sampled_from("abcdef"), TOKENS_AND_WEIGHTS, min_size=1))
def test_rates_give_the_shares_and_leave_no_more_out_than_they_must(
    given: dict[str, tuple[int, int]],
) -> None:
    whole = sum(share for _, share in given.values())
    shares = {name: share / whole for name, (_, share) in given.items()}
    rates = sampling_rates({name: tokens for name, (tokens, _) in given.items()}, shares)
    taken = {name: rates[name] * tokens for name, (tokens, _) in given.items()}
    for name, share in shares.items():
        assert taken[name] / sum(taken.values()) == pytest.approx(share)
    assert max(rates.values()) == pytest.approx(1)


def test_an_arrangement_without_samples_is_refused() -> None:
    with pytest.raises(
        MissingSamplesError, match="mixture: there are no samples of b; leave it out"
    ):
        sampling_rates({"a": 1}, {"a": 0.5, "b": 0.5})


@pytest.fixture(scope="module")
def samples(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame(ROWS, SAMPLES)


@pytest.fixture(scope="module")
def chosen(samples: DataFrame) -> list[Row]:
    rows: list[Row] = choose_pairs(samples, RATES, 0).collect()
    return rows


def test_samples_and_tokens_are_counted_by_arrangement(samples: DataFrame) -> None:
    actual = {
        row.arrangement: (row.samples, row.tokens) for row in count_samples(samples).collect()
    }
    assert actual == {
        name: (sum(row[0] == name for row in ROWS), tokens_of(name))
        for name in ("en-first", "retrieved", "mix")
    }


def test_each_pair_is_one_row_of_the_arrangements_that_have_a_rate(chosen: list[Row]) -> None:
    assert sorted((row.arrangement, row.pair_id) for row in chosen) == sorted(
        [("en-first", f"p{i}") for i in range(120)] + [("retrieved", f"q{i}") for i in range(30)]
    )
    assert sum(row.samples for row in chosen) == sum(row[0] != "mix" for row in ROWS)


def test_a_rate_holds_in_each_language_and_split_within_half_a_pair(chosen: list[Row]) -> None:
    groups = defaultdict(list)
    for row in chosen:
        groups[row.arrangement, row.target_lang, row.split].append(row)
    assert len(groups) == 4
    for (arrangement, *_), rows in groups.items():
        taken = sum(row.tokens for row in rows if row.taken)
        wanted = RATES[arrangement] * sum(row.tokens for row in rows)
        assert abs(taken - wanted) <= max(row.tokens for row in rows) / 2
    assert all(row.taken for row in chosen if row.arrangement == "retrieved")


def test_pairs_are_taken_in_no_order_of_their_ids(chosen: list[Row]) -> None:
    numbers = sorted(int(r.pair_id[1:]) for r in chosen if r.taken and r.arrangement == "en-first")
    assert numbers[0] < 30
    assert numbers[-1] > 90


def test_the_samples_of_a_taken_pair_are_all_mixed(samples: DataFrame, spark: SparkSession) -> None:
    schema = "arrangement string, target_lang string, split string, pair_id string, taken boolean"
    choice = [
        ("en-first", "th", "train", "p2", True),
        ("en-first", "ja", "train", "p5", False),
        ("retrieved", "th", "train", "q2", True),
    ]
    mixed = mix_samples(samples, spark.createDataFrame(choice, schema))
    assert mixed.columns == samples.columns
    assert sorted((row.arrangement, row.sample_id) for row in mixed.collect()) == [
        *(("mixture", f"en-first 2 {segment}") for segment in range(3)),
        ("mixture", "retrieved 2"),
    ]


def test_what_is_left_out_is_counted(samples: DataFrame, chosen: list[Row]) -> None:
    shuffled = samples.repartition(5, "sample_id")
    counts = {
        row.arrangement: (row.left_out, row.tokens)
        for row in count_mixture(choose_pairs(shuffled, RATES, 0)).collect()
    }
    taken = [row for row in chosen if row.taken and row.arrangement == "en-first"]
    n_samples = sum(row[0] == "en-first" for row in ROWS)
    assert counts == {
        "en-first": (n_samples - sum(r.samples for r in taken), sum(r.tokens for r in taken)),
        "retrieved": (0, tokens_of("retrieved")),
    }


def test_the_shares_are_those_of_the_samples_taken(chosen: list[Row], spark: SparkSession) -> None:
    taken = {row.pair_id for row in chosen if row.taken and row.arrangement == "en-first"}
    sides = [row[6:8] for row in ROWS if row[0] == "en-first" and row[3] in taken]
    shares = {
        row.arrangement: add_up([row])
        for row in count_mixture(spark.createDataFrame(chosen)).collect()
    }
    n_two_sided = sum(pair != SIDES[2] for pair in sides)
    assert shares == {
        "en-first": SampleShares(
            len(sides),
            similarity=0.5,
            one_sided=pytest.approx(1 - n_two_sided / len(sides), abs=1e-6),
            lopsided=pytest.approx(sum(pair == SIDES[1] for pair in sides) / n_two_sided, abs=1e-6),
        ),
        "retrieved": SampleShares(30, similarity=None, one_sided=0.0, lopsided=0.0),
    }
    assert 0 < n_two_sided < len(sides)


def test_the_seed_sets_which_pairs_are_taken(samples: DataFrame, chosen: list[Row]) -> None:
    other = choose_pairs(samples, RATES, 1).where("taken").collect()
    assert {row.pair_id for row in other} != {row.pair_id for row in chosen if row.taken}
