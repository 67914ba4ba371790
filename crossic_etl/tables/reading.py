"""Reads tables: their names, rows and versions, and what their log says of them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, Row, SparkSession

from crossic_etl.driver_files import driver_path
from crossic_etl.schemas import REJECTS, RUNS, TABLES, Table
from crossic_etl.spark_errors import missing
from crossic_etl.tables import commits
from crossic_etl.tables.columns import Scope, TableError, check_columns, condition
from crossic_etl.tables.commits import Commit


@dataclass(frozen=True)
class TableReader:
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
        if self.is_catalog:
            return f"{self.root}.{table}"
        return f"delta.`{self.folder.replace('`', '``')}/{table}`"

    @property
    def folder(self) -> str:
        """The root as an absolute path or URL; Delta doesn't resolve relative ones."""
        root = self.root.rstrip("/") or "/"
        return root if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", root) else str(Path(root).absolute())

    @property
    def is_catalog(self) -> bool:
        """Whether the root is a catalog's schema, and no folder."""
        return re.fullmatch(r"[A-Za-z_]\w*\.[A-Za-z_]\w*", self.root) is not None

    @cached_property
    def _local(self) -> Path | None:
        """The root on this machine's disks, if it is there."""
        return None if self.is_catalog else driver_path(self.spark, self.folder)

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

        There is no table ``rejects`` before the first reject; then it has no rows.

        Raises:
            TableError: its columns differ from its schema.
        """
        if not self._may_be_there(table.name):
            return self._absent(table)
        try:
            frame = self.spark.read.table(self.name(table.name))
            check_columns(frame, table)
        except AnalysisException as error:
            if missing(error):
                return self._absent(table)
            raise
        return frame

    def _absent(self, table: Table) -> DataFrame | None:
        if table.name == REJECTS.name and self.is_there(RUNS):
            return self.spark.createDataFrame([], table.schema)
        return None

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

    def bytes_on_disk(self, name: str) -> float:
        """At least the bytes of a table's files; infinity if this process can't see them."""
        if self._local is None:
            return math.inf
        return sum(path.stat().st_size for path in (self._local / name).rglob("*.parquet"))

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

    def select_if_there(self, table: Table, scope: Scope) -> DataFrame:
        """Like `select`; no rows of a table that doesn't exist yet."""
        frame = self.find(table)
        if frame is None:
            return self.spark.createDataFrame([], table.schema)
        return frame.where(condition(scope))
