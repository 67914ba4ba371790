"""Which windows stay, are made anew, follow or go: on literal values."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from crossic_etl.pipeline.window_changes import (
    Packing,
    WindowKind,
    find_other_kinds,
    split_by_fingerprint,
    split_by_length,
    stage_changes,
    write_changes,
)
from crossic_etl.schemas import WINDOWS
from crossic_etl.tables import Tables
from crossic_etl.transforms.windows import Streams, mark_threads
from tests.support.rows import write_rows

if TYPE_CHECKING:
    from pathlib import Path

    from pyspark.sql import DataFrame, SparkSession

PACKING = Packing("qwen2.5", WindowKind(8, "padded"), Streams(1, 0), "made so")


def test_the_scope_of_some_arrangements_has_the_kind_and_the_tokenizer() -> None:
    assert PACKING.scope(["mix"]) == {
        "arrangement": ["mix"],
        "tokenizer": ["qwen2.5"],
        "window_length": [8],
        "policy": ["padded"],
    }


def test_the_metadata_has_a_part_for_each_arrangement_and_kind() -> None:
    assert PACKING.fingerprints(["mix", "en-first"]) == {
        "mix qwen2.5 8 padded": "made so",
        "en-first qwen2.5 8 padded": "made so",
    }
    other = replace(PACKING, kind=WindowKind(16, "sliding"))
    assert other.part_of("mix") == "mix qwen2.5 16 sliding"


@pytest.mark.parametrize(
    ("made", "held", "anew"),
    [
        ({}, [], ["mix", "random"]),
        ({"mix qwen2.5 8 padded": "made so"}, ["mix"], ["random"]),
        ({"mix qwen2.5 8 padded": "made otherwise"}, [], ["mix", "random"]),
        ({"mix qwen2.5 16 padded": "made so"}, [], ["mix", "random"]),
        ({"mix gpt2 8 padded": "made so"}, [], ["mix", "random"]),
        (
            {"random qwen2.5 8 padded": "made so", "mix qwen2.5 8 padded": "made so"},
            ["mix", "random"],
            [],
        ),
    ],
)
def test_windows_made_with_other_settings_are_made_anew(
    made: dict[str, str], held: list[str], anew: list[str]
) -> None:
    assert split_by_fingerprint(["mix", "random"], made, PACKING) == (held, anew)


def test_windows_that_are_shorter_than_a_sample_are_too_short() -> None:
    longest = {"mix": 8, "random": 9}
    assert split_by_length(["mix", "random", "none"], longest, 8) == (["mix", "none"], ["random"])


@pytest.fixture
def tables(spark: SparkSession, tmp_path: Path) -> Tables:
    return Tables(spark, str(tmp_path))


def samples(tables: Tables, lengths: dict[str, int]) -> DataFrame:
    columns = (
        "arrangement string, tokenizer string, split string, sample_id string, pair_id string, "
        "target_lang string, input_ids array<int>, segment int, en_source_id string"
    )
    rows = [
        ("mix", "qwen2.5", "train", name, name, "th", list(range(n)), 0, "en:1")
        for name, n in lengths.items()
    ]
    return mark_threads(tables.spark.createDataFrame(rows, columns))


def held(tables: Tables) -> list[tuple[int, list[str]]]:
    rows = tables.read(WINDOWS).collect()
    return sorted((row.generation, sorted(row.sample_ids)) for row in rows)


def test_new_samples_make_windows_of_a_new_generation_and_others_stay(tables: Tables) -> None:
    tables.create(WINDOWS)
    first = samples(tables, {"a": 5, "b": 6})
    changes = stage_changes(tables, PACKING, first, ["mix"])
    assert [(change.broken, change.n_packed) for change in changes] == [(None, 2)]
    write_changes(tables, PACKING, changes)
    assert held(tables) == [(0, ["a"]), (0, ["b"])]

    (change,) = stage_changes(tables, PACKING, samples(tables, {"a": 5, "c": 7}), ["mix"])
    assert change.broken is not None and change.broken.count() == 1
    assert change.n_packed == 2
    write_changes(tables, PACKING, [change])
    assert held(tables) == [(0, ["a"]), (1, ["c"])]


def test_a_rebuild_makes_all_windows_anew(tables: Tables) -> None:
    tables.create(WINDOWS)
    write_changes(
        tables, PACKING, stage_changes(tables, PACKING, samples(tables, {"a": 5}), ["mix"])
    )
    (change,) = stage_changes(tables, PACKING, samples(tables, {"a": 5}), ["mix"], rebuild=True)
    assert (change.broken, change.n_packed) == (None, 1)


def test_other_kinds_are_found_with_their_arrangements(tables: Tables) -> None:
    kinds = [(8, "padded", "mix"), (8, "sliding", "mix"), (16, "padded", "random"),
             (16, "padded", "mix"), (16, "padded", "unwanted")]  # fmt: skip
    rows = [
        {
            "arrangement": name,
            "tokenizer": "qwen2.5",
            "window_length": n,
            "policy": policy,
            "split": "train",
        }
        for n, policy, name in kinds
    ]
    write_rows(tables, WINDOWS, rows)
    found = find_other_kinds(tables, PACKING, ["mix", "random"])
    assert sorted(found) == [((8, "sliding"), ["mix"]), ((16, "padded"), ["mix", "random"])]
