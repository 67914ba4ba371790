"""The only reader and writer of tables: names, schema checks and transactions.

A table is written in two steps. A job *stages* what its one expensive pass makes, checks its
counts, and only then changes its part of each table, in one Delta transaction for each: a run that
fails before leaves the tables as they were, and a run repeated leaves them as they are.

Which settings made a table's rows stands in the transaction that wrote them (Delta's user
metadata), so that no run that died can leave rows of one kind beside a note of another.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from crossic_etl.schemas import REJECTS, RUNS, TABLES, Table
from crossic_etl.spark_errors import missing
from crossic_etl.tables.evolution import add_later_columns
from crossic_etl.transforms.changes import DIFFERENT, mark_changes, select_gone, select_new

USER_METADATA = "spark.databricks.delta.commitInfo.userMetadata"
# Transactions that leave the rows as they are, and how many of them may follow each other.
UPKEEP = (
    *("OPTIMIZE", "REORG", "VACUUM START", "VACUUM END", "SET TBLPROPERTIES", "ADD COLUMNS"),
    *("COMPUTE STATS", "ANALYZE TABLE", "UPGRADE PROTOCOL"),
)
RECENT = 30
# ``runs`` and exports name the versions that they read, and the log says what made a table's rows:
# without that the next month's run makes them all anew.
LOG_DAYS = 100
# A merge marks the rows that it replaces instead of writing their neighbours anew.
PROPERTIES = {
    "delta.enableDeletionVectors": "true",
    "delta.logRetentionDuration": f"interval {LOG_DAYS} days",
}

Scope = Mapping[str, Sequence[str | int]]


class Unit(NamedTuple):
    """One of the transactions in which a long pass is staged, in their order from 0.

    ``staging`` is a name that this staging alone has, ``made_of`` a digest of what decides the rows
    of its units.
    """

    staging: str
    made_of: str
    number: int


class TableError(RuntimeError):
    """A table is missing, or a frame isn't what its contract says."""


@dataclass(frozen=True)
class Tables:
    """All tables under one root: a folder, a URL of a Hadoop file system, or ``catalog.schema``."""

    spark: SparkSession
    root: str

    def name(self, table: str) -> str:
        """The SQL identifier of a table."""
        if re.fullmatch(r"[A-Za-z_]\w*\.[A-Za-z_]\w*", self.root):
            return f"{self.root}.{table}"
        return f"delta.`{self.folder.replace('`', '``')}/{table}`"

    @property
    def folder(self) -> str:
        """The root as an absolute path or URL: Delta takes no other for a name."""
        root = self.root.rstrip("/") or "/"
        return root if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", root) else str(Path(root).absolute())

    def read(self, table: Table) -> DataFrame:
        """The rows of a table.

        Raises:
            TableError: it doesn't exist yet, or its columns aren't the contract's.
        """
        if (frame := self.find(table)) is None:
            raise TableError(
                f"table {table.name} isn't there yet under {self.root}: run its job first"
            )
        return frame

    def find(self, table: Table) -> DataFrame | None:
        """The rows of a table; None where it doesn't exist yet.

        Raises:
            TableError: its columns aren't the contract's.
        """
        try:
            frame = self.spark.read.table(self.name(table.name))
            check_columns(frame, table)
        except AnalysisException as error:
            if missing(error):
                return None
            raise
        return frame

    def version(self, table: Table) -> int:
        """The Delta version that wrote the rows which a table has: upkeep is none.

        Raises:
            TableError: it doesn't exist yet.
        """
        if (version := self.find_version(table)) is None:
            self.read(table)  # says so
            raise TableError(f"table {table.name} has no version")
        return version

    def find_version(self, table: Table) -> int | None:
        """Like `version`; None where there is no such table."""
        commit = self._last_commit(table)
        return None if commit is None else int(commit.version)

    def is_there(self, table: Table) -> bool:
        """Whether a table exists."""
        return self.has(table.name)

    def expect_some(self) -> None:
        """Refuses a root without any table: more likely than not another one was meant.

        Raises:
            TableError: there is none.
        """
        if not any(self.is_there(table) for table in TABLES.values()):
            raise TableError(f"there is no table under {self.root}: run the pipeline first")

    def has(self, name: str) -> bool:
        """Whether there is a table of this name."""
        return self.detail(name) is not None

    def detail(self, name: str) -> Row | None:
        """What Delta says of a table of this name: its files, bytes, properties and partitions."""
        try:
            rows = self.spark.sql(f"DESCRIBE DETAIL {self.name(name)}").head(1)
        except AnalysisException as error:
            if missing(error):
                return None
            raise
        return rows[0]

    def made_with(self, table: Table) -> dict[str, str]:
        """The digest of the settings that made the rows, for each part of a table.

        A part without one, or a table that isn't there, has rows of unknown make, or none.
        """
        commit = self._last_commit(table)
        try:
            made = json.loads(commit.userMetadata) if commit and commit.userMetadata else {}
        except ValueError:  # somebody else's
            return {}
        parts = made.get("made_with", {}) if isinstance(made, dict) else {}
        return {str(part): str(digest) for part, digest in parts.items()}

    def _last_commit(self, table: Table) -> Row | None:
        rows = self._newest(table.name, RECENT)
        written = [row for row in rows if row.operation not in UPKEEP]
        return max(written or rows, key=lambda row: int(row.version), default=None)

    def _newest(self, name: str, n: int) -> list[Row]:
        """The last ``n`` transactions of a table; none where it isn't there."""
        try:
            history = self.spark.sql(f"DESCRIBE HISTORY {self.name(name)} LIMIT {n}")
            rows: list[Row] = history.select("version", "operation", "userMetadata").collect()
        except AnalysisException as error:
            if missing(error):
                return []
            raise
        return rows

    @contextmanager
    def _noting(self, table: Table, made_with: Mapping[str, str] | None) -> Iterator[None]:
        """What is written of a table inside carries these digests, beside those of other parts."""
        if made_with is None:
            yield
            return
        parts = self.made_with(table) | dict(made_with)
        self.spark.conf.set(USER_METADATA, json.dumps({"made_with": parts}, sort_keys=True))
        try:
            yield
        finally:
            self.spark.conf.unset(USER_METADATA)

    def read_version(self, table: Table, version: int) -> DataFrame:
        """The rows of a table as they were at a Delta version, whatever is written meanwhile.

        Raises:
            TableError: it doesn't exist, or its columns aren't the contract's.
        """
        frame = self.spark.sql(f"SELECT * FROM {self.name(table.name)} VERSION AS OF {version}")
        check_columns(frame, table)
        return frame

    def select(self, table: Table, scope: Scope) -> DataFrame:
        """The rows of a table that ``scope`` (column to values) names."""
        return self.read(table).where(condition(scope))

    def find_rows(self, table: Table, scope: Scope) -> DataFrame | None:
        """Like `select`; None where there is no such row, or no table."""
        frame = self.find(table)
        rows = None if frame is None else frame.where(condition(scope))
        return None if rows is None or rows.isEmpty() else rows

    def select_or_create(self, table: Table, scope: Scope) -> DataFrame:
        """Like `select`; a table that isn't there yet is made, without rows."""
        self._create(table)
        return self.select(table, scope)

    def stage(
        self,
        job: str,
        frame: DataFrame,
        unit: Unit | None = None,
        partition_by: str | None = None,
    ) -> DataFrame:
        """Writes a frame to the job's scratch table, over an older one, and reads it back.

        Of a pass in units the first is written so, and each other is added to those before it.
        """
        writer = frame.writeTo(self.name(f"staging_{job}"))
        if unit is not None:
            writer = writer.option("userMetadata", json.dumps(unit))
        if partition_by is not None:
            writer = writer.partitionedBy(F.col(partition_by))
        if unit is None or unit.number == 0:
            writer.using("delta").createOrReplace()
        else:
            once = {"txnAppId": unit.staging, "txnVersion": str(unit.number)}
            writer.options(**once).append()
        return self.staged(job)

    def staged(self, job: str) -> DataFrame:
        """The rows of the job's scratch table."""
        return self.spark.read.table(self.name(f"staging_{job}"))

    def last_unit(self, job: str) -> Unit | None:
        """The unit that was last written to the job's scratch table; None where none was."""
        commit = self._newest(f"staging_{job}", 1)
        try:
            return Unit(*json.loads(commit[0].userMetadata)) if commit else None
        except (TypeError, ValueError):  # no unit's
            return None

    def unstage(self, job: str) -> None:
        """Empties the job's scratch table: its rows are in the tables now."""
        name = self.name(f"staging_{job}")
        self.spark.sql(f"TRUNCATE TABLE {name}")

    def replace(
        self,
        table: Table,
        frame: DataFrame,
        scope: Scope,
        made_with: Mapping[str, str] | None = None,
    ) -> None:
        """Replaces, in one transaction, the rows that ``scope`` (column to values) names.

        Raises:
            TableError: the frame's columns aren't the contract's.
        """
        check_columns(frame, table)
        self._create(table)
        with self._noting(table, made_with):
            frame.writeTo(self.name(table.name)).overwrite(condition(scope))

    def update(
        self, table: Table, frame: DataFrame, scope: Scope, ignored: Sequence[str] = ()
    ) -> None:
        """Makes the rows that ``scope`` names those of a frame, touching only what is different.

        Keys are unique in the frame. Where only ``ignored`` columns differ, what is held stays; and
        where nothing differs, the table keeps its version.

        Raises:
            TableError: the frame's columns aren't the contract's.
        """
        check_columns(frame, table)
        if (held := self.find_rows(table, scope)) is None:
            self._create(table)
            if not frame.isEmpty():
                frame.writeTo(self.name(table.name)).append()
            return
        marked = mark_changes(frame.select(table.columns), held, table, ignored)
        changes = self.stage(f"changes_of_{table.name}", marked.where(DIFFERENT))
        self.merge(table, select_new(changes, table), select_gone(changes, table))
        self.unstage(f"changes_of_{table.name}")

    def merge(
        self,
        table: Table,
        frame: DataFrame,
        gone: DataFrame,
        made_with: Mapping[str, str] | None = None,
    ) -> None:
        """Adds rows or replaces those with their key, and removes the keys in ``gone``, at once.

        Keys are unique over both frames; ``gone`` has the table's key columns. Without a row in
        either the table keeps its version.

        Raises:
            TableError: the frame's columns aren't the contract's.
        """
        check_columns(frame, table)
        self._create(table)
        if frame.isEmpty() and gone.isEmpty():
            return
        changes = frame.withColumn("is_gone", F.lit(False)).unionByName(
            gone.withColumn("is_gone", F.lit(True)), allowMissingColumns=True
        )
        view = f"changes_of_{table.name}"
        changes.createOrReplaceTempView(view)
        same_key = " AND ".join(f"old.`{name}` = new.`{name}`" for name in table.key)
        with self._noting(table, made_with):
            self.spark.sql(
                f"MERGE INTO {self.name(table.name)} AS old USING {view} AS new ON {same_key} "
                "WHEN MATCHED AND new.is_gone THEN DELETE WHEN MATCHED THEN UPDATE SET * "
                "WHEN NOT MATCHED AND NOT new.is_gone THEN INSERT *"
            )
        self.spark.catalog.dropTempView(view)

    def replace_rejects(self, table: str, frame: DataFrame, langs: Sequence[str]) -> None:
        """Makes what ``rejects`` holds of one table and these languages the rows of a frame."""
        self.update(REJECTS, frame.select(REJECTS.columns), {"table": [table], "lang": langs})

    def append_run(self, row: Mapping[str, object]) -> None:
        """Adds one row to ``runs``."""
        self._create(RUNS)
        frame = self.spark.createDataFrame([tuple(row[c] for c in RUNS.columns)], RUNS.schema)
        frame.writeTo(self.name(RUNS.name)).append()

    def _create(self, table: Table) -> None:
        columns = ", ".join(
            f"`{field.name}` {field.dataType.simpleString()}{'' if field.nullable else ' NOT NULL'}"
            for field in table.schema
        )
        partitions = ", ".join(f"`{name}`" for name in table.partition_by)
        declared = (
            f"{self.name(table.name)} ({columns}) USING delta"
            + (f" PARTITIONED BY ({partitions})" if partitions else "")
            + f" {table_properties(PROPERTIES)}"
        )
        self.spark.sql(f"CREATE TABLE IF NOT EXISTS {declared}")
        try:
            frame = add_later_columns(self.spark, self.name(table.name), table)
        except AnalysisException as error:
            if not missing(error):
                raise
            self.begin(table.name, self.spark.createDataFrame([], table.schema))
            self.spark.sql(f"REPLACE TABLE {declared}")
            frame = self.spark.read.table(self.name(table.name))
        check_columns(frame, table)

    def begin(
        self, name: str, frame: DataFrame, properties: Mapping[str, str] = PROPERTIES
    ) -> None:
        """Makes a table of a folder in which a first transaction never came to its end.

        Delta takes what a run that died there left for a table, so it creates none, and then finds
        none. A writer that is given the path looks into the log, and begins one.

        Raises:
            AnalysisException: there is a table.
        """
        frame.write.format("delta").options(**properties).save(f"{self.folder}/{name}")


def table_properties(properties: Mapping[str, str]) -> str:
    """The SQL clause that gives a table these properties."""
    pairs = ", ".join(f"'{key}' = '{value}'" for key, value in properties.items())
    return f"TBLPROPERTIES ({pairs})"


def condition(scope: Scope) -> Column:
    """Whether a row is one that ``scope`` names."""
    fits = F.lit(True)
    for column, values in scope.items():
        fits = fits & F.col(column).isin(list(values))
    return fits


def check_columns(frame: DataFrame, table: Table) -> None:
    """Refuses a frame whose columns or types aren't the table's.

    Raises:
        TableError: names what is missing, what is too many, and what has another type.
    """
    present = {field.name: bare(field.dataType) for field in frame.schema}
    wanted = {field.name: bare(field.dataType) for field in table.schema}
    wrong = [
        f"{name}: {present.get(name, 'missing')}, should be {wanted.get(name, 'absent')}"
        for name in [*wanted, *(present.keys() - wanted.keys())]
        if present.get(name) != wanted.get(name)
    ]
    if wrong:
        raise TableError(f"table {table.name}: " + "; ".join(wrong))


def bare(kind: T.DataType) -> str:
    """A type's name without nullability, which Delta keeps for columns only."""
    return kind.simpleString()
