"""Follows a job to its end."""

from __future__ import annotations

import time
from collections.abc import Callable

from crossic_etl.submit.job import JobState, Platform, UnreachableError

PATIENCE = 10
INTERRUPTED = 130


def follow(
    platform: Platform,
    job_id: str,
    interval: float,
    say: Callable[[str], None],
    patience: int = PATIENCE,
) -> int:
    """Reports each change of a job's state until it ends; returns its exit status.

    Args:
        platform: where the job runs.
        job_id: the id that submitting returned.
        interval: seconds between two requests for the state.
        say: takes each line.
        patience: most requests in a row that may stay without an answer.

    Raises:
        UnreachableError: the platform didn't answer ``patience`` times; the job may still run.
    """
    said = ""
    try:
        while True:
            state = _look(platform, job_id, interval, say, patience)
            if state.line != said:
                say(state.line)
                said = state.line
            if state.exit_status is not None:
                return state.exit_status
            time.sleep(interval)
    except KeyboardInterrupt:
        say(platform.interrupted(job_id))
        return INTERRUPTED


def _look(
    platform: Platform, job_id: str, interval: float, say: Callable[[str], None], patience: int
) -> JobState:
    for _ in range(patience - 1):
        try:
            return platform.state(job_id)
        except UnreachableError as error:
            say(f"no answer, trying again: {error}")
            time.sleep(interval)
    return platform.state(job_id)
