"""Reads and writes tables: names, schema checks and transactions.

A table is written in two steps. A job first *stages* the rows of its one expensive pass and checks
its counts. Then it changes its part of each table, in one Delta transaction a table. A run that
fails before that changes no table. A run that is repeated leaves the tables unchanged.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from crossic_etl.driver_files import driver_path
from crossic_etl.schemas import REJECTS, RUNS, TABLES, Table
from crossic_etl.spark_errors import missing
from crossic_etl.tables import commits
from crossic_etl.tables.columns import (
    Scope,
    TableError,
    check_columns,
    condition,
)
from crossic_etl.tables.commits import Commit
from crossic_etl.tables.creation import create_table
from crossic_etl.tables.deletion_vectors import mark_if_large
from crossic_etl.tables.delta_scratch import DeltaScratch
from crossic_etl.tables.evolution import add_later_columns
from crossic_etl.tables.parquet_scratch import ParquetScratch
from crossic_etl.tables.staging import FOLDER, PREFIX, Chunk, Scratch
from crossic_etl.transforms.changes import GONE, NEW, mark_changes, select_gone, select_new


@dataclass(frozen=True)
class Tables:
    """All tables under one root: a folder, a URL of a Hadoop file system, or ``catalog.schema``.

    Attributes:
        spark: the session.
        root: the root.
        is_only_writer: nobody else writes under the root, so that what is known of a table is asked
            once, until this object writes to it.
    """

    spark: SparkSession
    root: str
    is_only_writer: bool = False
    _known: dict[str, Commit | None] = field(default_factory=dict, compare=False, repr=False)

    def name(self, table: str) -> str:
        """The SQL identifier of a table."""
        if self._is_catalog:
            return f"{self.root}.{table}"
        return f"delta.`{self.folder.replace('`', '``')}/{table}`"

    @property
    def folder(self) -> str:
        """The root as an absolute path or URL; Delta doesn't resolve relative ones."""
        root = self.root.rstrip("/") or "/"
        return root if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", root) else str(Path(root).absolute())

    @property
    def _is_catalog(self) -> bool:
        return re.fullmatch(r"[A-Za-z_]\w*\.[A-Za-z_]\w*", self.root) is not None

    @cached_property
    def _local(self) -> Path | None:
        """The root on this machine's disks, if it is there."""
        return None if self._is_catalog else driver_path(self.spark, self.folder)

    def read(self, table: Table) -> DataFrame:
        """The rows of a table.

        Raises:
            TableError: it doesn't exist yet, or its columns differ from its schema.
        """
        if (frame := self.find(table)) is None:
            raise TableError(
                f"table {table.name} isn't there yet under {self.root}: run its job first"
            )
        return frame

    def find(self, table: Table) -> DataFrame | None:
        """The rows of a table; None if it doesn't exist yet.

        Raises:
            TableError: its columns differ from its schema.
        """
        if not self._may_be_there(table.name):
            return None
        try:
            frame = self.spark.read.table(self.name(table.name))
            check_columns(frame, table)
        except AnalysisException as error:
            if missing(error):
                return None
            raise
        return frame

    def _may_be_there(self, name: str) -> bool:
        """False if a look at the disk shows that there is no table."""
        return self._local is None or self._newest(name) is not None

    def version(self, table: Table) -> int:
        """The Delta version that last changed a table's rows; maintenance doesn't count.

        Raises:
            TableError: it doesn't exist yet.
        """
        if (version := self.find_version(table)) is None:
            self.read(table)  # raises TableError
            raise TableError(f"table {table.name} has no version")
        return version

    def find_version(self, table: Table) -> int | None:
        """Like `version`; None if the table doesn't exist."""
        commit = self._newest(table.name)
        return None if commit is None else commit.version

    def _newest(self, name: str) -> Commit | None:
        """The transaction that last changed a table's rows; None if there is no table."""
        if self.is_only_writer and name in self._known:
            return self._known[name]
        folder = None if self._local is None else self._local / name
        found = commits.newest_commits(self.spark, self.name(name), folder, commits.RECENT)
        self._known[name] = commits.last_write(found)
        return self._known[name]

    def is_there(self, table: Table) -> bool:
        """Whether a table exists."""
        return self.has(table.name)

    def expect_some(self) -> None:
        """Refuses a root without tables, which is most likely the wrong root.

        Raises:
            TableError: there is none.
        """
        if not any(self.is_there(table) for table in TABLES.values()):
            raise TableError(f"there is no table under {self.root}: run the pipeline first")

    def has(self, name: str) -> bool:
        """Whether a table of this name exists."""
        return self._newest(name) is not None

    def detail(self, name: str) -> Row | None:
        """Delta's detail of a table: its files, bytes, properties and partitions."""
        if not self._may_be_there(name):
            return None
        try:
            rows = self.spark.sql(f"DESCRIBE DETAIL {self.name(name)}").head(1)
        except AnalysisException as error:
            if missing(error):
                return None
            raise
        return rows[0]

    def settings_fingerprints(self, table: Table) -> dict[str, str]:
        """The fingerprint of the settings that made the rows, for each part of a table.

        Parts whose rows an unknown version made have none, nor has a table that doesn't exist.
        """
        commit = self._newest(table.name)
        return commits.read_fingerprints(commit.metadata if commit else None)

    def _metadata(self, table: Table, fingerprints: Mapping[str, str] | None) -> str | None:
        """Metadata with the fingerprints of these parts; other parts keep theirs."""
        if fingerprints is None:
            return None
        return commits.write_fingerprints(self.settings_fingerprints(table) | dict(fingerprints))

    def read_version(self, table: Table, version: int) -> DataFrame:
        """The rows of a table at a Delta version, independent of later writes.

        Raises:
            TableError: it doesn't exist, or its columns differ from its schema.
        """
        frame = self.spark.sql(f"SELECT * FROM {self.name(table.name)} VERSION AS OF {version}")
        check_columns(frame, table)
        return frame

    def select(self, table: Table, scope: Scope) -> DataFrame:
        """The rows of a table that ``scope`` (column to values) names."""
        return self.read(table).where(condition(scope))

    def find_rows(self, table: Table, scope: Scope) -> DataFrame | None:
        """Like `select`; None if there is no such row or no table."""
        frame = self.find(table)
        rows = None if frame is None else frame.where(condition(scope))
        return None if rows is None or rows.isEmpty() else rows

    def select_if_there(self, table: Table, scope: Scope) -> DataFrame:
        """Like `select`; no rows of a table that doesn't exist yet."""
        frame = self.find(table)
        if frame is None:
            return self.spark.createDataFrame([], table.schema)
        return frame.where(condition(scope))

    def stage(
        self,
        job: str,
        frame: DataFrame,
        chunk: Chunk | None = None,
        partition_by: str | None = None,
    ) -> DataFrame:
        """Writes a frame to the job's scratch, over older rows, and reads it back.

        The first chunk of a pass replaces the older rows, and each other chunk is appended.
        """
        return self.scratch.write(job, frame, chunk, partition_by)

    def staged(self, job: str) -> DataFrame:
        """The rows of the job's scratch."""
        return self.scratch.read(job)

    def last_chunk(self, job: str) -> Chunk | None:
        """The chunk that was last written to the job's scratch, or None."""
        return self.scratch.last_chunk(job)

    def unstage(self, *jobs: str) -> None:
        """Empties these jobs' scratch, once its rows are in the tables."""
        for job in jobs:
            self.scratch.clear(job)

    @cached_property
    def scratch(self) -> Scratch:
        """Where rows are staged."""
        if self._local is not None:
            return ParquetScratch(self.spark, self._local / FOLDER)
        beside = PREFIX if self._is_catalog else f"{FOLDER}/"
        return DeltaScratch(self.spark, lambda job: self.name(f"{beside}{job}"))

    def replace(
        self,
        table: Table,
        frame: DataFrame,
        scope: Scope,
        settings_fingerprints: Mapping[str, str] | None = None,
    ) -> None:
        """Replaces, in one transaction, the rows that ``scope`` (column to values) names.

        ``settings_fingerprints`` has a fingerprint for each part that is written, by name.

        Raises:
            TableError: the frame's columns differ from the schema.
        """
        check_columns(frame, table)
        metadata = self._metadata(table, settings_fingerprints)
        if not self._prepare(table):
            self._create(table, frame, metadata)
            return
        writer = frame.writeTo(self.name(table.name))
        if metadata:
            writer = writer.option("userMetadata", metadata)
        writer.overwrite(condition(scope))
        self._forget(table)

    def update(
        self, table: Table, frame: DataFrame, scope: Scope, ignored: Sequence[str] = ()
    ) -> None:
        """Replaces the rows in ``scope`` by those of a frame; writes only the differences.

        Keys are unique in the frame. A row that differs only in ``ignored`` columns is kept. If
        nothing differs, the table keeps its version.

        Raises:
            TableError: the frame's columns differ from the schema.
        """
        check_columns(frame, table)
        if not self._prepare(table):
            self._create(table, frame)
            return
        held, scratch = self.select(table, scope), f"changes_of_{table.name}"
        marked = mark_changes(frame.select(table.columns), held, table, ignored)
        changes = self.stage(scratch, marked.where(F.col("change").isin(NEW, GONE)))
        self.merge(table, select_new(changes, table), select_gone(changes, table))
        self.unstage(scratch)

    def merge(
        self,
        table: Table,
        frame: DataFrame,
        gone: DataFrame,
        settings_fingerprints: Mapping[str, str] | None = None,
    ) -> None:
        """Adds rows, replaces those with the same key and removes the ``gone`` keys, in one commit.

        Keys are unique over both frames; ``gone`` has the table's key columns. If both are empty,
        the table keeps its version.

        Raises:
            TableError: the frame's columns differ from the schema.
        """
        check_columns(frame, table)
        metadata = self._metadata(table, settings_fingerprints)
        if not self._prepare(table):
            self._create(table, frame, metadata)
            return
        changes = frame.withColumn("is_gone", F.lit(False)).unionByName(
            gone.withColumn("is_gone", F.lit(True)), allowMissingColumns=True
        )
        if changes.isEmpty():
            return
        mark_if_large(self, table.name)
        view = f"changes_of_{table.name}"
        changes.createOrReplaceTempView(view)
        same_key = " AND ".join(f"old.`{name}` = new.`{name}`" for name in table.key)
        with commits.session_metadata(self.spark, metadata):
            self.spark.sql(
                f"MERGE INTO {self.name(table.name)} AS old USING {view} AS new ON {same_key} "
                "WHEN MATCHED AND new.is_gone THEN DELETE WHEN MATCHED THEN UPDATE SET * "
                "WHEN NOT MATCHED AND NOT new.is_gone THEN INSERT *"
            )
        self.spark.catalog.dropTempView(view)
        self._forget(table)

    def replace_rejects(
        self, table: str, frame: DataFrame, langs: Sequence[str], n_rows: int | None = None
    ) -> None:
        """Replaces the rows of ``rejects`` of one table and these languages by a frame.

        Without rejects there is no table. ``n_rows`` is the frame's number of rows, if it is known.
        """
        if not self.is_there(REJECTS) and (frame.isEmpty() if n_rows is None else not n_rows):
            return
        self.update(REJECTS, frame.select(REJECTS.columns), {"table": [table], "lang": langs})

    def append_run(self, row: Mapping[str, object]) -> None:
        """Adds one row to ``runs``."""
        frame = self.spark.createDataFrame([tuple(row[c] for c in RUNS.columns)], RUNS.schema)
        if not self._prepare(RUNS):
            self._create(RUNS, frame)
            return
        frame.writeTo(self.name(RUNS.name)).append()
        self._forget(RUNS)

    def create(self, table: Table) -> None:
        """Creates a table without rows if it doesn't exist."""
        if not self._prepare(table):
            self._create(table, self.spark.createDataFrame([], table.schema))

    def _prepare(self, table: Table) -> bool:
        """Whether a table exists; if so, it has the columns of later versions after the call."""
        if not self.is_there(table):
            return False
        check_columns(add_later_columns(self.spark, self.name(table.name), table), table)
        return True

    def _create(self, table: Table, frame: DataFrame, metadata: str | None = None) -> None:
        path = None if self._is_catalog else f"{self.folder}/{table.name}"
        create_table(frame, self.name(table.name), path, table, metadata)
        self._forget(table)

    def _forget(self, table: Table) -> None:
        self._known.pop(table.name, None)
