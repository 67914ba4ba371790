from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from crossic_etl.config import Config
from crossic_etl.runs import recorded
from crossic_etl.runs.job import Job, always
from crossic_etl.runs.record import Run, UnbalancedError
from crossic_etl.schemas import PAGES, REDIRECTS, RUNS, Table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

CONFIG = Config("a", ("th",))
JOB = Job("pages", run=len)
Frame = Callable[[str, list[tuple[Any, ...]]], "DataFrame"]


class Ledger:
    """Tables that hold nothing but the rows of ``runs``."""

    def __init__(self, broken: bool = False) -> None:
        self.rows: list[dict[str, Any]] = []
        self.broken = broken

    def version(self, table: Table) -> int:
        return {"pages": 3, "redirects": 5}[table.name]

    def append_run(self, row: dict[str, Any]) -> None:
        if self.broken:
            raise OSError("no space left")
        self.rows.append(row)


def ledger_of(**counts: Any) -> dict[str, Any]:
    """The row that a job with these counts leaves."""
    ledger = Ledger()
    with recorded(ledger, CONFIG, JOB) as run:  # type: ignore[arg-type]
        for name, value in counts.items():
            setattr(run, name, value)
    return ledger.rows[0]


def test_balanced_counts_pass() -> None:
    Run("pages", rows_in=5, rows_out=3, dropped={"namespace": 2}).check()


@pytest.mark.parametrize("rows_in", [4, 6])
def test_counts_that_do_not_balance_are_refused(rows_in: int) -> None:
    with pytest.raises(UnbalancedError) as refused:
        Run("pages", rows_in=rows_in, rows_out=3, dropped={"namespace": 2}).check()
    assert str(refused.value) == (
        f"pages: {rows_in} rows in, but 3 used and 2 dropped; the tables are as they were"
    )


def test_rows_used_are_what_balances_where_rows_out_are_others() -> None:
    Run("windows", rows_in=100, rows_out=7, rows_used=100).check()
    with pytest.raises(UnbalancedError):
        Run("windows", rows_in=7, rows_out=7, rows_used=100).check()


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (Run("pages"), "pages: 0 in, 0 out, 0 dropped, 0.0 s"),
        (
            Run("pages", 12345, 12340, dropped={"xml": 2, "cut": 3, "utf8": 0}, seconds=1.26),
            "pages: 12,345 in, 12,340 out, 5 dropped (cut 3, xml 2), 1.3 s",
        ),
    ],
)
def test_a_job_ends_with_one_line(run: Run, expected: str) -> None:
    assert run.line() == expected


def test_what_is_read_is_used_or_dropped_for_its_reason(frame: Frame) -> None:
    counts = [("read", 9), ("page", 4), ("redirect", 2), ("cut", 3), ("prop", None), ("xml", 0)]
    run = Run("pages")
    run.resolve_outcomes(frame("outcome string, rows long", counts), used=("page", "redirect"))
    assert (run.rows_in, run.rows_out, run.dropped) == (9, 6, {"cut": 3})


def test_rows_that_have_no_outcome_fail_the_job(frame: Frame) -> None:
    counts = frame("outcome string, rows long", [("read", 9), ("page", 4), ("cut", 3)])
    with pytest.raises(UnbalancedError, match="pages: 9 rows in, but 4 used and 3 dropped"):
        Run("pages").resolve_outcomes(counts, used=("page",))


def test_rows_with_the_key_of_another_are_duplicates() -> None:
    run = Run("pages", rows_in=6, rows_out=6)
    run.reconcile_output_rows(4)
    assert (run.rows_out, run.dropped) == (4, {"duplicate": 2})
    run.check()


def test_without_duplicates_none_are_counted() -> None:
    run = Run("pages", rows_in=6, rows_out=6)
    run.reconcile_output_rows(6)
    assert run.dropped == {}


def test_a_run_has_a_row_with_every_column_of_the_table() -> None:
    row = ledger_of(rows_in=5, rows_out=3, dropped={"cut": 2, "xml": 0}, metrics={"both": 1})
    assert list(row) == RUNS.columns
    assert {k: row[k] for k in ("job", "state", "rows_in", "rows_used", "rows_out", "error")} == {
        "job": "pages",
        "state": "done",
        "rows_in": 5,
        "rows_used": 3,
        "rows_out": 3,
        "error": None,
    }
    assert (row["dropped"], row["metrics"]) == ({"cut": 2}, {"both": 1})
    assert row["config_hash"] == CONFIG.digest()


def test_each_run_has_its_own_id() -> None:
    assert ledger_of()["run_id"] != ledger_of()["run_id"]


def test_the_versions_of_what_was_read_are_kept() -> None:
    ledger = Ledger()
    with recorded(ledger, CONFIG, Job("pairs", run=len, reads=always(PAGES, REDIRECTS))):  # type: ignore[arg-type]
        pass
    assert ledger.rows[0]["input_versions"] == {"pages": 3, "redirects": 5}


def test_a_run_says_when_it_started_and_what_it_did(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="crossic_etl")
    row = ledger_of(rows_in=1, rows_out=1)
    started, line = caplog.messages
    assert started == f"pages: started {row['started']:%Y-%m-%d %H:%M:%S} UTC"
    assert re.fullmatch(r"pages: 1 in, 1 out, 0 dropped, \d+\.\d s", line)


def test_a_run_that_fails_is_recorded_and_fails(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="crossic_etl")
    ledger = Ledger()
    with (
        pytest.raises(RuntimeError, match="no dump"),
        recorded(ledger, CONFIG, JOB) as run,  # type: ignore[arg-type]
    ):
        run.rows_in = 4
        raise RuntimeError("no dump" * 100)
    (row,) = ledger.rows
    assert (row["state"], row["rows_in"], row["error"]) == ("failed", 4, ("no dump" * 100)[:500])
    (line,) = caplog.messages
    assert line.startswith("pages: started ")


def test_a_run_that_does_not_balance_fails() -> None:
    ledger = Ledger()
    with pytest.raises(UnbalancedError), recorded(ledger, CONFIG, JOB) as run:  # type: ignore[arg-type]
        run.rows_in = 1
    assert [row["state"] for row in ledger.rows] == ["failed"]


def test_the_first_error_is_told_where_not_even_its_record_can_be_written() -> None:
    with (
        pytest.raises(RuntimeError, match="no dump"),
        recorded(Ledger(broken=True), CONFIG, JOB),  # type: ignore[arg-type]
    ):
        raise RuntimeError("no dump")
