"""The only reader and writer of tables: names, schema checks and transactions.

A table is written in two steps. A job *stages* what its one expensive pass makes, checks its
counts, and only then changes its part of each table, in one Delta transaction for each. A run that
fails before that leaves the tables as they were; a run that is repeated leaves them as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from crossic_etl.schemas import REJECTS, RUNS, TABLES, Table
from crossic_etl.spark_errors import missing
from crossic_etl.tables import commits, staging
from crossic_etl.tables.columns import (
    Scope,
    TableError,
    check_columns,
    condition,
)
from crossic_etl.tables.creation import create_table
from crossic_etl.tables.staging import Chunk
from crossic_etl.transforms.changes import DIFFERENT, mark_changes, select_gone, select_new


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
        """The Delta version that last changed the rows of a table; upkeep doesn't count.

        Raises:
            TableError: it doesn't exist yet.
        """
        if (version := self.find_version(table)) is None:
            self.read(table)  # says so
            raise TableError(f"table {table.name} has no version")
        return version

    def find_version(self, table: Table) -> int | None:
        """Like `version`; None where there is no such table."""
        commit = commits.last_write(self.spark, self.name(table.name))
        return None if commit is None else int(commit.version)

    def is_there(self, table: Table) -> bool:
        """Whether a table exists."""
        return self.has(table.name)

    def expect_some(self) -> None:
        """Refuses a root without any table: most likely another root was meant.

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

    def settings_fingerprints(self, table: Table) -> dict[str, str]:
        """The fingerprint of the settings that made the rows, for each part of a table.

        A part whose rows were made by an unknown version has none, as has a table that isn't there.
        """
        commit = commits.last_write(self.spark, self.name(table.name))
        return commits.read_fingerprints(commit.userMetadata if commit else None)

    def _metadata(self, table: Table, fingerprints: Mapping[str, str] | None) -> str | None:
        """Metadata with the fingerprints of these parts, and those of the others as they are."""
        if fingerprints is None:
            return None
        return commits.write_fingerprints(self.settings_fingerprints(table) | dict(fingerprints))

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
        chunk: Chunk | None = None,
        partition_by: str | None = None,
    ) -> DataFrame:
        """Writes a frame to the job's scratch table, over an older one, and reads it back.

        Of a pass in chunks the first replaces what is there, and each other is added to it.
        """
        staging.write_scratch(frame, self._scratch(job), chunk, partition_by)
        return self.staged(job)

    def staged(self, job: str) -> DataFrame:
        """The rows of the job's scratch table."""
        return self.spark.read.table(self._scratch(job))

    def last_chunk(self, job: str) -> Chunk | None:
        """The chunk that was last written to the job's scratch table; None where none was."""
        return staging.last_chunk(self.spark, self._scratch(job))

    def unstage(self, job: str) -> None:
        """Empties the job's scratch table: its rows are in the tables now."""
        self.spark.sql(f"TRUNCATE TABLE {self._scratch(job)}")

    def _scratch(self, job: str) -> str:
        return self.name(f"{staging.PREFIX}{job}")

    def replace(
        self,
        table: Table,
        frame: DataFrame,
        scope: Scope,
        settings_fingerprints: Mapping[str, str] | None = None,
    ) -> None:
        """Replaces, in one transaction, the rows that ``scope`` (column to values) names.

        ``settings_fingerprints`` has those of the parts that are written, by the part's name.

        Raises:
            TableError: the frame's columns aren't the contract's.
        """
        check_columns(frame, table)
        self._create(table)
        writer = frame.writeTo(self.name(table.name))
        if metadata := self._metadata(table, settings_fingerprints):
            writer = writer.option("userMetadata", metadata)
        writer.overwrite(condition(scope))

    def update(
        self, table: Table, frame: DataFrame, scope: Scope, ignored: Sequence[str] = ()
    ) -> None:
        """Makes the rows that ``scope`` names those of a frame; writes only what differs.

        Keys are unique in the frame. A row that differs only in ``ignored`` columns stays as it is.
        Where nothing differs, the table keeps its version.

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
        settings_fingerprints: Mapping[str, str] | None = None,
    ) -> None:
        """Adds rows, replaces those with their key and removes the keys in ``gone``, in one commit.

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
        metadata = self._metadata(table, settings_fingerprints)
        with commits.session_metadata(self.spark, metadata):
            self.spark.sql(
                f"MERGE INTO {self.name(table.name)} AS old USING {view} AS new ON {same_key} "
                "WHEN MATCHED AND new.is_gone THEN DELETE WHEN MATCHED THEN UPDATE SET * "
                "WHEN NOT MATCHED AND NOT new.is_gone THEN INSERT *"
            )
        self.spark.catalog.dropTempView(view)

    def replace_rejects(self, table: str, frame: DataFrame, langs: Sequence[str]) -> None:
        """Makes the rows of ``rejects`` of one table and these languages those of a frame."""
        self.update(REJECTS, frame.select(REJECTS.columns), {"table": [table], "lang": langs})

    def append_run(self, row: Mapping[str, object]) -> None:
        """Adds one row to ``runs``."""
        self._create(RUNS)
        frame = self.spark.createDataFrame([tuple(row[c] for c in RUNS.columns)], RUNS.schema)
        frame.writeTo(self.name(RUNS.name)).append()

    def _create(self, table: Table) -> None:
        path = f"{self.folder}/{table.name}"
        check_columns(create_table(self.spark, self.name(table.name), path, table), table)
