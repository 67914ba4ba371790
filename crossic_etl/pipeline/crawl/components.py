"""Finds connected components in rounds over the cluster. Each round's result is staged."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, log2

from pyspark.sql import DataFrame, Row

from crossic_etl.tables import Tables
from crossic_etl.transforms.components import do_round, find_members, fingerprint, list_members

# One plan of three rounds costs a fraction of three staged rounds. A round has no join, so the plan
# grows linearly.
ROUNDS_AT_ONCE = 3

# Up to so many edges one task holds all of them (some 100 MB), instead of rounds over the cluster.
EDGES_AT_ONCE = 300_000


class NotConvergedError(RuntimeError):
    """`most_rounds` were not enough: an error of the program, not of the data."""


def stage_components(
    tables: Tables,
    job: str,
    edges: DataFrame,
    at_once: int = EDGES_AT_ONCE,
    are_stored: bool = False,
) -> tuple[DataFrame, int]:
    """Stages ``node, root``: each node of ``edges`` (``a, b``) once; also returns their number.

    A node's root is the lowest node that it is connected with. One task resolves up to ``at_once``
    edges. More take rounds over the cluster until nothing changes. With ``are_stored`` the edges
    are read from a table, which is cheap to repeat, so they are not staged first.

    Raises:
        NotConvergedError: `most_rounds` were not enough.
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
    """The limit of rounds: twice what chains need, measured for up to 10,000 edges."""
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
