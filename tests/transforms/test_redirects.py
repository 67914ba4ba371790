from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from crossic_etl.transforms.redirects import resolve_redirects

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

SCHEMA = "lang string, page_id long, title string, target_title string, dump_date string"


@pytest.fixture(scope="module")
def ends(spark: SparkSession) -> dict[tuple[str, str], str | None]:
    redirects = [
        ("en", "Chai", "Tea"),
        ("en", "A", "B"),
        ("en", "B", "C"),
        ("en", "C", "D"),
        ("en", "Loop", "Pool"),
        ("en", "Pool", "Loop"),
        ("en", "Into the loop", "Loop"),
        ("en", "Self", "Self"),
        ("th", "ชา", "น้ำชา"),
        ("th", "ใบชา", "ชา"),
        ("ar", "شاي أخضر", "شاي"),
        ("ja", "お茶", "茶"),
        ("th", "A", "C"),
        ("ko", "C", "A"),
    ]
    rows = [(lang, i, title, target, "") for i, (lang, title, target) in enumerate(redirects)]
    resolved = resolve_redirects(spark.createDataFrame(rows, SCHEMA)).collect()
    assert len(resolved) == len(redirects)
    return {(row.lang, row.title): row.final_title for row in resolved}


def test_a_redirect_ends_at_its_target(ends: dict[tuple[str, str], str | None]) -> None:
    plain = [("en", "Chai"), ("th", "ชา"), ("ar", "شاي أخضر"), ("ja", "お茶")]
    assert [ends[name] for name in plain] == ["Tea", "น้ำชา", "شاي", "茶"]


def test_a_chain_ends_where_its_last_redirect_does(
    ends: dict[tuple[str, str], str | None],
) -> None:
    assert [ends["en", name] for name in "ABC"] == ["D", "D", "D"]
    assert ends["th", "ใบชา"] == "น้ำชา"


def test_a_circle_has_no_end(ends: dict[tuple[str, str], str | None]) -> None:
    names = ("Loop", "Pool", "Into the loop", "Self")
    assert [ends["en", name] for name in names] == [None] * 4


def test_chains_stay_within_their_language(ends: dict[tuple[str, str], str | None]) -> None:
    assert (ends["th", "A"], ends["ko", "C"]) == ("C", "A")


def test_no_redirects_have_no_ends(
    frame: Callable[[str, list[tuple[Any, ...]]], DataFrame],
) -> None:
    resolved = resolve_redirects(frame(SCHEMA, []))
    assert resolved.columns == ["lang", "title", "final_title"]
    assert resolved.collect() == []
