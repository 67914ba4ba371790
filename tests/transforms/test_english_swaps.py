"""Each scenario is a split of its own: one run of Spark swaps them all."""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pytest

from crossic_etl.transforms.english_swaps import (
    CLASSES_OF_AN_OCTAVE,
    FARTHEST_CLASS,
    join_classes,
    swap_english,
)

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SCHEMA = (
    "pair_id string, target_lang string, split string, en_source_id string, en_n_chars int, "
    "en_text_hash string"
)
# English page, its characters, its text.
Text = tuple[str, int, str]
# Scenario to the English page that each pair gets.
Swapped = Mapping[str, list[str | None]]
SEED = 0


def texts(*lengths: int) -> list[Text]:
    return [(f"en:{i}", n, f"text {i}") for i, n in enumerate(lengths)]


def swap(
    spark: SparkSession, scenarios: Mapping[str, Sequence[Text]], seed: int = SEED, parts: int = 2
) -> Swapped:
    """The English page that each pair gets, in the order of the scenario's pairs."""
    rows = [
        (str(i), "th", name, *text)
        for name, pairs in scenarios.items()
        for i, text in enumerate(pairs)
    ]
    swapped = swap_english(spark.createDataFrame(rows, SCHEMA).repartition(parts), seed).collect()
    assert len(swapped) == len(rows)
    found = {(row.split, row.pair_id): row.other_en_source_id for row in swapped}
    return {
        name: [found[name, str(i)] for i in range(len(pairs))] for name, pairs in scenarios.items()
    }


LITERAL: dict[str, tuple[list[Text], list[str | None]]] = {
    "a single pair has none": (texts(1000), [None]),
    "two are swapped": (texts(1000, 1010), ["en:1", "en:0"]),
    "two within an octave are swapped": (texts(1000, 1900), ["en:1", "en:0"]),
    "two that are far apart have none": (texts(1000, 2300), [None, None]),
    "a lone one joins no far ones": (texts(1000, 1001, 9000), ["en:1", "en:0", None]),
    "a page that has two pairs": ([("a", 9, "x"), ("a", 9, "x")], [None, None]),
    "two pages with one text": ([("a", 9, "x"), ("b", 9, "x")], [None, None]),
    "and a third page": ([("a", 9, "x"), ("b", 9, "x"), ("c", 9, "y")], ["c", "c", "a"]),
    "one text, and a neighbour": ([("a", 9, "x"), ("b", 9, "x"), ("c", 12, "y")], ["c", "c", "a"]),
    "texts of a character and of none": (texts(0, 1), [None, None]),
}


@pytest.fixture(scope="module")
def literal(spark: SparkSession) -> Swapped:
    return swap(spark, {name: pairs for name, (pairs, _) in LITERAL.items()})


@pytest.mark.parametrize("name", LITERAL)
def test_who_gets_whose_english_text(literal: Swapped, name: str) -> None:
    assert literal[name] == LITERAL[name][1]


def test_a_lone_class_joins_the_nearest_and_the_shorter_of_two_as_near(spark: SparkSession) -> None:
    # A length of 2 ** (n / 8) and a little is of the class n.
    classes = {
        "nearest": (40, 40, 47, 52, 52), "as near": (40, 40, 46, 52, 52),
        "chain": (40, 44, 47, 49, 50), "pairs": (40, 41, 45, 46), "far": (40, 49, 49, 58),
    }  # fmt: skip
    rows = [
        ("", "th", name, f"en:{i}", math.ceil(2 ** (number / CLASSES_OF_AN_OCTAVE)), f"text {i}")
        for name, numbers in classes.items()
        for i, number in enumerate(numbers)
    ]
    frame = spark.createDataFrame(rows, SCHEMA)
    octaves = f"int(floor(log2(en_n_chars + 0.5) * {CLASSES_OF_AN_OCTAVE}))"
    classed = frame.selectExpr("*", f"{octaves} AS length_class")
    cycles = defaultdict(list)
    for row in join_classes(classed).collect():
        cycles[row.split, row.cycle].append((row.class_place, row.length_class))
    found = defaultdict(list)
    for (name, _), members in sorted(cycles.items()):
        found[name].append([number for _, number in sorted(members)])
    assert found == {
        "nearest": [[40], [47, 52]],
        "as near": [[40, 46], [52]],
        "chain": [[50, 47, 40, 44, 49]],
        "pairs": [[40, 41], [45, 46]],
        "far": [[40], [49], [58]],
    }


def drawn_scenarios(n: int) -> dict[str, list[Text]]:
    """From few pairs to dozens, close together or far apart, some of one page or of one text."""
    scenarios = {}
    for number in range(n):
        draw = random.Random(number)
        spread, repeated = draw.choice((0.1, 1.0, 2.0)), draw.choice((0.0, 0.1))
        pairs = []
        for i in range(draw.choice((1, 2, 3, 5, 9, 40))):
            length = int(math.exp(draw.gauss(8, spread)))
            pairs.append((f"en:{i}", length, f"text {i}"))
            if draw.random() < repeated:
                pairs.append((f"en:{i}", length, f"text {i}"))
            if draw.random() < repeated:
                pairs.append((f"en:{i}b", length, f"text {i}"))
        draw.shuffle(pairs)
        scenarios[f"drawn {number}"] = pairs
    return scenarios


DRAWN = drawn_scenarios(120)


def length_class(length: int) -> int:
    return math.floor(math.log2(length + 0.5) * CLASSES_OF_AN_OCTAVE)


@pytest.fixture(scope="module")
def drawn(spark: SparkSession) -> Swapped:
    return swap(spark, DRAWN)


def test_no_pair_gets_its_own_text_and_has_none_only_where_no_other_is_near(drawn: Swapped) -> None:
    for name, pairs in DRAWN.items():
        text_of = {page: text for page, _, text in pairs}
        for (_, length, text), other in zip(pairs, drawn[name], strict=True):
            near = {
                another
                for _, n, another in pairs
                if abs(length_class(n) - length_class(length)) <= FARTHEST_CLASS
            } - {text}
            assert (other is None) == (not near)
            assert other is None or text_of[other] != text


def test_each_english_text_goes_to_one_pair(drawn: Swapped) -> None:
    n_checked = 0
    for name, pairs in DRAWN.items():
        if len({text for *_, text in pairs}) == len(pairs):
            given = [other for other in drawn[name] if other is not None]
            alone = {
                page for (page, *_), other in zip(pairs, drawn[name], strict=True) if not other
            }
            assert sorted(given) == sorted({page for page, *_ in pairs} - alone)
            n_checked += len(given)
    assert n_checked > 100


def steps(pairs: Sequence[Text], others: Sequence[str | None]) -> list[int]:
    """For each pair that gets a text, the classes between its own and that."""
    length_of = {page: length for page, length, _ in pairs}
    return [
        abs(length_class(length_of[other]) - length_class(length))
        for (_, length, _), other in zip(pairs, others, strict=True)
        if other is not None
    ]


def test_the_text_is_at_most_two_joined_classes_away(drawn: Swapped) -> None:
    found = [step for name, pairs in DRAWN.items() for step in steps(pairs, drawn[name])]
    assert 0 < max(found) <= 2 * FARTHEST_CLASS


def test_neither_partitions_nor_other_splits_change_what_a_seed_gives(
    spark: SparkSession, drawn: Swapped
) -> None:
    some = {name: pairs for i, (name, pairs) in enumerate(DRAWN.items()) if i % 3}
    assert swap(spark, some, parts=7) == {name: drawn[name] for name in some}
    other = swap(spark, some, seed=1)
    assert sum(other[name] != drawn[name] for name in some) > len(some) / 5


def test_languages_are_swapped_apart(spark: SparkSession) -> None:
    rows = [
        (str(i), ("th", "ja")[i % 3 == 0], "train", f"en:{i}", 1000, f"text {i}") for i in range(12)
    ]
    for row in swap_english(spark.createDataFrame(rows, SCHEMA), SEED).collect():
        number = int(row.other_en_source_id.removeprefix("en:"))
        assert (number % 3 == 0) == (row.target_lang == "ja")


def test_a_new_pair_changes_few_others(spark: SparkSession) -> None:
    draw = random.Random(1)
    base = texts(*(int(math.exp(draw.gauss(8, 1))) for _ in range(400)))
    more = {
        f"with {n}": [*base, ("en:new", n, "new text")] for n in (30, 500, 2500, 3100, 9000, 10**6)
    }
    swapped = swap(spark, {"before": base, **more})
    found = steps(base, swapped["before"])
    assert sum(step == 0 for step in found) > 0.9 * len(base)
    for name in more:
        changed = sum(a != b for a, b in zip(swapped["before"], swapped[name], strict=False))
        assert changed <= 4
    assert swapped["with 3100"][-1] is not None
    assert sum(a != b for a, b in zip(swapped["before"], swapped["with 3100"], strict=False)) == 1
