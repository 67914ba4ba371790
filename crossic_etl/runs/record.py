"""The record of a job's run: counts that balance, seconds, and two lines for who waits."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib.metadata import version

from pyspark.sql import DataFrame

from crossic_etl.config import Config
from crossic_etl.runs.job import Job
from crossic_etl.runs.ledger import inputs_of, settings_of, versions_read, versions_written
from crossic_etl.tables import Tables


class UnbalancedError(RuntimeError):
    """Rows went in that neither came out nor were dropped for a reason."""


@dataclass
class Run:
    """What a job counts. ``rows_used`` is ``rows_out`` where a row in makes one row out.

    ``input_versions`` are the Delta versions of the tables that it reads, as it began,
    ``output_versions`` those of the tables that it writes, as it ended; see `ledger` for the rest.
    With ``nothing_new`` an earlier run's row says all of it, and there is none of this one.
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
        """Rows in that are in what came out."""
        return self.rows_out if self.rows_used is None else self.rows_used

    def settle(self, counts: DataFrame, used: Sequence[str]) -> None:
        """Takes the counts of ``outcome, rows`` over, before any table is touched.

        ``read`` is what went in, where the staged rows say it; what isn't in ``used`` was dropped.

        Raises:
            UnbalancedError: see `check`.
        """
        rows = {row["outcome"]: row["rows"] for row in counts.collect()}
        self.rows_in = rows.pop("read", self.rows_in)
        self.rows_out = sum(rows.pop(outcome, 0) or 0 for outcome in used)
        self.dropped = {outcome: n for outcome, n in rows.items() if n}
        self.check()

    def publish(self, rows: int) -> None:
        """Takes over how many rows the tables hold now: what is missing had the key of another."""
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
        """The one line that the job ends with."""
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
    """Times a job's body, writes its row of ``runs``, failed or not, and prints its line if not.

    Another line says when it started, as hours may pass before the next. A body that finds nothing
    to do says so in `Run.nothing_new`, and is no run.
    """
    started, clock = datetime.now(timezone.utc), time.monotonic()
    print(f"{job.name}: started {started:%Y-%m-%d %H:%M:%S} UTC", flush=True)
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
        with suppress(Exception):  # where even this can't be written, the first error says why
            tables.append_run(_row(run, config, started, error))
        raise
    if run.nothing_new:
        print(f"{job.name}: nothing new", flush=True)
        return
    run.seconds = time.monotonic() - clock
    tables.append_run(_row(run, config, started, None))
    print(run.line(), flush=True)


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
