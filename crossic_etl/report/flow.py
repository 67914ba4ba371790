"""Sections on the jobs: rows of each table, dropped rows by reason, rejects, seconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crossic_etl.pipeline.flow import names
from crossic_etl.report.charts import bars
from crossic_etl.report.content import Figure, Grid, Section
from crossic_etl.report.source import MOST_RUNS, ReportSource, collect
from crossic_etl.schemas import REJECTS, TABLES
from crossic_etl.transforms.report import count_rejects

MOST_REASONS = 100
MOST_CHARACTERS = 200  # of an example

ORDER = (*names(), "export")


def flow_section(source: ReportSource) -> Section:
    """Rows in and out of each job at its newest run, and the rows of each table now."""
    text = (
        "Rows in are rows used plus rows dropped, at the newest run of each job that was finished. "
        "Rows out are those of the tables that it writes: where a row in makes several rows, or "
        "several make one, they are not the rows used."
    )
    grids = [_tables(source), *([_jobs(runs), _dropped(runs)] if (runs := newest(source)) else [])]
    return Section("flow", "The flow", text, grids=[grid for grid in grids if grid.rows])


def newest(source: ReportSource) -> list[dict[str, Any]]:
    """The newest finished run of each job, in the order of the flow."""
    latest: dict[str, dict[str, Any]] = {}
    for run in source.runs:
        if run["state"] == "done":
            latest.setdefault(run["job"], run)
    return [latest[job] for job in sorted(latest, key=_place)]


def _place(job: str) -> tuple[int, str]:
    return (ORDER.index(job) if job in ORDER else len(ORDER), job)


def _tables(source: ReportSource) -> Grid:
    frames = {name: source.find(table) for name, table in TABLES.items()}
    rows = tuple((name, frame.count()) for name, frame in frames.items() if frame is not None)
    return Grid("Rows of each table", ("table", "rows"), ("", ",d"), rows)


def _jobs(runs: Sequence[dict[str, Any]]) -> Grid:
    return Grid(
        "Rows in and out of each job",
        ("job", "in", "used", "dropped", "out", "started"),
        ("", ",d", ",d", ",d", ",d", "s"),
        tuple(
            (
                run["job"], run["rows_in"], run["rows_used"], sum(run["dropped"].values()),
                run["rows_out"], f"{run['started']:%Y-%m-%d %H:%M}",
            )
            for run in runs
        ),
    )  # fmt: skip


def _dropped(runs: Sequence[dict[str, Any]]) -> Grid:
    rows = [
        (run["job"], reason, n, n / run["rows_in"] if run["rows_in"] else None)
        for run in runs
        for reason, n in sorted(run["dropped"].items(), key=lambda item: (-item[1], item[0]))
    ]
    return Grid(
        "What each job dropped, by reason",
        ("job", "reason", "rows", "share"),
        ("", "", ",d", ".1%"),
        tuple(rows),
    )


def rejects_section(source: ReportSource) -> Section | None:
    """Rejects by table and reason, with an example of each."""
    rejects = source.find(REJECTS)
    if rejects is None:
        return None
    rows = collect(count_rejects(rejects), ["table", "reason"])[:MOST_REASONS]
    grid = Grid(
        "Rejects by table and reason",
        ("table", "reason", "rows", "example", "detail"),
        ("", "", ",d", "", ""),
        tuple(
            (row["table"], row["reason"], row["rows"], row["key"], row["detail"][:MOST_CHARACTERS])
            for row in rows
        ),
    )
    text = "What was read and is broken, over a limit, or contradicts itself."
    if not rows:
        return Section("rejects", "Rejects", f"{text} There is none.")
    return Section("rejects", "Rejects", text, grids=[grid])


def seconds_section(source: ReportSource) -> Section | None:
    """How long the newest run of each job took."""
    runs = newest(source)
    if not runs:
        return None
    n_failed = sum(run["state"] != "done" for run in source.runs)
    rows = [{"job": run["job"], "seconds": run["seconds"], "rows": run["rows_in"]} for run in runs]
    grid = Grid(
        "Seconds of each job",
        ("job", "seconds", "rows in for each second", "code", "configuration"),
        ("", ",.1f", ",.0f", "", ""),
        tuple(
            (
                run["job"], run["seconds"],
                run["rows_in"] / run["seconds"] if run["seconds"] else None,
                run["code_version"], run["config_hash"],
            )
            for run in runs
        ),
    )  # fmt: skip
    text = (
        f"At the newest finished run of each job; of the newest {MOST_RUNS} runs at most, "
        f"{n_failed:,} failed."
    )
    figure = Figure("Seconds of each job", bars(rows, "job", "seconds", "seconds"), grid)
    return Section("seconds", "Seconds", text, [figure])
