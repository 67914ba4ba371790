from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from crossic_etl.schemas import REJECTS
from crossic_etl.transforms.outcomes import count_outcomes, select_rejects

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

Frame = Callable[[str, list[tuple[Any, ...]]], "DataFrame"]
STAGED = "outcome string, n long, lang string, target_lang string, key string, detail string"


def test_each_outcome_sums_the_rows_that_it_stands_for(frame: Frame) -> None:
    staged = frame("outcome string, n long", [("page", 1), ("page", 1), ("cut", 3), ("prop", None)])
    assert sorted(map(tuple, count_outcomes(staged).collect())) == [
        ("cut", 3),
        ("page", 2),
        ("prop", None),
    ]


def test_nothing_staged_has_no_outcomes(frame: Frame) -> None:
    counts = count_outcomes(frame("outcome string, n int", []))
    assert [(f.name, f.dataType.simpleString()) for f in counts.schema] == [
        ("outcome", "string"),
        ("rows", "bigint"),
    ]
    assert counts.collect() == []


def test_rejects_are_the_broken_rows_once_for_each_key_and_reason(frame: Frame) -> None:
    staged = frame(
        STAGED,
        [
            ("page", 1, "en", None, "1", "fine"),
            ("cut", 1, "en", None, "2", "zz"),
            ("cut", 1, "en", None, "2", "<page>"),
            ("xml", 1, "en", None, "2", "<x>"),
            ("cut", 1, "th", None, "2", "หน้า"),
            ("namespace", 1, "en", None, "3", "not broken"),
            ("xml", 1, "en", None, None, None),
        ],
    )
    rejects = select_rejects(staged, "pages", ("cut", "xml"))
    assert rejects.columns == REJECTS.columns
    assert sorted(map(tuple, rejects.collect())) == [
        ("pages", "en", "", "xml", ""),
        ("pages", "en", "2", "cut", "<page>"),
        ("pages", "en", "2", "xml", "<x>"),
        ("pages", "th", "2", "cut", "หน้า"),
    ]


def test_the_language_may_be_the_targets(frame: Frame) -> None:
    staged = frame(STAGED, [("text", 1, None, "ja", "p1", "broken")])
    rejects = select_rejects(staged, "samples", ("text",), lang="target_lang")
    assert list(map(tuple, rejects.collect())) == [("samples", "ja", "p1", "text", "broken")]
