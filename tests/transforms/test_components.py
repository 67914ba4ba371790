from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from crossic_etl.kernels.dedup.components import find_components
from crossic_etl.pipeline.crawl import components
from crossic_etl.pipeline.crawl.components import NotConvergedError, most_rounds, stage_components
from crossic_etl.tables import Tables
from crossic_etl.tables.staging import FOLDER
from crossic_etl.transforms.components import MEMBERS, fingerprint

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

Edges = list[tuple[str, str]]


def chain(name: str, order: list[int]) -> Edges:
    return [(f"{name}{a:04}", f"{name}{b:04}") for a, b in pairwise(order)]


def random_graph(seed: int) -> Edges:
    """Up to 40 nodes, as sparse as a forest or so dense that all are connected."""
    draw = random.Random(seed)
    n, name = draw.randint(2, 40), f"random {seed} "
    pairs = [draw.sample(range(n), 2) for _ in range(draw.randint(1, 3 * n // 2))]
    return [(f"{name}{a:04}", f"{name}{b:04}") for a, b in pairs]


def all_graphs() -> Edges:
    """Graphs that have nothing to do with each other, since their names begin their nodes."""
    numbers = list(range(1000))
    mixed = random.Random(0).sample(numbers, len(numbers))
    around = [*numbers[:300], 0]
    return [
        *chain("ascending ", numbers),
        *chain("descending ", numbers[::-1]),
        *chain("mixed ", mixed),
        *chain("cycle ", around),
        *[("low star 0000", f"low star {i:04}") for i in numbers[1:]],
        *[("high star 9999", f"high star {i:04}") for i in numbers],
        *[(f"clique {a:04}", f"clique {b:04}") for a in range(20) for b in range(a)],
        *[edge for seed in range(60) for edge in random_graph(seed)],
        *[("twice a", "twice b"), ("twice b", "twice a"), ("twice a", "twice b")],
    ]


def frame_of(spark: SparkSession, edges: Edges) -> DataFrame:
    return spark.createDataFrame(edges, "a string, b string")


@pytest.fixture
def tables(spark: SparkSession, tmp_path: Path) -> Tables:
    return Tables(spark, str(tmp_path / "tables"))


def members_of(staged: DataFrame) -> dict[str, str]:
    rows = staged.collect()
    found = {row.node: row.root for row in rows}
    assert len(found) == len(rows)
    return found


@pytest.mark.parametrize("at_once", [0, 10**6], ids=["in rounds", "by one task"])
def test_the_components_are_those_of_union_find(tables: Tables, at_once: int) -> None:
    edges = all_graphs()
    staged, n_edges = stage_components(tables, "test", frame_of(tables.spark, edges), at_once)
    assert staged.schema.simpleString() == MEMBERS.simpleString()
    assert members_of(staged) == find_components(edges)
    assert n_edges == len(edges)
    staging = Path(tables.root) / FOLDER
    assert [path.name for path in staging.iterdir() if "edges" in path.name] == []


def test_no_edges_are_no_components(tables: Tables) -> None:
    staged, n_edges = stage_components(tables, "test", frame_of(tables.spark, []))
    assert (staged.count(), n_edges) == (0, 0)


def test_rounds_that_do_not_end_are_an_error(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(components, "most_rounds", lambda _: 1)
    edges = frame_of(tables.spark, chain("c", list(range(50))))
    with pytest.raises(NotConvergedError, match="test: 49 edges not resolved in 1 rounds"):
        stage_components(tables, "test", edges, at_once=0)


def test_rounds_grow_with_the_logarithm() -> None:
    assert [most_rounds(n) for n in (1, 1000, 10**6, 10**9)] == [5, 23, 43, 63]


def test_the_fingerprint_sees_edges_and_not_their_order(spark: SparkSession) -> None:
    def of(*edges: tuple[str, str]) -> tuple[int, int]:
        (row,) = fingerprint(frame_of(spark, list(edges))).collect()
        return row.n, row.hash

    same = of(("a", "b"), ("b", "c"))
    assert of(("b", "c"), ("a", "b")) == same
    assert same not in (of(("a", "b"), ("a", "c")), of(("a", "b")), of(("b", "a"), ("b", "c")))
