from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from crossic_etl.schemas import SAMPLES, STAGED_SAMPLES
from crossic_etl.transforms.samples import (
    SampleSettings,
    choose_sides,
    make_samples,
    select_samples,
)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row, SparkSession

Frame = Callable[[str, list[tuple[Any, ...]]], "DataFrame"]

SETTINGS = SampleSettings("qwen2.5", "<|quad_end|>", 64, "\n\n", 2, 0.45, 0)
# By the hash with seed 0: of the English pages, those that are for validation.
VALIDATION = {6, 8, 9}
PAIRS = "pair_id string, target_lang string, en_page_id long, target_page_id long"
PAGES = (
    "lang string, page_id long, title string, url string, revision_id long, licence string, "
    "text string, n_chars int"
)
ARRANGEMENTS = ("en-first", "random", "mix")

# Nine Thai pairs with text, one pair of Japanese; Arabic has a text too short and one that is gone.
PAIR_ROWS = [
    *((f"th{i}", "th", i, 10 + i) for i in range(1, 10)),
    ("ja1", "ja", 1, 31),
    ("ar1", "ar", 1, 41),
    ("ar2", "ar", 2, 42),
    ("ar3", "ar", 10, 43),
]
TEXTS = {
    **{("en", i): f"English text number {i}." for i in range(1, 10)},
    **{("th", 10 + i): f"ข้อความภาษาไทย {i}" for i in range(1, 10)},
    ("en", 10): "E",
    ("ja", 31): "茶は飲み物。" * 30,
    ("ar", 41): "ش",
    ("ar", 43): "نص عربي",
    ("th", 1): "a page of another wiki with the id of an English one",
}
PAGE_ROWS = [
    (lang, i, f"{lang} {i}", f"https://{lang}/{i}", 100 + i, "CC-BY-SA-4.0", text, len(text))
    for (lang, i), text in TEXTS.items()
]


@pytest.fixture(scope="module")
def sides(spark: SparkSession) -> dict[str, list[Row]]:
    """Sides by arrangement."""
    pairs, pages = spark.createDataFrame(PAIR_ROWS, PAIRS), spark.createDataFrame(PAGE_ROWS, PAGES)
    rows = choose_sides(pairs, pages, ARRANGEMENTS, SETTINGS).collect()
    assert len(rows) == 2 * len(PAIR_ROWS)
    return {"aligned": [r for r in rows if r.arrangements == ["en-first", "mix"]]} | {
        "random": [r for r in rows if r.arrangements == ["random"]]
    }


def english_of(rows: list[Row], lang: str, fits: bool = True) -> dict[int, int]:
    return {
        row.target_page_id: row.en_page_id
        for row in rows
        if row.target_lang == lang and row.fits is fits
    }


def test_aligned_sides_are_the_pairs(sides: dict[str, list[Row]]) -> None:
    actual = {(r.pair_id, r.target_lang, r.en_page_id, r.target_page_id) for r in sides["aligned"]}
    assert actual == set(PAIR_ROWS)


def test_random_sides_are_a_permutation_of_the_english_pages_of_a_split(
    sides: dict[str, list[Row]],
) -> None:
    permuted = english_of(sides["random"], "th")
    assert sorted(permuted) == list(range(11, 20))
    assert {permuted[10 + i] for i in VALIDATION} == VALIDATION
    assert sorted(permuted.values()) == list(range(1, 10))


@pytest.mark.parametrize("kind", ["aligned", "random"])
def test_the_english_page_of_a_pair_decides_its_split(
    sides: dict[str, list[Row]], kind: str
) -> None:
    english = {pair_id: en_page_id for pair_id, _, en_page_id, _ in PAIR_ROWS}
    rows = sides[kind]
    assert {english[row.pair_id] for row in rows if row.split == "validation"} == VALIDATION
    assert {row.split for row in rows} == {"train", "validation"}


@pytest.mark.parametrize(("share", "expected"), [(0.0, set()), (0.45, VALIDATION)])
def test_no_more_than_the_share_is_for_validation(
    spark: SparkSession, share: float, expected: set[int]
) -> None:
    settings = replace(SETTINGS, validation_share=share)
    pairs, pages = spark.createDataFrame(PAIR_ROWS, PAIRS), spark.createDataFrame(PAGE_ROWS, PAGES)
    rows = choose_sides(pairs, pages, ["en-first"], settings).collect()
    assert {row.en_page_id for row in rows if row.split == "validation"} == expected


def test_no_random_side_is_its_own(sides: dict[str, list[Row]]) -> None:
    permuted = english_of(sides["random"], "th")
    assert [target for target, english in permuted.items() if english == target - 10] == []


def test_random_sides_are_in_no_order_of_the_ids(sides: dict[str, list[Row]]) -> None:
    permuted = english_of(sides["random"], "th")
    train = [i for i in range(1, 10) if i not in VALIDATION]
    steps = {(train.index(permuted[10 + i]) - place) % 6 for place, i in enumerate(train)}
    assert len(steps) > 1


def test_a_single_pair_is_its_own_random_one(sides: dict[str, list[Row]]) -> None:
    assert english_of(sides["random"], "ja") == {31: 1}


@pytest.mark.parametrize("kind", ["aligned", "random"])
def test_a_pair_with_a_text_too_short_or_missing_fits_no_arrangement(
    sides: dict[str, list[Row]], kind: str
) -> None:
    assert {row.pair_id for row in sides[kind] if not row.fits} == {"ar1", "ar2", "ar3"}


def test_the_seed_sets_the_permutation_and_the_partitions_do_not(spark: SparkSession) -> None:
    pairs, pages = spark.createDataFrame(PAIR_ROWS, PAIRS), spark.createDataFrame(PAGE_ROWS, PAGES)
    settings = replace(SETTINGS, validation_share=0.0)
    first = choose_sides(pairs, pages, ["random"], settings).collect()
    again = choose_sides(pairs.repartition(7), pages.repartition(3), ["random"], settings).collect()
    other = choose_sides(pairs, pages, ["random"], replace(settings, seed=1)).collect()
    assert english_of(again, "th") == english_of(first, "th")
    assert english_of(other, "th") != english_of(first, "th")


@pytest.fixture(scope="module")
def staged(spark: SparkSession) -> list[Row]:
    rows = [
        ("th1", "th", 1, 11, "train", True, ["en-first", "mix"]),
        ("th2", "th", 3, 12, "validation", True, ["random"]),
        ("ja1", "ja", 1, 31, "train", True, ["en-first"]),
        ("ar1", "ar", 1, 41, "train", False, ["en-first", "mix"]),
        ("ar1", "ar", 1, 41, "train", False, ["random"]),
    ]
    schema = f"{PAIRS}, split string, fits boolean, arrangements array<string>"
    made = make_samples(
        spark.createDataFrame(rows, schema), spark.createDataFrame(PAGE_ROWS, PAGES), SETTINGS
    )
    assert set(made.columns) == set(STAGED_SAMPLES.fieldNames())
    return made.collect()


def samples_of(staged: list[Row], pair_id: str, arrangement: str) -> list[Row]:
    return sorted(
        (
            row
            for row in staged
            if (row.outcome, row.pair_id, row.arrangement) == ("sample", pair_id, arrangement)
        ),
        key=lambda row: (row.en_text == "", row.segment),
    )


def test_a_pair_is_a_sample_of_both_texts_with_their_attribution(staged: list[Row]) -> None:
    (row,) = samples_of(staged, "th1", "en-first")
    assert (row.en_text, row.target_text) == ("English text number 1.", "ข้อความภาษาไทย 1")
    assert (row.en_source_id, row.target_source_id) == ("en:1", "th:11")
    assert (row.en_title, row.en_url, row.en_revision_id) == ("en 1", "https://en/1", 101)
    assert (row.target_title, row.target_url, row.target_revision_id) == (
        *("th 11", "https://th/11"),
        111,
    )
    assert (row.licence, row.split) == ("CC-BY-SA-4.0", "train")


def test_a_random_sample_joins_the_english_text_that_was_chosen(staged: list[Row]) -> None:
    (row,) = samples_of(staged, "th2", "random")
    assert (row.en_text, row.target_text) == ("English text number 3.", "ข้อความภาษาไทย 2")
    assert row.split == "validation"


def test_mixed_samples_hold_a_text_each(staged: list[Row]) -> None:
    texts = [(row.en_text, row.target_text) for row in samples_of(staged, "th1", "mix")]
    assert texts == [("English text number 1.", ""), ("", "ข้อความภาษาไทย 1")]


def test_a_long_text_is_cut_to_the_budget_and_kept(staged: list[Row]) -> None:
    rows = samples_of(staged, "ja1", "en-first")
    assert len(rows) == rows[0].n_segments > 1
    assert max(row.n_tokens for row in rows) <= 64
    assert [len(row.input_ids) for row in rows] == [row.n_tokens for row in rows]
    assert "".join(row.target_text for row in rows) == "茶は飲み物。" * 30


def test_each_pair_and_arrangement_is_counted_once(staged: list[Row]) -> None:
    counted: Counter[tuple[str, str | None]] = Counter()
    for row in staged:
        counted[row.pair_id, row.arrangement] += row.n
    assert counted == {
        ("th1", "en-first"): 1,
        ("th1", "mix"): 1,
        ("th2", "random"): 1,
        ("ja1", "en-first"): 1,
        ("ar1", None): 3,
    }


def test_pairs_that_do_not_fit_are_dropped_as_too_short(staged: list[Row]) -> None:
    dropped = [(r.target_lang, r.n) for r in staged if r.outcome == "too_short"]
    assert sorted(dropped) == [("ar", 1), ("ar", 2)]


def test_sample_ids_are_unique(staged: list[Row]) -> None:
    ids = [row.sample_id for row in staged if row.outcome == "sample"]
    assert len(set(ids)) == len(ids)


def test_without_pairs_there_are_no_samples(frame: Frame) -> None:
    pages = frame(PAGES, [])
    sides = choose_sides(frame(PAIRS, []), pages, ARRANGEMENTS, SETTINGS)
    samples = select_samples(make_samples(sides, pages, SETTINGS))
    assert samples.columns == SAMPLES.columns
    assert samples.collect() == []


def test_samples_are_the_staged_rows_that_are_some(frame: Frame) -> None:
    def row(outcome: str) -> tuple[Any, ...]:
        values = {"outcome": outcome, "sample_id": f"a {outcome}"}
        return tuple(values.get(name) for name in STAGED_SAMPLES.fieldNames())

    staged = frame(STAGED_SAMPLES.simpleString(), [row("sample"), row("text"), row("too_short")])
    assert [r.sample_id for r in select_samples(staged).collect()] == ["a sample"]
