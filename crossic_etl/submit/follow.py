"""Follows a job to its end."""

from __future__ import annotations

import time
from collections.abc import Callable

from crossic_etl.submit.job import Platform, State, UnreachableError

PATIENCE = 10
INTERRUPTED = 130


def follow(
    platform: Platform,
    job_id: str,
    interval: float,
    say: Callable[[str], None],
    patience: int = PATIENCE,
) -> int:
    """Says each change of a job's state, and returns its exit status.

    Args:
        platform: where it runs.
        job_id: which one.
        interval: seconds between two looks.
        say: takes a line.
        patience: looks without an answer, one after the other, that are borne.

    Raises:
        UnreachableError: the platform went on not answering; the job may still run.
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
) -> State:
    for _ in range(patience - 1):
        try:
            return platform.state(job_id)
        except UnreachableError as error:
            say(f"no answer, trying again: {error}")
            time.sleep(interval)
    return platform.state(job_id)
