"""Which crawl files were read already, as what and under which rules, and what a run has to read.

Files are read in batches, a batch by a run. Its rows of ``crawl_files`` are written twice: before
any other table is touched, and with ``is_done`` once all of them are right. What a batch left in
``crawl_texts`` and ``near_copy_links`` counts for nothing until then, and the next run takes its
number and writes over it. So a run that dies costs the reading of its files, and nothing is counted
twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pyspark.sql import DataFrame, Row

from crossic_etl.inputs.crawl import CrawlFiles
from crossic_etl.schemas import CRAWL_FILES, CRAWL_TEXTS, NEAR_COPY_LINKS
from crossic_etl.tables import Scope, Tables
from crossic_etl.transforms.documents import finish_files


class CrawlFile(NamedTuple):
    """What tells that a file is as it was, and is read as it was."""

    bytes: int
    modified: int
    readings: str


@dataclass(frozen=True)
class Plan:
    """What a run has to read.

    Attributes:
        unread: paths of the files.
        batch: their number.
        done: the numbers of the batches whose rows hold; none where everything is read anew.
        n_documents: the rows of ``documents`` that the last batch left; None without one.
        reason: why everything is read anew, though something was read before.
    """

    unread: frozenset[str]
    batch: int
    done: tuple[int, ...] = ()
    n_documents: int | None = None
    reason: str | None = None

    @property
    def is_full(self) -> bool:
        """Whether nothing of what was read before holds."""
        return not self.done

    @property
    def takes_back(self) -> bool:
        """Whether rows that hold until now, or may be in tables by now, depend on this batch."""
        return bool(self.reason) or (not self.is_full and bool(self.unread))

    @property
    def scope(self) -> Scope:
        """The rows that this batch's take the place of."""
        return {} if self.is_full else {"batch": [self.batch]}

    @property
    def stale(self) -> Scope:
        """The rows that it takes the place of where each batch has everything: not the last's."""
        kept = max(self.done, default=None)
        return {} if kept is None else {"batch": [*range(1, kept), self.batch]}


def describe_files(sources: Sequence[CrawlFiles]) -> dict[str, CrawlFile]:
    """Each file by its path."""
    readings: dict[str, set[str]] = {}
    for files in sources:
        for path in files.sizes:
            readings.setdefault(path, set()).add(files.reading)
    return {
        path: CrawlFile(size, files.times[path], "\n".join(sorted(readings[path])))
        for files in sources
        for path, size in files.sizes.items()
    }


def plan_batch(files: Mapping[str, CrawlFile], rows: Sequence[Row], settings: str) -> Plan:
    """What to read of ``files``, where ``rows`` of ``crawl_files`` say what was read.

    Everything, where a file that was read is gone or another, for what it gave can't be told from
    what its copies gave; or where the settings are others.
    """
    done = [row for row in rows if row.is_done]
    if not done:
        return Plan(frozenset(files), 1)
    if reason := _why_all(files, rows, settings):
        return Plan(frozenset(files), 1, reason=reason)
    last = max(done, key=lambda row: int(row.batch))
    batches = tuple(sorted({int(row.batch) for row in done}))
    unread = files.keys() - {row.path for row in done}
    return Plan(frozenset(unread), last.batch + 1, batches, last.n_documents)


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
class Ledger:
    """The files that there are, with what a run has to read of them."""

    tables: Tables
    sources: Sequence[CrawlFiles]
    files: Mapping[str, CrawlFile]
    settings: str
    plan: Plan

    def unread(self) -> list[CrawlFiles]:
        """The sources, with no files but those to read."""
        return [files.only(self.plan.unread) for files in self.sources]

    def begin(self) -> None:
        """Says that this batch is being written: before the first table that it is written to.

        Where nothing was read before, nothing has to be taken back.
        """
        if self.plan.takes_back:
            self.tables.replace(CRAWL_FILES, self._rows(), self.plan.scope)

    def finish(self, counts: DataFrame, n_documents: int) -> None:
        """Says that all tables have what this batch gave; nothing, where it has no files."""
        if self.plan.unread or self.plan.is_full:
            done = finish_files(self._rows(), counts, n_documents)
            self.tables.replace(CRAWL_FILES, done, self.plan.scope)

    def _rows(self) -> DataFrame:
        rows = [
            (path, file.bytes, file.modified, file.readings, self.settings, self.plan.batch, False)
            for path, file in sorted(self.files.items())
            if path in self.plan.unread
        ]
        unknown: tuple[int, dict[str, int]] = (0, {})
        spark = self.tables.spark
        return spark.createDataFrame([(*row, *unknown) for row in rows], CRAWL_FILES.schema)


def open_ledger(tables: Tables, sources: Sequence[CrawlFiles], settings: str) -> Ledger:
    """Compares the files that there are with those that were read, and says if that is for nought.

    Both lists are held by the driver, as Spark itself holds the paths that it is told to read.
    """
    files = describe_files(sources)
    rows = tables.select_or_create(CRAWL_FILES, {}).drop("counts").collect()
    plan = plan_batch(files, rows, settings)
    lost = [t.name for t in (CRAWL_TEXTS, NEAR_COPY_LINKS) if tables.find(t) is None]
    if not plan.is_full and lost:
        plan = Plan(frozenset(files), 1, reason=f"there is no table {lost[0]}")
    if plan.reason:
        print(f"documents: all files are read anew: {plan.reason}", flush=True)
    return Ledger(tables, sources, files, settings, plan)
