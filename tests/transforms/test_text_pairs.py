from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from crossic_etl.transforms.text_pairs import (
    arrange_pairs,
    arrange_retrieved,
    document_texts,
    filter_text_pairs,
    page_texts,
    retrieved_text_pairs,
    select_paired_texts,
    wikipedia_text_pairs,
)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row, SparkSession

Frame = Callable[[str, list[tuple[Any, ...]]], "DataFrame"]

PAIRS = "pair_id string, target_lang string, en_page_id long, target_page_id long"
SIDES = (
    "pair_id string, target_lang string, origin string, en_source_id string, "
    "target_source_id string, split string, reason string"
)
SIZES = "source_id string, n_chars int, text_hash string"
ACCEPTED = "query_id string, doc_id string, target_lang string, margin float, cosine float"
SHARE, SEED = 0.45, 0
# By the hash with seed 0: of the English pages, those that are for validation.
VALIDATION = {6, 8, 9}
ARRANGEMENTS = ("en-first", "random", "mix")

# Nine Thai pairs with text, one pair of Japanese; Arabic has a text too short and two that are
# gone, and one that an evaluation set holds.
PAIR_ROWS = [
    *((f"th{i}", "th", i, 10 + i) for i in range(1, 10)),
    ("ja1", "ja", 1, 31),
    ("ar1", "ar", 1, 41),
    ("ar2", "ar", 2, 42),
    ("ar3", "ar", 10, 43),
    ("ar4", "ar", 2, 44),
]
ENGLISH_SIZES = [(f"en:{i}", 20, f"text {i}") for i in range(1, 10)]
TARGET_SIZES = [
    *((f"th:{10 + i}", 20, "") for i in range(1, 10)),
    ("ja:31", 2, ""),
    ("ar:41", 1, ""),
    ("ar:43", 20, ""),
    ("ar:44", 20, ""),
]
CONTAMINATED = [("ar:44", 1, 0.5), ("en:77", 1, 0.5)]


def arranged(spark: SparkSession, partitions: int, seed: int, share: float) -> list[Row]:
    def of(rows: Any, schema: str) -> DataFrame:
        return spark.createDataFrame(rows, schema).repartition(partitions)

    text_pairs = wikipedia_text_pairs(of(PAIR_ROWS, PAIRS), share, seed)
    found = of(CONTAMINATED, "source_id string, hits long, share double")
    filtered = filter_text_pairs(
        text_pairs, of(ENGLISH_SIZES, SIZES), of(TARGET_SIZES, SIZES), 2, found
    )
    rows: list[Row] = arrange_pairs(filtered, ARRANGEMENTS, seed).collect()
    return rows


@pytest.fixture(scope="module")
def text_pairs(spark: SparkSession) -> dict[str, list[Row]]:
    """Sides by arrangement."""
    rows = arranged(spark, 1, SEED, SHARE)
    assert len(rows) == 2 * len(PAIR_ROWS)
    return {"aligned": [r for r in rows if r.arrangements == ["en-first", "mix"]]} | {
        "random": [r for r in rows if r.arrangements == ["random"]]
    }


def english_of(rows: list[Row], lang: str) -> dict[int, int]:
    """The English page of each target page, of the text_pairs without a reason."""
    return {
        int(row.target_source_id.removeprefix(f"{lang}:")): int(row.en_source_id[3:])
        for row in rows
        if row.target_lang == lang and row.reason is None
    }


def test_aligned_text_pairs_are_the_pairs(text_pairs: dict[str, list[Row]]) -> None:
    actual = {
        (r.pair_id, r.target_lang, r.origin, r.en_source_id, r.target_source_id)
        for r in text_pairs["aligned"]
    }
    assert actual == {
        (pair_id, lang, "wikipedia", f"en:{en}", f"{lang}:{target}")
        for pair_id, lang, en, target in PAIR_ROWS
    }


def test_random_text_pairs_are_a_permutation_of_the_english_pages_of_a_split(
    text_pairs: dict[str, list[Row]],
) -> None:
    permuted = english_of(text_pairs["random"], "th")
    assert sorted(permuted) == list(range(11, 20))
    assert {permuted[10 + i] for i in VALIDATION} == VALIDATION
    assert sorted(permuted.values()) == list(range(1, 10))


def test_no_random_text_pair_is_its_own(text_pairs: dict[str, list[Row]]) -> None:
    permuted = english_of(text_pairs["random"], "th")
    assert [target for target, english in permuted.items() if english == target - 10] == []


def test_random_text_pairs_are_in_no_order_of_the_ids(text_pairs: dict[str, list[Row]]) -> None:
    permuted = english_of(text_pairs["random"], "th")
    train = [i for i in range(1, 10) if i not in VALIDATION]
    steps = {(train.index(permuted[10 + i]) - place) % 6 for place, i in enumerate(train)}
    assert len(steps) > 1


def test_a_single_pair_has_no_random_one_for_a_reason(text_pairs: dict[str, list[Row]]) -> None:
    assert english_of(text_pairs["random"], "ja") == {}
    assert english_of(text_pairs["aligned"], "ja") == {31: 1}
    (single,) = (row for row in text_pairs["random"] if row.target_lang == "ja")
    assert (single.reason, single.en_source_id) == ("none_near", "en:1")


def test_random_text_pairs_have_the_columns_of_the_others(frame: Frame) -> None:
    filtered = frame(f"{SIDES}, en_n_chars int, en_text_hash string", [])
    for arrangements in (["mix"], ["random"], ["mix", "random"]):
        columns = arrange_pairs(filtered, arrangements, SEED).columns
        assert columns == [*(part.split()[0] for part in SIDES.split(", ")), "arrangements"]


def test_a_pair_far_in_length_has_no_random_one(frame: Frame) -> None:
    def pair(i: int, n_chars: int, text: str, reason: str | None = None) -> tuple[Any, ...]:
        ids = (f"en:{i}", f"th:{i}", "train", reason)
        return (f"p{i}", "th", "wikipedia", *ids, n_chars, text)

    rows = [
        pair(1, 1000, "tea"), pair(2, 1200, "coffee"), pair(3, 90_000, "history of tea"),
        pair(4, 90_000, "history of coffee", "contaminated"), pair(5, 1000, "", "too_short"),
    ]  # fmt: skip
    filtered = frame(f"{SIDES}, en_n_chars int, en_text_hash string", rows)
    found = {row.pair_id: row for row in arrange_pairs(filtered, ["random"], SEED).collect()}
    assert {key: (row.en_source_id, row.reason) for key, row in found.items()} == {
        "p1": ("en:2", None), "p2": ("en:1", None), "p3": ("en:3", "none_near"),
        "p4": ("en:4", "contaminated"), "p5": ("en:5", "too_short"),
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["aligned", "random"])
def test_the_english_page_of_a_pair_decides_its_split(
    text_pairs: dict[str, list[Row]], kind: str
) -> None:
    english = {pair_id: en_page_id for pair_id, _, en_page_id, _ in PAIR_ROWS}
    splits = {row.pair_id: row.split for row in text_pairs[kind]}
    assert {english[key] for key, split in splits.items() if split == "validation"} == VALIDATION
    assert set(splits.values()) == {"train", "validation"}


@pytest.mark.parametrize("kind", ["aligned", "random"])
def test_a_pair_that_makes_no_sample_has_a_reason(
    text_pairs: dict[str, list[Row]], kind: str
) -> None:
    alone = {"ja1": "none_near"} if kind == "random" else {}
    assert {row.pair_id: row.reason for row in text_pairs[kind] if row.reason} == alone | {
        "ar1": "too_short",
        "ar2": "too_short",
        "ar3": "too_short",
        "ar4": "contaminated",
    }


def test_the_seed_sets_the_permutation_and_the_partitions_do_not(spark: SparkSession) -> None:
    first, again, other = (
        english_of([r for r in arranged(spark, n, seed, 0.0) if r.arrangements == ["random"]], "th")
        for n, seed in ((1, 0), (5, 0), (1, 1))
    )
    assert len(first) == 9
    assert again == first
    assert other != first


@pytest.mark.parametrize(("share", "expected"), [(0.0, set()), (SHARE, VALIDATION)])
def test_no_more_than_the_share_is_for_validation(
    frame: Frame, share: float, expected: set[int]
) -> None:
    rows = wikipedia_text_pairs(frame(PAIRS, PAIR_ROWS), share, SEED).collect()
    assert {int(r.en_source_id[3:]) for r in rows if r.split == "validation"} == expected


def found_text_pairs(frame: Frame, rows: list[tuple[Any, ...]]) -> dict[str, Row]:
    pairs = wikipedia_text_pairs(frame(PAIRS, PAIR_ROWS), SHARE, SEED)
    found = retrieved_text_pairs(frame(ACCEPTED, rows), pairs, SHARE, SEED)
    return {row.pair_id: row for row in found.collect()}


def test_the_best_document_of_a_query_is_taken(frame: Frame) -> None:
    rows = [
        ("th:11", "a", "th", 1.1, 0.9),
        ("th:11", "b", "th", 1.2, 0.5),
        ("th:12", "b", "th", 1.2, 0.5),
        ("th:12", "a", "th", 1.2, 0.6),
        ("th:13", "b", "th", 1.2, 0.6),
        ("th:13", "a", "th", 1.2, 0.6),
        ("th:14", "b", "th", 0.1, 0.1),
        ("th:14", "a", "th", None, 0.9),
    ]
    found = found_text_pairs(frame, rows)
    assert len(found) == len(rows)
    assert {key for key, row in found.items() if row.reason is None} == {
        "th:11 b",
        "th:12 a",
        "th:13 a",
        "th:14 b",
    }
    assert {row.reason for row in found.values()} == {None, "not_best"}
    row = found["th:11 b"]
    assert (row.origin, row.en_source_id, row.target_source_id) == ("crawl", "b", "th:11")


def test_a_query_has_the_split_of_its_pair_else_of_its_own_id(frame: Frame) -> None:
    # By its own hash th:11 were for validation; its pair's English page is not.
    queries = {
        **{"th:11": "train", "th:18": "validation"},
        **{"th:1000": "train", "th:1001": "validation", "d": "train", "f": "validation"},
    }
    rows = [(query, "x", "th", 1.0, 0.5) for query in queries]
    found = found_text_pairs(frame, rows)
    assert {row.target_source_id: row.split for row in found.values()} == queries


def test_a_document_serves_queries_of_one_split(frame: Frame) -> None:
    def side(doc: str, query: str, split: str, reason: str | None = None) -> tuple[Any, ...]:
        return (f"{query} {doc}", query[:2], "crawl", doc, query, split, reason)

    rows = [
        side("a", "th:1", "train"),
        side("a", "th:2", "validation"),
        side("a", "ja:3", "train"),
        side("b", "th:4", "train"),
        side("b", "ja:5", "train"),
        side("c", "th:1", "validation", "not_best"),
        side("c", "th:6", "train"),
        side("d", "th:7", "train", "too_short"),
        side("d", "th:8", "validation"),
        side("e", "th:1", "validation"),
        side("e", "th:2", "train"),
        side("e", "th:4", "train"),
    ]
    arranged = arrange_retrieved(frame(SIDES, rows), SEED).collect()
    assert len(arranged) == len(rows)
    assert all(row.arrangements == ["retrieved"] for row in arranged)
    # By the hash with seed 0: ja:3 comes before th:1, th:2 and th:4, and th:1 before these.
    assert {row.pair_id: row.reason for row in arranged if row.reason} == {
        "th:2 a": "straddles_split",
        "th:1 c": "not_best",
        "th:7 d": "too_short",
        "th:2 e": "straddles_split",
        "th:4 e": "straddles_split",
    }


def test_texts_of_pages_and_documents_have_the_same_columns(frame: Frame) -> None:
    pages = frame(
        "lang string, page_id long, title string, url string, revision_id long, licence string, "
        "text string, n_chars int, text_hash string, qid string",
        [("th", 7, "ชา", "https://th/7", 70, "CC-BY-SA-4.0", "ชา", 2, "a1", "Q1")],
    )
    documents = frame(
        "doc_id string, url string, licence string, text string, n_chars int, text_hash string",
        [("d7", None, "NOASSERTION", "Tea", 3, "a2")],
    )
    texts = page_texts(pages).unionByName(document_texts(documents)).collect()
    assert [tuple(row)[:-2] for row in texts] == [
        ("th:7", "ชา", "https://th/7", 70, "CC-BY-SA-4.0", "ชา", 2),
        ("d7", None, None, None, "NOASSERTION", "Tea", 3),
    ]
    assert [row.text_hash for row in texts] == ["a1", "a2"]


def test_each_text_of_a_pair_is_selected_once(frame: Frame) -> None:
    texts = frame("source_id string", [("en:1",), ("en:2",), ("th:1",), ("ja:1",), ("th:9",)])
    pairs = frame(SIDES, [("p", "th", "wikipedia", "en:1", "th:1", "train", None)] * 2)
    found = frame(SIDES, [("q", "ja", "crawl", "d", "ja:1", "train", "not_best")])
    selected = [row.source_id for row in select_paired_texts(texts, [pairs, found]).collect()]
    assert sorted(selected) == ["en:1", "ja:1", "th:1"]
