"""Plans which crawl files a run reads, from the record of files that earlier runs have read.

Each run reads a batch of files. The batch's rows of ``crawl_files`` are a checkpoint: they are
written before any other table is changed, and again with ``is_done`` once all tables are complete.
Until then the batch's rows of ``crawl_texts`` and ``near_duplicate_links`` are ignored. The next
run takes the same number and overwrites them. So a run that dies loses the time for reading its
files, and no record is counted twice.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pyspark.sql import DataFrame, Row

from crossic_etl.inputs.crawl import CrawlFiles
from crossic_etl.schemas import CRAWL_FILES, CRAWL_TEXTS, NEAR_DUPLICATE_LINKS
from crossic_etl.tables import Scope, TableError, Tables
from crossic_etl.tables.checkpoint import Checkpoint
from crossic_etl.tables.evolution import RENAMED, has_old_name
from crossic_etl.transforms.documents import finish_files

log = logging.getLogger(__name__)


class CrawlFile(NamedTuple):
    """The state of a file: it is unchanged if all of these are equal.

    Attributes:
        bytes: its size.
        modified: milliseconds since 1970.
        readings: JSON of format, fields and dump; a line for each source that has the file.
    """

    bytes: int
    modified: int
    readings: str


@dataclass(frozen=True)
class CrawlPlan:
    """The files that a run has to read.

    Attributes:
        unread: paths of the files to read.
        batch: the number of this batch.
        done: numbers of the completed batches; none if all files are read again.
        n_documents: rows of ``documents`` after the last completed batch; None without one.
        reason: why all files are read again, if some were read before.
    """

    unread: frozenset[str]
    batch: int
    done: tuple[int, ...] = ()
    n_documents: int | None = None
    reason: str | None = None

    @property
    def is_full(self) -> bool:
        """Whether all files are read, because no completed batch counts."""
        return not self.done

    @property
    def takes_back(self) -> bool:
        """True if files already ingested must be invalidated before this batch writes."""
        return bool(self.reason) or (not self.is_full and bool(self.unread))

    @property
    def scope(self) -> Scope:
        """Scope of the rows that this batch replaces."""
        return {} if self.is_full else {"batch": [self.batch]}

    @property
    def stale(self) -> Scope:
        """Scope of the rows that this batch replaces in a table where each batch has the rows of
        all texts: all batches but the last completed one.
        """
        kept = max(self.done, default=None)
        return {} if kept is None else {"batch": [*range(1, kept), self.batch]}


def describe_files(sources: Sequence[CrawlFiles]) -> dict[str, CrawlFile]:
    """The state of each file, by path."""
    readings: dict[str, set[str]] = {}
    for files in sources:
        for path in files.sizes:
            readings.setdefault(path, set()).add(files.reading)
    return {
        path: CrawlFile(size, files.times[path], "\n".join(sorted(readings[path])))
        for files in sources
        for path, size in files.sizes.items()
    }


def plan_batch(files: Mapping[str, CrawlFile], rows: Sequence[Row], settings: str) -> CrawlPlan:
    """The files to read; ``rows`` of ``crawl_files`` say which were read before.

    All files are read again if the settings changed, or if a file that was read has changed or is
    gone: its documents can't be told apart from their copies in other files.
    """
    done = [row for row in rows if row.is_done]
    if not done:
        return CrawlPlan(frozenset(files), 1)
    if reason := _why_all(files, rows, settings):
        return CrawlPlan(frozenset(files), 1, reason=reason)
    last = max(done, key=lambda row: int(row.batch))
    batches = tuple(sorted({int(row.batch) for row in done}))
    unread = files.keys() - {row.path for row in done}
    return CrawlPlan(frozenset(unread), last.batch + 1, batches, last.n_documents)


def _why_all(files: Mapping[str, CrawlFile], rows: Sequence[Row], settings: str) -> str | None:
    if any(row.settings != settings for row in rows if row.is_done):
        return "other settings (languages, seed, rules of crawl, or the files that they name)"
    gone = [row.path for row in rows if row.path not in files]
    changed = [
        row.path
        for row in rows
        if row.path in files and files[row.path] != CrawlFile(row.bytes, row.modified, row.readings)
    ]
    for paths, what in ((gone, "gone"), (changed, "changed, or read in another way")):
        if paths:
            return f"{len(paths)} of the files that were read, as {min(paths)}, {what}"
    return None


@dataclass(frozen=True)
class CrawlBatch:
    """All files of all sources, and the batch that a run reads.

    Attributes:
        tables: the root that has ``crawl_files``.
        sources: the files of each source.
        files: the state of all files, by path.
        settings: fingerprint of the settings that determine which documents are kept.
        plan: the files that the run has to read.
    """

    tables: Tables
    sources: Sequence[CrawlFiles]
    files: Mapping[str, CrawlFile]
    settings: str
    plan: CrawlPlan

    def unread(self) -> list[CrawlFiles]:
        """The sources, each with the files to read only."""
        return [files.only(self.plan.unread) for files in self.sources]

    def begin(self) -> None:
        """Marks the batch as unfinished; to be called before any other table is changed.

        Writes nothing if no files were read before.
        """
        self._checkpoint.begin(self._rows())

    def finish(self, counts: DataFrame, n_documents: int) -> None:
        """Marks the batch as complete; to be called once all other tables have its rows."""
        if self.plan.unread or self.plan.is_full:
            self._checkpoint.finish(finish_files(self._rows(), counts, n_documents))

    @property
    def _checkpoint(self) -> Checkpoint:
        return Checkpoint(
            tables=self.tables,
            table=CRAWL_FILES,
            scope=self.plan.scope,
            invalidates=self.plan.takes_back,
        )

    def _rows(self) -> DataFrame:
        rows = [
            (path, file.bytes, file.modified, file.readings, self.settings, self.plan.batch, False)
            for path, file in sorted(self.files.items())
            if path in self.plan.unread
        ]
        unknown: tuple[int, dict[str, int]] = (0, {})
        spark = self.tables.spark
        return spark.createDataFrame([(*row, *unknown) for row in rows], CRAWL_FILES.schema)


def open_batch(tables: Tables, sources: Sequence[CrawlFiles], settings: str) -> CrawlBatch:
    """Compares the sources' files with those that were read, and plans the next batch.

    The driver holds both lists in memory, as Spark does with the paths to read.

    Raises:
        TableError: a table has the name that an older version gave it.
    """
    refuse_old_names(tables)
    files = describe_files(sources)
    rows = tables.select_if_there(CRAWL_FILES, {}).drop("counts").collect()
    plan = plan_batch(files, rows, settings)
    lost = [t.name for t in (CRAWL_TEXTS, NEAR_DUPLICATE_LINKS) if tables.find(t) is None]
    if not plan.is_full and lost:
        plan = CrawlPlan(frozenset(files), 1, reason=f"there is no table {lost[0]}")
    if plan.reason:
        log.info("documents: all files are read anew: %s", plan.reason)
    return CrawlBatch(tables, sources, files, settings, plan)


def refuse_old_names(tables: Tables) -> None:
    """Refuses a root of an older version until ``maintain`` has renamed its tables.

    Raises:
        TableError: there are rows under an old name.
    """
    for old, table in RENAMED.items():
        if has_old_name(tables, old):
            raise TableError(
                f"table {old} under {tables.root} is called {table.name} now: run maintain first"
            )
