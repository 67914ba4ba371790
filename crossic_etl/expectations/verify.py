"""Checks every expectation of the tables that exist. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import DataFrame

from crossic_etl.expectations.expectation import (
    Expectation,
    count_violations,
    of_every_row,
    of_the_key,
)
from crossic_etl.expectations.retrieval import (
    EMBEDDING_EXPECTATIONS,
    NEIGHBOUR_EXPECTATIONS,
    REVERSE_EXPECTATIONS,
)
from crossic_etl.expectations.samples import SAMPLE_EXPECTATIONS
from crossic_etl.expectations.sources import (
    DOCUMENT_EXPECTATIONS,
    LINK_EXPECTATIONS,
    PAGE_EXPECTATIONS,
    PAIR_EXPECTATIONS,
)
from crossic_etl.expectations.windows import WINDOW_EXPECTATIONS
from crossic_etl.schemas import (
    DOCUMENTS,
    EMBEDDINGS,
    LINKS,
    NEIGHBOURS,
    PAGES,
    PAIRS,
    REJECTS,
    REVERSE_NEIGHBOURS,
    RUNS,
    SAMPLES,
    TABLES,
    WINDOWS,
    Table,
)
from crossic_etl.tables import TableError, Tables

EXAMPLES = 3
COLUMNS = "columns are the contract's"

_NAMES = ", ".join(f"'{name}'" for name in TABLES)

REJECT_EXPECTATIONS = (
    of_every_row(REJECTS, {"table is one that there is": f"table IN ({_NAMES})"}),
)

# A failed run has counted only the rows before its failure.
RUN_EXPECTATIONS = (
    of_every_row(
        RUNS,
        {
            "state is done or failed": "state IN ('done', 'failed')",
            "rows in are rows used and rows dropped": (
                "state <> 'done' OR rows_in = rows_used"
                " + aggregate(map_values(dropped), 0L, (total, n) -> total + n)"
            ),
        },
    ),
)

EXPECTATIONS: dict[str, tuple[Expectation, ...]] = {
    PAGES.name: PAGE_EXPECTATIONS,
    LINKS.name: LINK_EXPECTATIONS,
    PAIRS.name: PAIR_EXPECTATIONS,
    DOCUMENTS.name: DOCUMENT_EXPECTATIONS,
    EMBEDDINGS.name: EMBEDDING_EXPECTATIONS,
    NEIGHBOURS.name: NEIGHBOUR_EXPECTATIONS,
    REVERSE_NEIGHBOURS.name: REVERSE_EXPECTATIONS,
    SAMPLES.name: SAMPLE_EXPECTATIONS,
    WINDOWS.name: WINDOW_EXPECTATIONS,
    REJECTS.name: REJECT_EXPECTATIONS,
    RUNS.name: RUN_EXPECTATIONS,
}


@dataclass(frozen=True)
class Finding:
    """The result of one rule: ``broken`` counts its violations; None if it couldn't be checked."""

    table: str
    expectation: str
    broken: int | None = 0
    examples: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """The message."""
        return f"{self.table}: {self.expectation}: {self._found}"

    @property
    def _found(self) -> str:
        examples = ", ".join(self.examples)
        if self.broken is None:
            return f"not checked, for {examples}"
        return f"BROKEN by {self.broken:,}, such as {examples}" if self.broken else "ok"


@dataclass(frozen=True)
class Absent:
    """A table that doesn't exist yet. Rules that read it take it as empty."""

    table: str

    @property
    def line(self) -> str:
        """The message."""
        return f"{self.table}: isn't there"


def expectations_of(table: Table) -> tuple[Expectation, ...]:
    """All expectations of a table's rows."""
    return (of_the_key(table), *EXPECTATIONS.get(table.name, (of_every_row(table, {}),)))


def find_violations(
    expectations: tuple[Expectation, ...], frames: Mapping[str, DataFrame]
) -> DataFrame:
    """``check, key``: one row for each row that breaks a rule; ``frames`` are by table name."""
    return reduce(
        DataFrame.unionByName, (expectation.violations(frames) for expectation in expectations)
    )


def verify_tables(tables: Tables) -> Iterator[Finding | Absent]:
    """Checks all tables; yields the result of each rule of each table as soon as it is known.

    Each table is read in the version that it had at the start. Rules that compare two tables may
    be broken while a job writes one of them.
    """
    frames: dict[str, DataFrame] = {}
    unfit: dict[str, str] = {}
    absent = set()
    for table in TABLES.values():
        try:
            frame = tables.find(table)
        except TableError as error:
            unfit[table.name] = str(error).partition(": ")[2]
            continue
        if frame is None:
            absent.add(table.name)
            frame = tables.spark.createDataFrame([], table.schema)
        frames[table.name] = frame
    for table in TABLES.values():
        if table.name in absent:
            yield Absent(table.name)
        elif table.name in unfit:
            yield Finding(table.name, COLUMNS, 1, (unfit[table.name],))
        else:
            yield Finding(table.name, COLUMNS)
            yield from _verify(table, frames)


def _verify(table: Table, frames: Mapping[str, DataFrame]) -> Iterator[Finding]:
    """Checks all expectations of a table in one query, a pass for each expectation."""
    expectations = expectations_of(table)
    readable = tuple(p for p in expectations if all(read.name in frames for read in p.reads))
    counted = count_violations(find_violations(readable, frames)).collect()
    for expectation in expectations:
        lacking = tuple(
            f"the columns of {read.name}" for read in expectation.reads if read.name not in frames
        )
        for name in expectation.rules:
            rows = [row for row in counted if row.check == name]
            examples = tuple(sorted(row.example for row in rows)[:EXAMPLES])
            broken = None if lacking else sum(row.n for row in rows)
            yield Finding(table.name, name, broken, lacking or examples)
