from __future__ import annotations

from dataclasses import replace

import pytest

from crossic_etl.kernels.search.indexes import INDEXES
from crossic_etl.kernels.search.plan import (
    EXACT,
    ROUTED,
    PlanError,
    SearchSize,
    plan_search,
    task_memory,
)
from crossic_etl.kernels.search.settings import Search

GIB = 2**30
SEARCH = Search(k=10, dimension=512)
SIZE = SearchSize(1_000_000, 20_000, EXACT, shards=4, task_memory=GIB, tasks=2)
TO_CELLS = replace(SIZE, method=ROUTED, cells=1024, nprobe=64, task_memory=2 * GIB)


def test_an_exact_search_compares_all_and_sends_queries_everywhere() -> None:
    plan = plan_search(SIZE, SEARCH)
    assert plan.distances == 1_000_000 * 20_000
    assert plan.shuffled_rows == 1_000_000 + 4 * 20_000
    assert plan.share == 1.0
    assert 262_500 * 2048 < plan.shard_memory < GIB


def test_a_routed_search_compares_the_cells_it_probes() -> None:
    plan = plan_search(TO_CELLS, SEARCH)
    assert plan.share == pytest.approx(64 / 1024)
    assert plan.query_copies == 4


def test_the_plan_is_told_in_words() -> None:
    lines = plan_search(TO_CELLS, SEARCH).lines()
    assert lines[0] == ("routed, Flat, k 10: 20,000 queries in 1,000,000 documents of 512 floats")
    assert lines[1] == "4 shards, 1,024 cells, nprobe 64; a query goes to 4 at most"
    assert any("6.2%" in line for line in lines) and any("2.0 GiB" in line for line in lines)


def test_a_shard_that_does_not_fit_is_refused_with_the_number_that_would_do() -> None:
    with pytest.raises(PlanError, match=r"^shards: 1 given: a task needs 2\.\d GiB") as error:
        plan_search(replace(SIZE, shards=1), SEARCH)
    assert error.value.setting == "shards"
    shards = int(error.value.problem.split("; ")[1].split()[0])
    assert plan_search(replace(SIZE, shards=shards), SEARCH).shard_memory <= GIB


def test_a_task_without_room_for_anything_is_refused_by_its_memory() -> None:
    with pytest.raises(PlanError, match=r"^task_memory: .* at least \d+ MiB expected"):
        plan_search(replace(SIZE, task_memory=100 * 2**20), SEARCH)


@pytest.mark.parametrize(
    ("change", "setting", "problem"),
    [
        ({"method": "fast"}, "method", "'fast' given, expected exact or routed"),
        ({"shards": 0}, "shards", "0 given, expected 1 or more"),
        ({"nprobe": 2000}, "nprobe", "2000 given, expected at most the cells, 1024"),
        ({"shards": 2000}, "shards", "2000 given, expected at most the cells, 1024"),
        ({"cells": 100_000}, "cells", "100000 given, expected at most 32768"),
    ],
)
def test_settings_that_contradict_are_refused(
    change: dict[str, object], setting: str, problem: str
) -> None:
    with pytest.raises(PlanError) as error:
        plan_search(replace(TO_CELLS, **change), SEARCH)  # type: ignore[arg-type]
    assert error.value.setting == setting
    assert error.value.problem.startswith(problem)


def test_the_index_sets_the_memory() -> None:
    memory = {name: task_memory(1_000_000, replace(SEARCH, index=name)) for name in INDEXES}
    assert memory["SQ8"] < memory["SQfp16"] < memory["Flat"] < memory["IVF,PQ"] < memory["HNSW32"]


def test_an_empty_search_fits() -> None:
    plan = plan_search(replace(SIZE, n_documents=0, n_queries=0), SEARCH)
    assert (plan.distances, plan.share) == (0, 0.0)
