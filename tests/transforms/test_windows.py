from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from crossic_etl.kernels.samples.names import DOCUMENTS, ORDERS, SHUFFLED
from crossic_etl.schemas import WINDOWS
from crossic_etl.transforms.windows import Streams, make_windows, mark_threads, window_counts

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row, SparkSession

Frame = Callable[[str, list[tuple[Any, ...]]], "DataFrame"]

SAMPLES = (
    "arrangement string, tokenizer string, split string, sample_id string, target_lang string, "
    "input_ids array<int>, pair_id string, segment int, en_source_id string"
)
LENGTH, SHARDS = 16, 3


def split_of(i: int) -> str:
    return "validation" if i % 5 == 0 else "train"


def lang_of(i: int) -> str:
    return ("th", "ja", "ar")[i % 3]


def sample(
    arrangement: str, split: str, name: str, lang: str, ids: list[int], pair: str, english: bool
) -> tuple[Any, ...]:
    source = "en:1" if english else None
    return (arrangement, "qwen2.5", split, name, lang, ids, pair, 0, source)


# Sample i is made of its own number, so that each token says where it is from.
SIZES = [1 + i * 7 % 13 for i in range(40)]
ROWS = [
    sample(name, split_of(i), f"{name}-{i}", lang_of(i), [i] * size, str(i), i % 2 == 0)
    for name in ("en-first", "mix")
    for i, size in enumerate(SIZES)
]


STREAMS = {
    (arrangement, split, shard)
    for arrangement in ("en-first", "mix")
    for split in ("train", "validation")
    for shard in range(SHARDS)
}


def stream_of(row: Row) -> tuple[str, str, int]:
    return (row.arrangement, row.split, row.shard)


def number_of(name: str) -> int:
    return int(name.rpartition("-")[2])


def windows_of(
    frame: DataFrame, policy: str = "sliding", seed: int = 0, order: str = DOCUMENTS
) -> list[Row]:
    made = make_windows(mark_threads(frame), LENGTH, policy, Streams(SHARDS, seed, order))
    assert made.columns == WINDOWS.columns
    rows: list[Row] = made.collect()
    return sorted(rows, key=lambda row: (row.arrangement, row.split, row.shard, row.position))


@pytest.fixture(scope="module", params=ORDERS)
def order(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def sliding(spark: SparkSession, order: str) -> list[Row]:
    return windows_of(spark.createDataFrame(ROWS, SAMPLES), order=order)


def test_each_sample_is_whole_in_one_window_of_its_arrangement(sliding: list[Row]) -> None:
    whole = [(row.arrangement, name) for row in sliding for name in row.sample_ids[: row.n_whole]]
    assert sorted(whole) == sorted((row[0], row[3]) for row in ROWS)


def test_each_token_is_new_once(sliding: list[Row]) -> None:
    assert sum(row.n_new for row in sliding) == 2 * sum(SIZES)


def test_the_tokens_of_a_window_are_those_of_its_samples(sliding: list[Row]) -> None:
    for row in sliding:
        ends = [*row.sample_starts[1:], len(row.input_ids)]
        for name, start, end in zip(row.sample_ids, row.sample_starts, ends, strict=True):
            number = number_of(name)
            assert row.input_ids[start:end] == [number] * min(SIZES[number], end - start)


def test_windows_are_full_but_for_the_last_of_a_shard(sliding: list[Row]) -> None:
    last = {stream_of(row): row.position for row in sliding}
    for row in sliding:
        assert len(row.input_ids) + row.n_padding == row.window_length == LENGTH
        assert row.n_new + row.n_repeated == len(row.input_ids)
        assert row.n_padding == 0 or row.position == last[stream_of(row)]


def test_positions_of_a_shard_have_no_gap(sliding: list[Row]) -> None:
    for stream in STREAMS:
        positions = [row.position for row in sliding if stream_of(row) == stream]
        assert positions == list(range(len(positions)))


def test_samples_are_spread_over_all_shards(sliding: list[Row]) -> None:
    assert {stream_of(row) for row in sliding} == STREAMS


def test_no_window_holds_samples_of_both_splits(sliding: list[Row]) -> None:
    for row in sliding:
        assert {split_of(number_of(name)) for name in row.sample_ids} == {row.split}


def test_each_sample_of_a_window_has_its_language(sliding: list[Row]) -> None:
    for row in sliding:
        assert row.sample_langs == [lang_of(number_of(name)) for name in row.sample_ids]
    assert any(row.n_whole < len(row.sample_ids) for row in sliding)


def test_partitions_and_the_order_of_rows_change_nothing(
    spark: SparkSession, sliding: list[Row], order: str
) -> None:
    shuffled = spark.createDataFrame(ROWS[::-1], SAMPLES).repartition(5, "sample_id")
    assert windows_of(shuffled, order=order) == sliding


def test_the_seed_sets_the_order(spark: SparkSession, sliding: list[Row], order: str) -> None:
    assert windows_of(spark.createDataFrame(ROWS, SAMPLES), seed=1, order=order) != sliding


def test_another_arrangement_changes_no_window_of_this_one(
    spark: SparkSession, sliding: list[Row], order: str
) -> None:
    mixed = spark.createDataFrame([row for row in ROWS if row[0] == "mix"], SAMPLES)
    found = windows_of(mixed, order=order)
    assert found == [row for row in sliding if row.arrangement == "mix"]


def test_the_same_share_of_each_arrangement_is_of_the_same_documents(
    spark: SparkSession, order: str
) -> None:
    """Half of the windows: most pairs are in all of them, or in none."""
    n_pairs = 1200
    made = {
        "en-first": {f"{i}a": (i, "a") for i in range(n_pairs)},
        "target-first": {f"{i}b": (i, "b") for i in range(n_pairs)},
        "mix": {f"{i}{side}": (i, side) for i in range(n_pairs) for side in "cd"},
    }
    rows = [
        sample(name, "train", key, "th", [1] * (2 if name == "mix" else 4), str(i), side != "d")
        for name, samples in made.items()
        for key, (i, side) in samples.items()
    ]
    windows = windows_of(spark.createDataFrame(rows, SAMPLES), order=order)
    sides: dict[str, dict[str, set[int]]] = {}
    last = {stream_of(row): row.position for row in windows}
    for name, samples in made.items():
        for row in windows:
            if row.arrangement == name and 2 * row.position < last[stream_of(row)]:
                for i, side in (samples[sample_id] for sample_id in row.sample_ids):
                    sides.setdefault(name, {}).setdefault(side, set()).add(i)
    (one,), (other,) = sides["en-first"].values(), sides["target-first"].values()
    english, target = sides["mix"].values()
    for found in (other, english, target):
        assert 0.45 * n_pairs < len(found) < 0.55 * n_pairs
        assert len(one & found) > 0.9 * len(one)


def test_both_sides_of_a_pair_seldom_stand_side_by_side_where_samples_are_shuffled(
    spark: SparkSession,
) -> None:
    rows = [
        sample("mix", "train", f"{i}{side}", "th", [1, 2], str(i), side == "e")
        for i in range(640)
        for side in "et"
    ]
    windows = windows_of(spark.createDataFrame(rows, SAMPLES), order=SHUFFLED)
    names = [row.sample_ids for row in windows]
    beside = sum(a[:-1] == b[:-1] for found in names for a, b in pairwise(found))
    assert beside < 640 / 20


@pytest.mark.parametrize("policy", ["padded", "best-fit"])
def test_these_policies_cut_and_repeat_nothing(frame: Frame, policy: str) -> None:
    rows = windows_of(frame(SAMPLES, ROWS), policy)
    assert {row.policy for row in rows} == {policy}
    assert {row.n_repeated for row in rows} == {0}
    assert all(row.n_whole == len(row.sample_ids) == len(row.sample_langs) for row in rows)
    assert sum(row.n_whole for row in rows) == len(ROWS)
    assert sum(len(row.input_ids) for row in rows) == 2 * sum(SIZES)


def test_windows_are_counted_with_their_samples_and_tokens(frame: Frame) -> None:
    windows = frame(
        "n_whole int, n_new int, n_repeated int, n_padding int", [(2, 16, 0, 0), (1, 5, 3, 8)]
    )
    (row,) = window_counts(windows).collect()
    assert row.asDict() == {"windows": 2, "samples": 3, "new": 21, "repeated": 3, "padding": 8}


def test_without_samples_there_are_no_windows(frame: Frame) -> None:
    samples = mark_threads(frame(SAMPLES, []))
    windows = make_windows(samples, LENGTH, "best-fit", Streams(SHARDS, 0))
    (row,) = window_counts(windows).collect()
    assert row.asDict() == {"windows": 0, "samples": 0, "new": 0, "repeated": 0, "padding": 0}
