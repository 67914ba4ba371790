"""Writes tables: scratch, schema checks and transactions.

A table is written in two steps. A job first *stages* the rows of its one expensive pass and checks
its counts. Then it changes its part of each table, in one Delta transaction a table. A run that
fails before that changes no table. A run that is repeated leaves the tables unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from crossic_etl.schemas import REJECTS, RUNS, Table
from crossic_etl.tables import commits
from crossic_etl.tables.columns import Scope, check_columns, condition
from crossic_etl.tables.counting import ROWS, count_now, observe_counts
from crossic_etl.tables.creation import create_table
from crossic_etl.tables.deletion_vectors import mark_if_large
from crossic_etl.tables.delta_scratch import DeltaScratch
from crossic_etl.tables.evolution import add_later_columns
from crossic_etl.tables.parquet_scratch import ParquetScratch
from crossic_etl.tables.reading import TableReader
from crossic_etl.tables.staging import FOLDER, PREFIX, Chunk, Scratch
from crossic_etl.transforms.changes import GONE, NEW, SAME, mark_changes, select_gone, select_new


@dataclass(frozen=True)
class Tables(TableReader):
    """The tables under one root, to read and to write."""

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

    def stage_counted(
        self, job: str, frame: DataFrame, counts: Mapping[str, Column] | None = None
    ) -> tuple[DataFrame, dict[str, int]]:
        """Like `stage`; also gives the number of rows as ``rows``, and these aggregates of them."""
        observed, counted = observe_counts(frame, counts)
        staged = self.stage(job, observed)
        return staged, counted() or count_now(staged, counts)

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
        beside = PREFIX if self.is_catalog else f"{FOLDER}/"
        return DeltaScratch(self.spark, lambda job: self.name(f"{beside}{job}"))

    def replace(
        self,
        table: Table,
        frame: DataFrame,
        scope: Scope,
        settings_fingerprints: Mapping[str, str] | None = None,
    ) -> int:
        """Replaces, in one transaction, the rows that ``scope`` (column to values) names.

        Returns the number of rows written. ``settings_fingerprints`` has a fingerprint for each
        part that is written, by name.

        Raises:
            TableError: the frame's columns differ from the schema.
        """
        check_columns(frame, table)
        metadata = self._metadata(table, settings_fingerprints)
        if not self._prepare(table):
            return self._create(table, frame, metadata)
        observed, counted = observe_counts(frame)
        writer = observed.writeTo(self.name(table.name))
        if metadata:
            writer = writer.option("userMetadata", metadata)
        writer.overwrite(condition(scope))
        self._forget(table)
        written = counted() or count_now(self.select(table, scope))
        return written[ROWS]

    def update(
        self, table: Table, frame: DataFrame, scope: Scope, ignored: Sequence[str] = ()
    ) -> int:
        """Replaces the rows in ``scope`` by those of a frame; writes only the differences.

        Returns the number of rows in ``scope``, as they are then. Keys are unique in the frame. A
        row that differs only in ``ignored`` columns is kept. If nothing differs, the table keeps
        its version.

        Raises:
            TableError: the frame's columns differ from the schema.
        """
        check_columns(frame, table)
        if not self._prepare(table):
            return self._create(table, frame)
        held, scratch = self.select(table, scope), f"changes_of_{table.name}"
        marked = mark_changes(frame.select(table.columns), held, table, ignored)
        of_change = {name: F.count_if(F.col("change") == name) for name in (SAME, NEW, GONE)}
        observed, counted = observe_counts(marked, of_change)
        changes = self.stage(scratch, observed.where(F.col("change") != SAME))
        counts = counted()
        new, gone = select_new(changes, table), select_gone(changes, table)
        n_changes = None if counts is None else counts[NEW] + counts[GONE]
        self.merge(table, new, gone, n_changes=n_changes)
        self.unstage(scratch)
        if counts is None:
            return count_now(self.select(table, scope))[ROWS]
        return counts[SAME] + counts[NEW]

    def merge(
        self,
        table: Table,
        frame: DataFrame,
        gone: DataFrame,
        settings_fingerprints: Mapping[str, str] | None = None,
        n_changes: int | None = None,
    ) -> None:
        """Adds rows, replaces those with the same key and removes the ``gone`` keys, in one commit.

        Keys are unique over both frames; ``gone`` has the table's key columns. If both are empty,
        the table keeps its version. ``n_changes`` is their number of rows, if it is known.

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
        if n_changes == 0 or (n_changes is None and changes.isEmpty()):
            return
        mark_if_large(self, table.name)
        view = f"changes_of_{table.name}"
        changes.createOrReplaceTempView(view)
        same_key = " AND ".join(f"old.`{name}` = new.`{name}`" for name in table.key)
        with commits.merge_settings(self.spark, metadata):
            self.spark.sql(
                f"MERGE INTO {self.name(table.name)} AS old USING {view} AS new ON {same_key} "
                "WHEN MATCHED AND new.is_gone THEN DELETE WHEN MATCHED THEN UPDATE SET * "
                "WHEN NOT MATCHED AND NOT new.is_gone THEN INSERT *"
            )
        self.spark.catalog.dropTempView(view)
        self._forget(table)

    def replace_rejects(
        self, table: str, frame: DataFrame, langs: Sequence[str], has_rows: bool = True
    ) -> None:
        """Replaces the rows of ``rejects`` of one table and these languages by a frame.

        Without any reject there is no table. ``has_rows`` is false if the frame is known to be
        empty.
        """
        if not has_rows and table not in self._tables_with_rejects:
            return
        if not self.is_there(REJECTS):
            scratch = f"changes_of_{REJECTS.name}"
            staged, counts = self.stage_counted(scratch, frame.select(REJECTS.columns))
            if counts[ROWS]:
                self._create(REJECTS, staged)
            self.unstage(scratch)
            return
        self.update(REJECTS, frame.select(REJECTS.columns), {"table": [table], "lang": langs})

    @cached_property
    def _tables_with_rejects(self) -> set[str]:
        """The tables that have rejects, when it is first asked for; each job has a table's."""
        if not self.is_there(REJECTS):
            return set()
        named = self.read(REJECTS).select("table").distinct()
        return {row.table for row in named.collect()}

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

    def _create(self, table: Table, frame: DataFrame, metadata: str | None = None) -> int:
        path = None if self.is_catalog else f"{self.folder}/{table.name}"
        observed, counted = observe_counts(frame)
        create_table(observed, self.name(table.name), path, table, metadata)
        self._forget(table)
        return (counted() or count_now(self.read(table)))[ROWS]

    def _metadata(self, table: Table, fingerprints: Mapping[str, str] | None) -> str | None:
        """Metadata with the fingerprints of these parts; other parts keep theirs."""
        if fingerprints is None:
            return None
        return commits.write_fingerprints(self.settings_fingerprints(table) | dict(fingerprints))

    def _forget(self, table: Table) -> None:
        self._known.pop(table.name, None)
