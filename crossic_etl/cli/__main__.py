"""The command line: one place that starts every command by its name."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

COMMANDS = {
    "calibrate": "calibrate", "download": "download", "export": "export", "maintain": "maintain",
    "pipeline": "pipeline", "report": "report", "sample": "sample",
    "submit_training": "submit_training", "verify": "verify",
}  # fmt: skip


def main(name: str, argv: Sequence[str] | None = None) -> int:
    """Runs a command; the exit status."""
    if name in COMMANDS:
        command = importlib.import_module(f"crossic_etl.cli.{COMMANDS[name]}")
        return int(command.main(argv))
    from crossic_etl.cli.run import run_job

    job = importlib.import_module(f"crossic_etl.pipeline.{name}")
    return run_job(job.JOB, job.__doc__, argv)


def console() -> None:
    """The command ``crossic-etl``. A failure is raised: Databricks ignores what is returned."""
    if status := main("pipeline"):
        raise SystemExit(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
