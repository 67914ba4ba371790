from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from crossic_etl.config.crawl import Encoder
from crossic_etl.config.encoder import choose_encoder
from crossic_etl.schemas import SAMPLES, STAGED_SAMPLES
from crossic_etl.transforms.samples import (
    SampleSettings,
    count_to_embed,
    describe_text_pairs,
    make_samples,
    select_samples,
    task_number,
)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, Row, SparkSession

Frame = Callable[[str, list[tuple[Any, ...]]], "DataFrame"]

SETTINGS = SampleSettings("qwen2.5", "<|quad_end|>", 64, "\n\n")
SIDES = (
    "pair_id string, target_lang string, origin string, en_source_id string, "
    "target_source_id string, split string, reason string, arrangements array<string>"
)
TEXTS = (
    "source_id string, title string, url string, revision_id long, licence string, text string, "
    "n_chars int, fingerprint long"
)
CC, UNKNOWN = "CC-BY-SA-4.0", "NOASSERTION"
ENGLISH = [
    ("en:1", "en 1", "https://en/1", 101, CC, "English text number 1.", 22, 22),
    ("en:3", "en 3", "https://en/3", 103, CC, "English text number 3.", 22, 22),
    ("d1", None, "https://web/1", None, UNKNOWN, "A web page.", 11, 11),
    ("d2", None, None, None, UNKNOWN, "Another web page.", 17, 17),
]
TARGET = [
    ("th:11", "th 11", "https://th/11", 111, CC, "ข้อความภาษาไทย 1", 16, 16),
    ("th:12", "th 12", "https://th/12", 112, CC, "ข้อความภาษาไทย 2", 16, 16),
    ("ja:31", "ja 31", "https://ja/31", 131, CC, "茶は飲み物。" * 30, 180, 180),
    ("en:1", "no Thai page", "https://th/1", 1, CC, "another text", 12, 12),
]


@pytest.fixture(scope="module")
def staged(spark: SparkSession) -> list[Row]:
    pair, found = "wikipedia", "crawl"
    rows = [
        ("th1", "th", pair, "en:1", "th:11", "train", None, ["en-first", "mix"]),
        ("th2", "th", pair, "en:3", "th:12", "validation", None, ["random"]),
        ("ja1", "ja", pair, "en:1", "ja:31", "train", None, ["en-first"]),
        ("ar1", "ar", pair, "en:1", "ar:41", "train", "too_short", ["en-first", "mix"]),
        ("ar1", "ar", pair, "en:1", "ar:41", "train", "too_short", ["random"]),
        ("th:11 d1", "th", found, "d1", "th:11", "train", None, ["retrieved"]),
        ("th:11 d2", "th", found, "d2", "th:11", "train", "not_best", ["retrieved"]),
    ]
    english, target = spark.createDataFrame(ENGLISH, TEXTS), spark.createDataFrame(TARGET, TEXTS)
    pairs = describe_text_pairs(spark.createDataFrame(rows, SIDES), english, target, SETTINGS)
    made = make_samples(pairs, english, target, SETTINGS)
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
        "th 11",
        "https://th/11",
        111,
    )
    assert (row.licence, row.split) == ("CC-BY-SA-4.0", "train")


def test_a_random_sample_joins_the_english_text_that_was_chosen(staged: list[Row]) -> None:
    (row,) = samples_of(staged, "th2", "random")
    assert (row.en_text, row.target_text) == ("English text number 3.", "ข้อความภาษาไทย 2")
    assert row.split == "validation"


def test_a_retrieved_sample_has_the_attribution_of_a_document_and_a_page(
    staged: list[Row],
) -> None:
    (row,) = samples_of(staged, "th:11 d1", "retrieved")
    assert (row.en_text, row.target_text) == ("A web page.", "ข้อความภาษาไทย 1")
    assert (row.origin, row.licence) == ("crawl", "CC-BY-SA-4.0 AND NOASSERTION")
    assert (row.en_source_id, row.en_title, row.en_url, row.en_revision_id) == (
        "d1",
        None,
        "https://web/1",
        None,
    )
    assert (row.target_source_id, row.target_title) == ("th:11", "th 11")


def test_mixed_samples_hold_a_text_each(staged: list[Row]) -> None:
    texts = [(row.en_text, row.target_text) for row in samples_of(staged, "th1", "mix")]
    assert texts == [("English text number 1.", ""), ("", "ข้อความภาษาไทย 1")]


def test_a_long_text_is_cut_to_the_budget_and_kept(staged: list[Row]) -> None:
    rows = samples_of(staged, "ja1", "en-first")
    assert len(rows) == rows[0].n_segments > 1
    assert max(row.n_tokens for row in rows) <= 64
    assert [len(row.input_ids) for row in rows] == [row.n_tokens for row in rows]
    assert "".join(row.target_text for row in rows) == "茶は飲み物。" * 30


def test_each_side_and_arrangement_is_counted_once(staged: list[Row]) -> None:
    counted: Counter[tuple[str, str, str | None]] = Counter()
    for row in staged:
        counted[row.outcome, row.pair_id, row.arrangement] += row.n
    assert counted == {
        ("sample", "th1", "en-first"): 1,
        ("sample", "th1", "mix"): 1,
        ("sample", "th2", "random"): 1,
        ("sample", "ja1", "en-first"): 1,
        ("sample", "th:11 d1", "retrieved"): 1,
        ("too_short", "ar1", None): 3,
        ("not_best", "th:11 d2", None): 1,
    }


def test_sample_ids_are_unique(staged: list[Row]) -> None:
    ids = [row.sample_id for row in staged if row.outcome == "sample"]
    assert len(set(ids)) == len(ids)


def test_without_sides_there_are_no_samples(frame: Frame) -> None:
    texts = frame(TEXTS, [])
    pairs = describe_text_pairs(frame(SIDES, []), texts, texts, SETTINGS)
    samples = select_samples(make_samples(pairs, texts, texts, SETTINGS))
    assert samples.columns == SAMPLES.columns
    assert samples.collect() == []


def test_samples_are_the_staged_rows_that_are_some(frame: Frame) -> None:
    def row(outcome: str) -> tuple[Any, ...]:
        values = {"outcome": outcome, "sample_id": f"a {outcome}"}
        return tuple(values.get(name) for name in STAGED_SAMPLES.fieldNames())

    staged = frame(STAGED_SAMPLES.simpleString(), [row("sample"), row("text"), row("too_short")])
    assert [r.sample_id for r in select_samples(staged).collect()] == ["a sample"]


TOPICS = (
    ("The stone bridge has seven arches over the river.", "الجسر الحجري له سبعة أقواس فوق النهر."),
    ("Bakers bake rye bread with honey.", "يخبز الخبازون خبز الجاودار بالعسل."),
    ("Thousands of cranes rest on the meadows in autumn.", "آلاف الكراكي تستريح في المروج خريفا."),
    ("The school choir sings in the market hall.", "تغني جوقة المدرسة في قاعة السوق."),
    ("A fire destroyed the old town hall tower.", "دمر حريق برج دار البلدية القديم."),
    ("The night train stops for the post.", "يتوقف القطار الليلي من أجل البريد."),
)


def encoded(frame: Frame, n_text_pairs: int) -> list[Row]:
    """The staged samples of one English text with two targets and with another's."""
    choice = choose_encoder(Encoder())
    settings = replace(SETTINGS, max_tokens=48, align="encoder", encoder=choice)
    english = "\n\n".join(one for one, _ in TOPICS)
    arabic = "\n\n".join(other for _, other in TOPICS[3:])
    rows = [
        ("p1", "ar", "wikipedia", "en:1", "ar:1", "train", None, ["en-first", "target-first"]),
        ("p2", "ar", "wikipedia", "en:1", "ar:2", "train", None, ["en-first"]),
        ("p2", "ar", "wikipedia", "en:1", "ar:2", "train", None, ["random"]),
        ("p3", "sw", "wikipedia", "en:1", "ar:1", "train", None, ["en-first"]),
    ]
    text = [("en:1", "t", "u", 1, CC, english, len(english), 1)]
    targets = [(f"ar:{i}", "t", "u", 1, CC, arabic, len(arabic), i) for i in (1, 2)]
    texts = frame(TEXTS, text), frame(TEXTS, targets)
    pairs = describe_text_pairs(frame(SIDES, rows), *texts, settings)
    made = make_samples(pairs, *texts, settings, None, n_text_pairs)
    return sorted(made.collect(), key=lambda row: (row.pair_id, row.arrangement, row.segment))


@pytest.fixture(scope="module")
def frame(spark: SparkSession) -> Frame:
    return lambda columns, rows: spark.createDataFrame(rows, columns)


def test_pairs_are_cut_where_they_match_and_english_is_embedded_once(frame: Frame) -> None:
    rows = encoded(frame, 1)
    cuts = {(row.pair_id, row.arrangement): row.cut for row in rows}
    assert cuts == {
        ("p1", "en-first"): "encoder",
        ("p1", "target-first"): "encoder",
        ("p2", "en-first"): "encoder",
        ("p2", "random"): "position",
        ("p3", "en-first"): "position",  # an unknown language, and nothing to go by
    }
    for row in rows:
        if row.cut == "encoder":
            held = [e in row.en_text for e, _ in TOPICS[3:]]
            assert held == [a in row.target_text for _, a in TOPICS[3:]]
            assert (row.similarity is not None) == bool(row.en_text and row.target_text)
        else:
            assert row.similarity is None
    n_english, n_arabic = (
        sum(len(t[side]) for t in TOPICS[start:]) for side, start in ((0, 0), (1, 3))
    )
    embedded = sum(row.embedded for row in rows)
    assert n_english + 2 * n_arabic <= embedded <= (n_english + 2 * n_arabic) * 1.1


def test_the_number_of_tasks_changes_nothing(frame: Frame) -> None:
    assert task_number(1) == 1 < task_number(10_000)
    assert encoded(frame, 100) == encoded(frame, 1)


def test_characters_are_counted_before_they_are_embedded(frame: Frame) -> None:
    pairs = frame(
        "en_source_id string, target_source_id string, arrangements array<string>, "
        "en_n_chars int, target_n_chars int",
        [
            ("en:1", "ar:1", ["mix", "en-first"], 100, 30),
            ("en:1", "ar:2", ["target-first"], 100, 40),
            ("en:1", "ar:3", ["random", "mix"], 100, 50),  # aren't aligned
            ("en:2", "ar:3", ["en-first"], 7, 50),  # short
        ],
    )
    assert count_to_embed(pairs, 100).collect() == [(2, 3, 170)]
    assert count_to_embed(pairs, 0).collect() == [(3, 5, 227)]
    assert count_to_embed(pairs, 0, with_random=True).collect() == [(4, 6, 277)]
    assert count_to_embed(pairs.limit(0), 0).collect() == [(0, 0, 0)]
