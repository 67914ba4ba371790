from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

import pytest

from crossic_etl.transforms.export import (
    ATTRIBUTION,
    PLACE_BITS,
    assign_attribution_files,
    assign_files,
    attribute_samples,
    count_samples,
    count_windows,
    find_last_depth,
    place_windows,
    take_until,
)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row, SparkSession

Frame = Callable[[str, list[tuple[Any, ...]]], "DataFrame"]

WINDOWS = (
    "split string, generation int, shard int, position int, n_new int, n_repeated int, "
    "input_ids array<int>, sample_starts array<int>, sample_ids array<string>, "
    "sample_langs array<string>"
)
ROWS = [
    (
        split,
        0,
        shard,
        position,
        10 + shard,
        0,
        [shard, position],
        [0],
        [f"{shard}-{position}"],
        ["th"],
    )
    for split, n in (("train", 30), ("validation", 5))
    for shard in range(2)
    for position in range(n)
]


@pytest.fixture(scope="module")
def placed(spark: SparkSession) -> DataFrame:
    return place_windows(spark.createDataFrame(ROWS, WINDOWS), 0)


@pytest.fixture(scope="module")
def train(placed: DataFrame) -> list[Row]:
    """The training windows, in the order in which a budget takes them."""
    rows: list[Row] = placed.where("split = 'train'").orderBy("depth").collect()
    return rows


def test_the_order_mixes_shards(train: list[Row]) -> None:
    shards = [row.shard for row in sorted(train, key=lambda row: row.place)]
    changes = sum(a != b for a, b in pairwise(shards))
    assert 15 < changes < 45
    assert len({row.place for row in train}) == 60
    assert all(0 <= row.place < 2**PLACE_BITS for row in train)


def test_the_seed_sets_the_order(spark: SparkSession, train: list[Row]) -> None:
    rows = place_windows(spark.createDataFrame(ROWS, WINDOWS), 1).where("split = 'train'").collect()
    assert not {row.place for row in rows} & {row.place for row in train}


def test_depth_is_the_share_of_the_windows_shard_that_comes_before_it(frame: Frame) -> None:
    shards = [("train", 0, 0, 4), ("train", 0, 1, 1), ("train", 1, 0, 2), ("validation", 0, 0, 9)]
    rows = [
        (split, generation, shard, position, 10, 0, [1], [0], ["a"], ["th"])
        for split, generation, shard, n in shards
        for position in range(n)
    ]
    for row in place_windows(frame(WINDOWS, rows), 0).collect():
        if row.split == "validation":
            assert row.depth is None
        else:
            n = {(0, 0): 4, (0, 1): 1, (1, 0): 2}[row.generation, row.shard]
            assert row.position / n <= row.depth < (row.position + 1) / n


def test_windows_and_new_tokens_are_counted(placed: DataFrame) -> None:
    rows = {row.split: row[1:] for row in count_windows(placed).collect()}
    assert rows == {"train": (60, 630), "validation": (10, 105)}


@pytest.mark.parametrize("tokens", [1, 10, 11, 12, 300, 630])
def test_the_budget_is_reached_with_the_window_that_reaches_it(
    placed: DataFrame, train: list[Row], tokens: int
) -> None:
    sums = accumulate(row.n_new for row in train)
    expected = next(train[i].depth for i, total in enumerate(sums) if total >= tokens)
    assert [row.depth for row in find_last_depth(placed, tokens).collect()] == [expected]


def test_a_budget_that_is_never_reached_has_no_window(placed: DataFrame) -> None:
    assert find_last_depth(placed, 631).collect() == []


def test_a_budget_takes_the_same_share_of_each_shard(placed: DataFrame, train: list[Row]) -> None:
    taken = take_until(placed, train[29].depth).where("split = 'train'").collect()
    positions = {shard: [row.position for row in taken if row.shard == shard] for shard in (0, 1)}
    for found in positions.values():
        assert sorted(found) == list(range(len(found)))
    assert abs(len(positions[0]) - len(positions[1])) <= 1


def test_the_budget_leaves_validation_alone(placed: DataFrame, train: list[Row]) -> None:
    taken = take_until(placed, train[6].depth)
    assert {row.split: row.windows for row in count_windows(taken).collect()} == {
        "train": 7,
        "validation": 10,
    }
    assert take_until(placed, None).count() == 70


def test_files_follow_the_order_and_share_it_evenly(placed: DataFrame, train: list[Row]) -> None:
    taken = take_until(placed, train[39].depth)
    rows = assign_files(taken, {"train": 2, "validation": 1}).collect()
    found = sorted((row.file, row.place) for row in rows if row.split == "train")
    assert [place for _, place in found] == sorted(row.place for row in train[:40])
    assert {number for number, _ in found} == {0, 1}
    assert 10 < sum(number for number, _ in found) < 30
    assert {row.file for row in rows if row.split == "validation"} == {0}


def test_a_file_is_sorted_in_one_partition(placed: DataFrame) -> None:
    made = assign_files(placed.repartition(7), {"train": 3, "validation": 1}).selectExpr(
        "spark_partition_id() AS part",
        "monotonically_increasing_id() AS at",
        "split",
        "file",
        "place",
    )
    rows = made.orderBy("at").collect()
    assert len({(row.split, row.file) for row in rows}) == 4
    assert len({(row.split, row.file, row.part) for row in rows}) == 4
    for key in {(row.split, row.file) for row in rows}:
        places = [row.place for row in rows if (row.split, row.file) == key]
        assert places == sorted(places)


SAMPLES = (
    "sample_id string, arrangement string, target_lang string, origin string, licence string, "
    "en_title string, en_url string, en_revision_id long, target_title string, target_url string, "
    "target_revision_id long, split_token string, n_en_tokens int, n_target_tokens int, "
    "similarity double"
)


def sample(
    sample_id: str, licence: str = "CC-BY-SA-4.0", tokens: tuple[int, int] = (5, 4)
) -> tuple[Any, ...]:
    titles = ("Tea", "https://en/Tea", 7, "ชา", "https://th/ชา", None)
    return (sample_id, "en-first", "th", "wikipedia", licence, *titles, "|", *tokens, 0.5)


def test_each_sample_is_attributed_once_however_many_windows_hold_it(frame: Frame) -> None:
    windows = frame(
        "split string, sample_ids array<string>",
        [("train", ["a", "b"]), ("train", ["b", "c"]), ("validation", ["d"])],
    )
    lopsided, one_sided = sample("a", tokens=(1, 6)), sample("d", tokens=(3, 0))
    samples = frame(SAMPLES, [lopsided, sample("b", "CC0-1.0"), one_sided, sample("unused")])
    attributed = attribute_samples(windows, samples)
    rows = {row.sample_id: row for row in attributed.collect()}
    assert sorted(rows) == ["a", "b", "c", "d"]
    assert rows["b"].asDict() == {
        **dict(zip(SAMPLES.replace(",", "").split()[::2], sample("b", "CC0-1.0"), strict=True)),
        "split": "train",
    }
    assert rows["c"].licence is None
    counts = {tuple(row) for row in count_samples(attributed).collect()}
    assert counts == {
        ("train", "CC-BY-SA-4.0", "th", "|", "en-first", 1, 1, 1, 1, 1, 1, 500_000),
        ("train", "CC0-1.0", "th", "|", "en-first", 1, 1, 1, 1, 0, 1, 500_000),
        ("train", None, None, None, None, 1, 1, 0, 0, 0, 0, 0),
        ("validation", "CC-BY-SA-4.0", "th", "|", "en-first", 1, 1, 1, 0, 0, 1, 500_000),
    }


def test_attribution_goes_to_files_by_the_samples_name(frame: Frame) -> None:
    windows = frame(
        "split string, sample_ids array<string>", [("train", [str(i) for i in range(40)])]
    )
    samples = frame(SAMPLES, [sample(str(i)) for i in range(40)])
    made = assign_attribution_files(attribute_samples(windows, samples), 3)
    assert made.columns == [*ATTRIBUTION, "file"]
    rows = made.collect()
    assert {row.file for row in rows} == {0, 1, 2}
    for number in range(3):
        names = [row.sample_id for row in rows if row.file == number]
        assert names == sorted(names)
