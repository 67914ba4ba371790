"""Tables of what happened: what was read and not used, and each execution of a job."""

from __future__ import annotations

from crossic_etl.schemas.table import (
    COUNTS,
    DOUBLE,
    LONG,
    STRING,
    TIMESTAMP,
    Table,
    columns,
    nullable,
)

REJECTS = Table(
    "rejects",
    columns(
        table=STRING,
        lang=STRING,  # of the wiki that was read, or the target language
        key=STRING,
        reason=STRING,
        detail=STRING,  # enough of the raw input to see why, 500 characters at most
    ),
    key=("table", "lang", "key", "reason"),
    partition_by=("table",),
)

RUNS = Table(
    "runs",
    columns(
        run_id=STRING,
        job=STRING,
        state=STRING,  # done | failed
        started=TIMESTAMP,
        seconds=DOUBLE,
        config_hash=STRING,
        code_version=STRING,
        input_versions=COUNTS,  # Delta version of each table read
        settings=nullable(STRING),  # JSON of those that decide what the job's rows are
        inputs=nullable(STRING),  # JSON of what it was to read besides tables
        output_versions=nullable(COUNTS),  # Delta version of each table written; null if it failed
        rows_in=LONG,
        rows_used=LONG,  # rows in = rows used + rows dropped
        rows_out=LONG,
        dropped=COUNTS,  # by reason
        metrics=COUNTS,
        error=nullable(STRING),
    ),
    key=("run_id",),
)
