"""Every promise of the tables, checked on the tables that exist. Writes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import DataFrame

from crossic_etl.expectations.expectation import Promise, count_violations, of_every_row, of_the_key
from crossic_etl.expectations.retrieval import (
    EMBEDDING_PROMISES,
    NEIGHBOUR_PROMISES,
    REVERSE_PROMISES,
)
from crossic_etl.expectations.samples import SAMPLE_PROMISES
from crossic_etl.expectations.sources import (
    DOCUMENT_PROMISES,
    LINK_PROMISES,
    PAGE_PROMISES,
    PAIR_PROMISES,
)
from crossic_etl.expectations.windows import WINDOW_PROMISES
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

REJECT_PROMISES = (of_every_row(REJECTS, {"table is one that there is": f"table IN ({_NAMES})"}),)

# A run that failed has counted as far as it came.
RUN_PROMISES = (
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

PROMISES: dict[str, tuple[Promise, ...]] = {
    PAGES.name: PAGE_PROMISES,
    LINKS.name: LINK_PROMISES,
    PAIRS.name: PAIR_PROMISES,
    DOCUMENTS.name: DOCUMENT_PROMISES,
    EMBEDDINGS.name: EMBEDDING_PROMISES,
    NEIGHBOURS.name: NEIGHBOUR_PROMISES,
    REVERSE_NEIGHBOURS.name: REVERSE_PROMISES,
    SAMPLES.name: SAMPLE_PROMISES,
    WINDOWS.name: WINDOW_PROMISES,
    REJECTS.name: REJECT_PROMISES,
    RUNS.name: RUN_PROMISES,
}


@dataclass(frozen=True)
class Finding:
    """What was found of a promise; ``broken`` is None where it couldn't be looked at."""

    table: str
    promise: str
    broken: int | None = 0
    examples: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """The line that says it."""
        return f"{self.table}: {self.promise}: {self._found}"

    @property
    def _found(self) -> str:
        examples = ", ".join(self.examples)
        if self.broken is None:
            return f"not checked, for {examples}"
        return f"BROKEN by {self.broken:,}, such as {examples}" if self.broken else "ok"


@dataclass(frozen=True)
class Absent:
    """A table that isn't there yet. Those that others refer to count as empty."""

    table: str

    @property
    def line(self) -> str:
        """The line that says it."""
        return f"{self.table}: isn't there"


def promises_of(table: Table) -> tuple[Promise, ...]:
    """All that a table promises beside its columns."""
    return (of_the_key(table), *PROMISES.get(table.name, (of_every_row(table, {}),)))


def find_violations(promises: tuple[Promise, ...], frames: Mapping[str, DataFrame]) -> DataFrame:
    """``check, key``: each row that breaks one of the promises; frames by the names of tables."""
    return reduce(DataFrame.unionByName, (promise.violations(frames) for promise in promises))


def verify_tables(tables: Tables) -> Iterator[Finding | Absent]:
    """What is found of each promise of each table, as it is found.

    A table is read as it was when this began, whatever is written meanwhile; but two tables of
    which one is being written don't agree.
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
    """One pass over the table for each of its promises, in one query."""
    promises = promises_of(table)
    readable = tuple(p for p in promises if all(read.name in frames for read in p.reads))
    counted = count_violations(find_violations(readable, frames)).collect()
    for promise in promises:
        lacking = tuple(
            f"the columns of {read.name}" for read in promise.reads if read.name not in frames
        )
        for name in promise.rules:
            rows = [row for row in counted if row.check == name]
            examples = tuple(sorted(row.example for row in rows)[:EXAMPLES])
            broken = None if lacking else sum(row.n for row in rows)
            yield Finding(table.name, name, broken, lacking or examples)
