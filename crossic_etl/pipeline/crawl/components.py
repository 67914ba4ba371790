"""Connected components in rounds over the cluster; staging keeps each round's plan small."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, log2

from pyspark.sql import DataFrame, Row

from crossic_etl.tables import Tables
from crossic_etl.transforms.components import do_round, find_members, fingerprint, list_members

# A plan of so many rounds costs a fraction of as many stagings; a round has no join, so plans grow
# by the same each time.
ROUNDS_AT_ONCE = 3

# Edges that one task holds in memory (some 100 MB), instead of rounds over the cluster.
EDGES_AT_ONCE = 300_000


class NotConvergedError(RuntimeError):
    """It takes more rounds than `most_rounds`: an error of the program, not of the data."""


def stage_components(
    tables: Tables,
    job: str,
    edges: DataFrame,
    at_once: int = EDGES_AT_ONCE,
    are_stored: bool = False,
) -> tuple[DataFrame, int]:
    """Stages ``node, root`` for each node of ``edges`` (``a, b``), each once; the number of edges.

    A node's root is the lowest one that it is connected with. Up to ``at_once`` edges are resolved
    by one task; more take rounds over the cluster, until nothing changes any more. Edges that
    ``are_stored`` in a table cost little to read again, and are not staged first.

    Raises:
        NotConvergedError: it takes more rounds than that.
    """
    names = [f"{job}_edges_0", f"{job}_edges_1"]
    staged, used = edges, set[str]()
    if not are_stored:
        staged = tables.stage(names[0], edges)
        used.add(names[0])
    before = _fingerprint(staged)
    if before.n <= at_once:
        members = tables.stage(f"{job}_members", find_members(staged))
        _unstage(tables, used)
        return members, before.n
    n_edges = before.n
    for i in range(1, ceil(most_rounds(n_edges) / ROUNDS_AT_ONCE) + 1):
        staged = tables.stage(names[i % 2], _do_rounds(staged))
        used.add(names[i % 2])
        after = _fingerprint(staged)
        if after == before:
            members = tables.stage(f"{job}_members", list_members(staged))
            _unstage(tables, used)
            return members, n_edges
        before = after
    raise NotConvergedError(f"{job}: {n_edges} edges not resolved in {most_rounds(n_edges)} rounds")


def most_rounds(n_edges: int) -> int:
    """How many rounds may be taken: twice what chains need, measured up to 10,000 edges."""
    return 2 * ceil(log2(n_edges + 1)) + 3


def _unstage(tables: Tables, names: Iterable[str]) -> None:
    for name in names:
        tables.unstage(name)


def _do_rounds(edges: DataFrame) -> DataFrame:
    for _ in range(ROUNDS_AT_ONCE):
        edges = do_round(edges)
    return edges


def _fingerprint(edges: DataFrame) -> Row:
    (row,) = fingerprint(edges).collect()
    return row
