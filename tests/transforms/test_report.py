from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from pyspark.sql import functions as F

from crossic_etl.config.crawl import Encoder
from crossic_etl.config.encoder import choose_encoder
from crossic_etl.transforms.report import (
    EVIDENCE,
    compare_sides,
    count_evidence,
    count_rejects,
    describe,
    histogram,
    histogram_octaves,
    measure_neighbours,
    measure_windows,
    sample_groups,
    with_both_sides,
)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Frame = Callable[..., "DataFrame"]


def test_evidence_is_of_one_of_six_kinds(frame: Frame) -> None:
    pairs = frame(
        "target_lang string, evidence array<string>",
        [
            ("th", ["en->th", "qid", "th->en"]),
            ("th", ["en->th", "th->en"]),
            ("th", ["en->th", "qid"]),
            ("th", ["qid", "th->en"]),
            ("th", ["qid"]),
            ("th", ["en->th"]),
            ("th", ["th->en"]),
            ("zh-yue", ["zh-yue->en"]),
        ],
    )
    actual = {(r.target_lang, r.evidence): r.rows for r in count_evidence(pairs).collect()}
    assert actual == {
        **{("th", kind): 1 for kind in EVIDENCE},
        ("th", "item and one direction"): 2,
        ("zh-yue", "to English"): 1,
    }


def test_rejects_are_counted_by_reason_with_the_first_as_example(frame: Frame) -> None:
    rejects = frame(
        "table string, lang string, key string, reason string, detail string",
        [
            ("pages", "th", "b", "too_long", "ไทย"),
            ("pages", "ja", "a", "too_long", "日本"),
            ("links", "th", "c", "broken", ""),
        ],
    )
    actual = sorted(tuple(row) for row in count_rejects(rejects).collect())
    assert actual == [("links", "broken", 1, "c", ""), ("pages", "too_long", 2, "a", "日本")]


def test_a_number_is_described_where_it_is_known(frame: Frame) -> None:
    lengths = frame("lang string, n int", [("ar", n) for n in range(1, 11)] + [("ar", None)])
    (row,) = describe(lengths, ["lang"], F.col("n")).collect()
    assert tuple(row) == ("ar", 10, 5.5, 1.0, 5.0, 9.0, 10.0)


def test_bins_begin_at_multiples_of_their_width(frame: Frame) -> None:
    cosines = frame("lang string, x double",
                    [("ar", x) for x in (-0.01, 0.0, 0.049, 0.05, 1.0, None)])  # fmt: skip
    actual = {row.bin: row.rows for row in histogram(cosines, ["lang"], F.col("x"), 0.05).collect()}
    assert actual == {-1: 1, 0: 2, 1: 1, 20: 1}


def test_half_octaves_begin_at_1(frame: Frame) -> None:
    lengths = frame("lang string, n int", [("ar", n) for n in (0, 1, 2, 3, 1024, None)])
    actual = {
        row.bin: row.rows for row in histogram_octaves(lengths, ["lang"], F.col("n")).collect()
    }
    assert actual == {0: 2, 2: 1, 3: 1, 20: 1}


def test_windows_are_summed_by_arrangement_and_split(frame: Frame) -> None:
    windows = frame(
        "arrangement string, split string, policy string, window_length int, "
        "n_whole int, n_new int, n_repeated int, n_padding int",
        [
            ("mix", "train", "sliding", 8, 1, 6, 2, 0),
            ("mix", "train", "sliding", 8, 2, 5, 0, 3),
            ("mix", "validation", "sliding", 8, 1, 8, 0, 0),
        ],
    )
    actual = {row.split: tuple(row)[4:] for row in measure_windows(windows).collect()}
    assert actual == {"train": (2, 3, 11, 2, 3), "validation": (1, 1, 8, 0, 0)}


def test_neighbours_are_counted_by_language(frame: Frame) -> None:
    neighbours = frame(
        "target_lang string, query_kind string, query_id string, mutual boolean, accepted boolean",
        [
            ("th", "page", "1", True, True),
            ("th", "page", "1", False, False),
            ("th", "page", "2", True, False),
        ],
    )
    assert [tuple(row) for row in measure_neighbours(neighbours).collect()] == [
        ("th", "page", 2, 3, 2, 1)
    ]


def picked(rows: DataFrame, most: int, seed: int = 0) -> set[str]:
    return {row.id for row in sample_groups(rows, ["lang"], "id", most, seed, "test").collect()}


def test_some_of_each_group_are_picked_whatever_the_partitions(frame: Frame) -> None:
    rows = frame("lang string, id string", [
        (lang, f"{lang}{n}") for lang, size in (("ar", 500), ("th", 3)) for n in range(size)
    ])  # fmt: skip
    chosen = picked(rows, 20)
    assert sorted(name[:2] for name in chosen) == ["ar"] * 20 + ["th"] * 3
    assert picked(rows.repartition(7), 20) == chosen
    assert picked(rows, 20, seed=1) != chosen
    assert picked(rows, 10) < chosen
    assert sample_groups(rows, ["lang"], "id", 1, 0, "test").columns == ["lang", "id"]


def test_sides_on_one_subject_are_nearer_than_on_two(frame: Frame) -> None:
    tea, moon = "Tea is a hot drink made of leaves.", "The Moon is Earth's only satellite."
    thai = "ชาเป็นเครื่องดื่มร้อนที่ทำจากใบไม้"
    samples = frame(
        "sample_id string, arrangement string, target_lang string, en_text string, "
        "target_text string",
        [
            ("1", "en-first", "th", tea, thai),
            ("2", "random", "th", moon, thai),
            ("3", "mix", "th", tea, ""),
            ("4", "target-only", "th", "", thai),
            ("5", "en-first", "ja", "…", "茶は飲み物である。"),
        ],
    )
    both = with_both_sides(samples)
    rows = compare_sides(both, choose_encoder(Encoder())).collect()
    cosines = {(row.arrangement, row.target_lang): row.cosine for row in rows}
    assert set(cosines) == {("en-first", "th"), ("random", "th"), ("en-first", "ja")}
    assert cosines["en-first", "th"] > cosines["random", "th"] + 0.2
    assert cosines["en-first", "th"] == pytest.approx(0.8, abs=0.2)
    assert cosines["en-first", "ja"] is None  # without a letter there is no vector
