"""Records a job's run: its row counts, which must balance, its seconds, and two log lines."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib.metadata import version

from pyspark.sql import DataFrame, Row

from crossic_etl.config import Config
from crossic_etl.runs.job import Job
from crossic_etl.runs.ledger import inputs_of, settings_of, versions_read, versions_written
from crossic_etl.tables import Tables

log = logging.getLogger(__name__)


class UnbalancedError(RuntimeError):
    """Rows in are not rows used plus rows dropped for a reason."""


@dataclass
class Run:
    """The counts and the inputs of a job's run.

    Attributes:
        job: its name.
        rows_in: rows that it read.
        rows_out: rows that it made.
        rows_used: rows in that its result uses; None if that is ``rows_out``.
        dropped: rows in that it didn't use, by reason.
        metrics: other counts.
        seconds: its duration.
        settings, inputs: see `ledger.settings_of` and `ledger.inputs_of`.
        input_versions: Delta versions, at its start, of the tables that it reads.
        output_versions: Delta versions, at its end, of the tables that it writes.
        nothing_new: it had nothing to do, so it has no row in ``runs``.
    """

    job: str
    rows_in: int = 0
    rows_out: int = 0
    rows_used: int | None = None
    dropped: dict[str, int] = field(default_factory=dict)
    metrics: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    settings: str | None = None
    inputs: str | None = None
    output_versions: Mapping[str, int] | None = None
    input_versions: Mapping[str, int] = field(default_factory=dict)
    nothing_new: bool = False

    @property
    def used(self) -> int:
        """Rows in that the job's result uses."""
        return self.rows_out if self.rows_used is None else self.rows_used

    def resolve_outcomes(self, counts: DataFrame, used: Sequence[str]) -> list[Row]:
        """Sets rows in, rows out and rows dropped from counts (``outcome, rows``) of staged rows.

        Returns the counts, which may have more columns.

        Call it before any table is changed. The outcome ``read``, if there is one, counts the rows
        in. Outcomes in ``used`` are rows out; all others are dropped.

        Raises:
            UnbalancedError: see `check`.
        """
        counted = counts.collect()
        rows = {row["outcome"]: row["rows"] for row in counted}
        self.rows_in = rows.pop("read", self.rows_in)
        self.rows_out = sum(rows.pop(outcome, 0) or 0 for outcome in used)
        self.dropped = {outcome: n for outcome, n in rows.items() if n}
        self.check()
        return counted

    def reconcile_output_rows(self, rows: int) -> None:
        """Sets rows_out to the stored row count; the difference is counted as ``duplicate``."""
        if repeated := self.rows_out - rows:
            self.dropped["duplicate"] = repeated
        self.rows_out = rows

    def check(self) -> None:
        """Refuses counts that don't balance.

        Raises:
            UnbalancedError: rows in are not rows used plus rows dropped.
        """
        dropped = sum(self.dropped.values())
        if self.rows_in != self.used + dropped:
            raise UnbalancedError(
                f"{self.job}: {self.rows_in} rows in, but {self.used} used and {dropped} dropped; "
                "the tables are as they were"
            )

    def line(self) -> str:
        """The line that is logged at the end of the job."""
        reasons = ", ".join(
            f"{name} {count:,}" for name, count in sorted(self.dropped.items()) if count
        )
        used = f"{self.used:,} used for " if self.used != self.rows_out else ""
        return (
            f"{self.job}: {self.rows_in:,} in, {used}{self.rows_out:,} out, "
            f"{sum(self.dropped.values()):,} dropped{f' ({reasons})' if reasons else ''}, "
            f"{self.seconds:.1f} s"
        )


@contextmanager
def recorded(
    tables: Tables,
    config: Config,
    job: Job,
) -> Iterator[Run]:
    """Times a job's body and adds its row to ``runs``, also if it fails.

    Logs the job's start, since the next message may be hours later, and its counts at the end. A
    body with nothing to do sets `Run.nothing_new`; then no row is added.

    Raises:
        UnbalancedError: rows in are not rows used plus rows dropped.
    """
    started, clock = datetime.now(timezone.utc), time.monotonic()
    log.info("%s: started %s UTC", job.name, f"{started:%Y-%m-%d %H:%M:%S}")
    run = Run(
        job.name,
        settings=settings_of(config, job.settings),
        inputs=inputs_of(config, job),
        input_versions=versions_read(tables, job.reads(config)),
    )
    try:
        yield run
        run.check()
        run.output_versions = versions_written(tables, job.writes)
    except Exception as error:
        run.seconds = time.monotonic() - clock
        with suppress(Exception):  # the first error is the one to report
            tables.append_run(_row(run, config, started, error))
        raise
    if run.nothing_new:
        log.info("%s: nothing new", job.name)
        return
    run.seconds = time.monotonic() - clock
    tables.append_run(_row(run, config, started, None))
    log.info("%s", run.line())


def _row(
    run: Run,
    config: Config,
    started: datetime,
    error: BaseException | None,
) -> dict[str, object]:
    return {
        "run_id": uuid.uuid4().hex,
        "job": run.job,
        "state": "failed" if error else "done",
        "started": started,
        "seconds": run.seconds,
        "config_hash": config.digest(),
        "code_version": version("crossic-etl"),
        "input_versions": dict(run.input_versions),
        "settings": run.settings,
        "inputs": run.inputs,
        "output_versions": run.output_versions and dict(run.output_versions),
        "rows_in": run.rows_in,
        "rows_used": run.used,
        "rows_out": run.rows_out,
        "dropped": {name: count for name, count in run.dropped.items() if count},
        "metrics": run.metrics,
        "error": str(error)[:500] if error else None,
    }
