"""Compares the rows of all tables under two roots.

``python -m tests.support.compare_roots OLD NEW`` prints a line for each table. The options map
tables, columns and reasons that have another name in the new root.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from crossic_etl.session import get_session
from tests.support.table_hashes import row_hash

# Of the runs and not of their input: times, ids, Delta versions, and who writes.
IGNORED_TABLES = ("writer_lock",)
TIMES = ("run_id", "started", "seconds", "modified", "input_versions", "output_versions")


@dataclass(frozen=True)
class Names:
    """Old names and what they are called in the new root.

    Attributes:
        tables: of tables.
        columns: of columns, in any table.
        values: of reasons and other words, in any text or key of a map.
        ignored: columns that are not compared.
    """

    tables: Mapping[str, str] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    ignored: Sequence[str] = TIMES


def tables_of(root: Path) -> set[str]:
    """Names of the tables under a root, without scratch."""
    found = {path.parent.name for path in root.glob("*/_delta_log")}
    return {n for n in found if not n.startswith(("staging_", "_")) and n not in IGNORED_TABLES}


def comparable(frame: DataFrame, root: Path, names: Names) -> DataFrame:
    """A table's rows without what differs between two runs, its folder written as ``ROOT``."""
    kept = sorted(name for name in frame.columns if name not in names.ignored)
    folder = re.escape(str(root.parent))
    columns = []
    for name in kept:
        text = F.to_json(F.struct(name), {"ignoreNullFields": "false"})
        for old, new in names.values.items():
            text = F.regexp_replace(text, rf'"{re.escape(old)}"', f'"{new}"')
        columns.append(F.regexp_replace(text, folder, "ROOT").alias(name))
    return frame.select(columns)


def compare(spark: SparkSession, old: Path, new: Path, names: Names) -> list[str]:
    """A line for each table of either root: its rows, and whether both have the same."""
    lines = []
    there = {names.tables.get(name, name): name for name in tables_of(old)}
    for name in sorted(there.keys() | tables_of(new)):
        if name not in there or name not in tables_of(new):
            lines.append(f"{name}: OTHER, in one root only")
            continue
        before = spark.read.format("delta").load(str(old / there[name]))
        before = before.withColumnsRenamed(dict(names.columns))
        after = spark.read.format("delta").load(str(new / name))
        plain = Names(ignored=names.ignored)
        shared = [column for column in before.columns if column in after.columns]
        added = sorted(set(after.columns) - set(shared))
        lost = sorted(set(before.columns) - set(shared))
        was = row_hash(comparable(before.select(shared), old, names))
        now = row_hash(comparable(after.select(shared), new, plain))
        same = "same" if was == now and not lost else "OTHER"
        more = f", columns added {added}" if added else ""
        more += f", columns lost {lost}" if lost else ""
        lines.append(f"{name}: {same}, {was[0]} rows {was[1]}, {now[0]} rows {now[1]}{more}")
    return lines


def pairs(given: Sequence[str]) -> dict[str, str]:
    """``old=new`` of each."""
    return dict(one.split("=", 1) for one in given)


def main() -> int:
    """Prints the lines; the status is 1 where a table has other rows."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("old", type=lambda path: Path(path).absolute())
    arguments.add_argument("new", type=lambda path: Path(path).absolute())
    for kind in ("table", "column", "value"):
        arguments.add_argument(f"--{kind}", action="append", default=[], metavar="OLD=NEW")
    arguments.add_argument("--ignore", action="append", default=[], help="a column")
    given = arguments.parse_args()
    names = Names(
        tables=pairs(given.table),
        columns=pairs(given.column),
        values=pairs(given.value),
        ignored=(*TIMES, *given.ignore),
    )
    lines = compare(get_session("compare", brief=True), given.old, given.new, names)
    print("\n".join(lines))
    return any(": OTHER" in line for line in lines)


if __name__ == "__main__":
    sys.exit(main())
