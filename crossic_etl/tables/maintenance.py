"""Maintains tables: columns of later versions, properties, file layout, old files, scratch tables.

All of it is SQL, so it is the same for folders and catalogs, for classic Spark and Spark Connect.
Each step first checks whether there is anything to do; if not, the table keeps its version. Rows
are never changed. Delta collects the statistics for data skipping itself, in writes and in
``OPTIMIZE``. (``ANALYZE TABLE … COMPUTE DELTA STATISTICS`` isn't in Delta 4.4.0.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from pyspark.sql import Row

from crossic_etl.config.errors import require
from crossic_etl.config.maintenance import Maintain
from crossic_etl.schemas import (
    DOCUMENTS,
    EMBEDDINGS,
    LINKS,
    NEIGHBOURS,
    PAGES,
    PAIRS,
    REDIRECTS,
    REVERSE_NEIGHBOURS,
    SAMPLES,
    SEARCHED_VECTORS,
    TABLES,
    Table,
)
from crossic_etl.tables import Tables
from crossic_etl.tables.columns import check_columns, table_properties
from crossic_etl.tables.creation import LOG_DAYS
from crossic_etl.tables.evolution import (
    RENAMED,
    add_later_columns,
    copy_renamed,
    has_old_name,
    later_columns,
)
from crossic_etl.tables.lock import TABLE as WRITER
from crossic_etl.tables.parquet_scratch import ParquetScratch
from crossic_etl.tables.staging import FOLDER, PREFIX

# The columns by which ``OPTIMIZE`` sorts a partition's files, so that reads by them skip files. The
# other tables are only packed: they are small, or every read scans them whole or by shard.
ORDERS: dict[str, tuple[str, ...]] = {
    PAGES.name: ("page_id",),  # looked up and joined by id, from pairs and samples
    REDIRECTS.name: ("title",),  # looked up by title as chains are followed
    LINKS.name: ("page_id",),  # joined with their source pages
    PAIRS.name: ("en_page_id",),  # one English page in every language
    DOCUMENTS.name: ("doc_id",),  # looked up by the ids of neighbours and samples
    EMBEDDINGS.name: ("id",),  # merged by it: a merge rewrites the files with a changed row
    NEIGHBOURS.name: ("query_id",),  # merged by it, all rows of a query together
    REVERSE_NEIGHBOURS.name: ("doc_id",),  # merged by it
    SEARCHED_VECTORS.name: ("id",),  # merged by it
    SAMPLES.name: ("pair_id",),  # the segments of a pair are cut, mixed and read together
}

SAFE_HOURS = 168
CHECK = "spark.databricks.delta.retentionDurationCheck.enabled"

# Commits of the history to search for the last OPTIMIZE; after more of them it runs anyway.
_HISTORY = 100
# Operations that don't change rows or files.
_QUIET = ("VACUUM START", "VACUUM END", "SET TBLPROPERTIES", "ADD COLUMNS")
# VACUUM … DRY RUN names at most so many files.
_MOST_NAMED = 1000


@dataclass
class TableReport:
    """The report of a table's maintenance.

    Attributes:
        table: its name.
        before: the table's files before.
        done: what was done, or would be done, as text.
        after: its files after; None if nothing was done.
    """

    table: str
    before: Row
    done: list[str] = field(default_factory=list)
    after: Row | None = None

    @property
    def line(self) -> str:
        """The line for the user, with the newest version's files and bytes."""
        now = f", now {_size(self.after)}" if self.after else ""
        return f"{self.table}: {_size(self.before)}{now}; {', '.join(self.done) or 'nothing to do'}"


def _size(detail: Row) -> str:
    n = detail.numFiles
    return f"{n:,} file{'s' * (n != 1)} of {detail.sizeInBytes:,} bytes"


def maintain_tables(
    tables: Tables, settings: Maintain, scratch: Sequence[str] = (), dry_run: bool = False
) -> Iterator[TableReport]:
    """Maintains each table and reports it; with ``dry_run`` only reports what it would do.

    ``scratch`` names the scratch tables to empty, without their prefix, since a catalog can't be
    listed as a folder can. The caller holds the root's lock, or knows that nobody else writes.

    Raises:
        ConfigError: files that Delta's check protects would be removed.
        TableError: a table has other columns than its schema; nothing was done then.
    """
    check_retention(tables, settings)
    for old, table in RENAMED.items():
        if has_old_name(tables, old):
            yield _renamed(tables, old, table, dry_run)
    present = [table for table in TABLES.values() if tables.is_there(table)]
    for table in present:
        check_evolved(tables, table)
    for table in present:
        yield _maintain(tables, table, settings, dry_run)
    if before := tables.detail(WRITER):
        yield _vacuumed(tables, TableReport(WRITER, before), settings, dry_run)
    for name in scratch:
        yield from _sweep(tables, name, settings, dry_run)


def _renamed(tables: Tables, old: str, table: Table, dry_run: bool) -> TableReport:
    report = TableReport(old, _existing(tables, old))
    report.done.append(_will(f"copy to {table.name}", dry_run))
    if not dry_run:
        copy_renamed(tables, old, table)
        report.after = _existing(tables, old)
    return report


def check_retention(tables: Tables, settings: Maintain) -> None:
    """Refuses a retention that Delta's own check refuses, unless the session has turned it off.

    Raises:
        ConfigError: the retention is under `SAFE_HOURS`.
    """
    hours = settings.retention_hours
    is_off = tables.spark.conf.get(CHECK, "true") == "false"
    expected = f"{SAFE_HOURS} or more (or {CHECK} false)"
    require(hours >= SAFE_HOURS or is_off, "maintain.retention_hours", hours, expected)


def check_evolved(tables: Tables, table: Table) -> None:
    """Refuses a table that differs from its schema in more than `later_columns`.

    Raises:
        TableError: names the differences.
    """
    frame = tables.spark.read.table(tables.name(table.name))
    if not later_columns(frame.schema, table):
        check_columns(frame, table)


def _maintain(tables: Tables, table: Table, settings: Maintain, dry_run: bool) -> TableReport:
    spark, name = tables.spark, tables.name(table.name)
    report = TableReport(table.name, _existing(tables, table.name))
    later = later_columns(spark.read.table(name).schema, table)
    if later:
        report.done.append(f"{_will('add', dry_run)} {', '.join(c.name for c in later)}")
        if not dry_run:
            add_later_columns(spark, name, table)
    _set_properties(tables, report, settings, dry_run)
    _optimize(tables, report, dry_run)
    return _vacuumed(tables, report, settings, dry_run)


def _set_properties(tables: Tables, report: TableReport, settings: Maintain, dry_run: bool) -> None:
    hours = settings.retention_hours
    wanted = {
        "delta.deletedFileRetentionDuration": f"interval {hours} hours",
        "delta.logRetentionDuration": f"interval {max(hours, 24 * LOG_DAYS)} hours",
    }
    held = report.before.properties
    if all(held.get(key) == value for key, value in wanted.items()):
        return
    report.done.append(f"{_will('set', dry_run)} retention")
    if not dry_run:
        tables.spark.sql(f"ALTER TABLE {tables.name(report.table)} SET {table_properties(wanted)}")


def _optimize(tables: Tables, report: TableReport, dry_run: bool) -> None:
    n_files = report.before.numFiles
    if n_files <= _partitions(tables, report, n_files) or _is_optimized(tables, report.table):
        return
    order = ORDERS.get(report.table)
    said = f"sort by {', '.join(order)}" if order else "pack"
    if not dry_run:
        by = f" ZORDER BY ({', '.join(order)})" if order else ""
        result = tables.spark.sql(f"OPTIMIZE {tables.name(report.table)}{by}").head(1)[0]
        if not result.metrics.numFilesAdded:  # the files already have the right size
            return
    report.done.append(_will(said, dry_run))


def _partitions(tables: Tables, report: TableReport, n_files: int) -> int:
    """Number of partitions with files; the table can't have fewer files."""
    columns = report.before.partitionColumns
    if n_files < 2 or not columns:
        return 1
    named = tables.spark.read.table(tables.name(report.table)).select(*columns)
    return int(named.distinct().count())


def _is_optimized(tables: Tables, table: str) -> bool:
    """Whether nothing was written since the last OPTIMIZE, so that another is unnecessary."""
    history = tables.spark.sql(f"DESCRIBE HISTORY {tables.name(table)} LIMIT {_HISTORY}")
    operations = [row.operation for row in history.select("operation").collect()]
    return next((name for name in operations if name not in _QUIET), None) == "OPTIMIZE"


def _vacuumed(
    tables: Tables, report: TableReport, settings: Maintain, dry_run: bool
) -> TableReport:
    """Removes old files, and reads the table's detail again."""
    hours = settings.retention_hours
    vacuum = f"VACUUM {tables.name(report.table)} RETAIN {hours} HOURS"
    n_old = tables.spark.sql(f"{vacuum} DRY RUN").count()
    if n_old:
        number = f"{n_old:,}{' or more' * (n_old >= _MOST_NAMED)}"
        report.done.append(_will(f"remove {number} old file{'s' * (n_old != 1)}", dry_run))
        if not dry_run:
            tables.spark.sql(vacuum)
    if report.done and not dry_run:
        report.after = _existing(tables, report.table)
    return report


def _sweep(tables: Tables, name: str, settings: Maintain, dry_run: bool) -> Iterator[TableReport]:
    """Empties a job's scratch, wherever this version and older ones have it."""
    places = [f"{PREFIX}{name}"] if tables.is_catalog else [f"{PREFIX}{name}", f"{FOLDER}/{name}"]
    for table in places:
        if before := tables.detail(table):
            yield _empty(tables, table, before, settings, dry_run)
    if isinstance(tables.scratch, ParquetScratch):
        n_files, n_bytes = tables.scratch.size(name)
        if n_files:
            files = Row(numFiles=n_files, sizeInBytes=n_bytes)
            report = TableReport(f"{FOLDER}/{name}", files, [_will("empty", dry_run)])
            if not dry_run:
                tables.unstage(name)
                report.after = Row(numFiles=0, sizeInBytes=0)
            yield report


def _empty(
    tables: Tables, name: str, before: Row, settings: Maintain, dry_run: bool
) -> TableReport:
    report = TableReport(name, before)
    if before.numFiles:
        report.done.append(_will("empty", dry_run))
        if not dry_run:
            tables.spark.sql(f"TRUNCATE TABLE {tables.name(name)}")
    return _vacuumed(tables, report, settings, dry_run)


def _will(what: str, dry_run: bool) -> str:
    return f"would {what}" if dry_run else what


def _existing(tables: Tables, table: str) -> Row:
    detail = tables.detail(table)
    assert detail is not None  # the table existed when maintenance began
    return detail
