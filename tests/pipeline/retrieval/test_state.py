"""What the last search left, on literal rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import Row, SparkSession
from pyspark.sql import types as T

from crossic_etl.config.crawl import Encoder, Neighbours
from crossic_etl.config.encoder import choose_encoder
from crossic_etl.pipeline.retrieval.state import (
    SearchState,
    covered_languages,
    read_search_state,
    search_settings,
)
from crossic_etl.schemas import NEIGHBOURS, SEARCHES
from crossic_etl.tables import Tables
from tests.support.killed_runs import Killed
from tests.support.rows import row_of

SCOPE = {"target_lang": ["th", "ja"], "model": ["m"], "revision": ["r"]}


def search(lang: str, settings: str = "s", generation: int = 1, n_neighbours: int = 2) -> Row:
    return Row(
        target_lang=lang, model="m", revision="r", settings=settings, generation=generation,
        n_neighbours=n_neighbours,
    )  # fmt: skip


def state(tables: Any = None, rows: list[Row] | None = None) -> SearchState:
    return SearchState(tables, SCOPE, "s", rows or [], {})


def marked(spark: SparkSession, rows: list[tuple[str, str, str]]) -> Any:
    """What `mark_changes` gives for neighbours: language, query and change of each row."""
    values = [
        (*row_of(NEIGHBOURS, target_lang=lang, query_id=query, model="m", revision="r"), change)
        for lang, query, change in rows
    ]
    schema = T.StructType([*NEIGHBOURS.schema, T.StructField("change", T.StringType())])
    return spark.createDataFrame(values, schema)


def searches(tables: Tables) -> list[tuple[Any, ...]]:
    rows = tables.read(SEARCHES).select("target_lang", "settings", "generation", "n_neighbours")
    return sorted(map(tuple, rows.collect()))


def test_settings_are_those_that_decide_what_is_found() -> None:
    choice = choose_encoder(Encoder())
    exact = {
        "method": "exact", "index": "Flat", "k": 10, "queries": "pages",
        "span_rule": choice.rule.name, "half": False, "excluded": ["url", "text_hash"],
    }  # fmt: skip
    assert json.loads(search_settings(Neighbours(), "pages", choice, None)) == exact
    others = Neighbours(thresholds={"th": 1.2}, max_uses=1, shards=3, nprobe=4)
    assert json.loads(search_settings(others, "pages", choice, None)) == exact
    routed = search_settings(Neighbours(method="routed", nprobe=4), "pages", choice, "digest")
    assert json.loads(routed) == exact | {"method": "routed", "quantizer": "digest", "nprobe": 4}


def test_a_language_is_covered_if_settings_and_rows_are_those_of_its_search() -> None:
    rows = [search("th", generation=3), search("ja", "others"), search("ko"), search("ar")]
    counts = {"th": 2, "ja": 2, "ko": 1, "ar": 2}
    assert covered_languages(rows, counts, ["th", "ja", "ko"], "s") == {"th": 3}


def test_a_language_without_neighbours_is_covered_if_its_search_left_none() -> None:
    assert covered_languages([search("th", n_neighbours=0)], {}, ["th"], "s") == {"th": 1}
    assert covered_languages([search("th", n_neighbours=1)], {}, ["th"], "s") == {}


def test_without_a_search_no_language_is_covered() -> None:
    assert covered_languages([], {"th": 2}, ["th"], "s") == {}


@pytest.mark.parametrize(
    ("rows", "newest", "any_new", "expected"),
    [
        ([], 0, True, 1),
        ([], 4, False, 4),
        ([search("th", generation=7)], 4, False, 7),
        ([search("th", generation=7), search("ko", generation=9)], 4, True, 10),
    ],
)
def test_new_vectors_get_a_generation_above_all_that_a_language_knows(
    rows: list[Row], newest: int, any_new: bool, expected: int
) -> None:
    assert state(rows=rows).generation(newest, any_new) == expected


def test_changed_rows_are_written_and_every_language_is_noted(
    spark: SparkSession, tmp_path: Path
) -> None:
    tables = Tables(spark, str(tmp_path))
    first = marked(spark, [("th", "a", "new"), ("th", "b", "new"), ("ja", "c", "new")])
    assert state(tables).publish(first, [], 1) == (3, 0)
    assert searches(tables) == [("ja", "s", 1, 1), ("th", "s", 1, 2)]
    read = read_search_state(tables, SCOPE, "s", tables.read(NEIGHBOURS))
    assert read.covered == {"th": 1, "ja": 1}
    second = marked(spark, [("th", "a", "gone"), ("th", "b", "same"), ("ja", "c", "same")])
    assert read.publish(second, [], 2) == (0, 1)
    assert searches(tables) == [("ja", "s", 2, 1), ("th", "s", 2, 1)]
    assert sorted(row.query_id for row in tables.read(NEIGHBOURS).collect()) == ["b", "c"]


def test_without_changes_nothing_is_written(spark: SparkSession, tmp_path: Path) -> None:
    tables = Tables(spark, str(tmp_path))
    empty = marked(spark, [])
    assert state(tables).publish(empty, [], 1) == (0, 0)
    assert searches(tables) == [("ja", "s", 1, 0), ("th", "s", 1, 0)]
    version = tables.version(SEARCHES)
    read = read_search_state(tables, SCOPE, "s", tables.select_if_there(NEIGHBOURS, SCOPE))
    assert read.publish(empty, [], 1) == (0, 0)
    assert tables.version(SEARCHES) == version
    assert not tables.is_there(NEIGHBOURS)


def test_a_run_that_dies_leaves_its_languages_to_be_searched_from_scratch(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = Tables(spark, str(tmp_path))
    first = marked(spark, [("th", "a", "new"), ("ja", "c", "new")])
    state(tables).publish(first, [], 1)
    korean = spark.createDataFrame([tuple(search("ko", n_neighbours=5))], SEARCHES.schema)
    tables.replace(SEARCHES, korean, {"target_lang": ["ko"]})
    read = read_search_state(tables, SCOPE, "s", tables.read(NEIGHBOURS))
    with monkeypatch.context() as patched, pytest.raises(Killed):
        patched.setattr(Tables, "merge", die)
        read.publish(marked(spark, [("th", "a", "gone"), ("ja", "c", "same")]), [], 2)
    assert searches(tables) == [("ko", "s", 1, 5)]
    after = read_search_state(tables, SCOPE, "s", tables.read(NEIGHBOURS))
    assert after.covered == {}


def die(*_: object, **__: object) -> None:
    raise Killed
