from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import pytest

from crossic_etl.submit.follow import follow
from crossic_etl.submit.job import JobState, SubmitError, UnreachableError


class Scripted:
    """A platform whose job goes through these states."""

    def __init__(self, states: Iterable[JobState | BaseException]) -> None:
        self._states: Iterator[JobState | BaseException] = iter(states)

    def check(self) -> None: ...

    def render(self) -> str:
        return ""

    def submit(self) -> str:
        return "7"

    def state(self, job_id: str) -> JobState:
        state = next(self._states)
        if isinstance(state, BaseException):
            raise state
        return state

    def interrupted(self, job_id: str) -> str:
        return f"{job_id} goes on"


RUNNING = JobState("running")


@pytest.fixture
def following() -> Callable[..., tuple[int, list[str]]]:
    def run(*states: JobState | BaseException) -> tuple[int, list[str]]:
        lines: list[str] = []
        return follow(Scripted(states), "7", 0, lines.append, patience=3), lines

    return run


@pytest.mark.parametrize("status", [0, 1, 3, 137])
def test_a_jobs_exit_status_is_returned_and_each_change_said_once(
    following: Callable[..., tuple[int, list[str]]], status: int
) -> None:
    states = JobState("pending"), RUNNING, RUNNING, JobState("ended", status)
    assert following(*states) == (status, ["pending", "running", "ended"])


def test_a_platform_that_answers_again_is_followed_on(
    following: Callable[..., tuple[int, list[str]]],
) -> None:
    away = UnreachableError("away")
    status, lines = following(RUNNING, away, away, RUNNING, away, JobState("ended", 0))
    assert status == 0
    assert lines == ["running", *["no answer, trying again: away"] * 3, "ended"]


def test_a_platform_that_stays_away_is_an_error(
    following: Callable[..., tuple[int, list[str]]],
) -> None:
    away = UnreachableError("away")
    with pytest.raises(UnreachableError, match="away"):
        following(RUNNING, away, away, away)


def test_a_refusal_is_not_tried_again(following: Callable[..., tuple[int, list[str]]]) -> None:
    with pytest.raises(SubmitError, match="forbidden"):
        following(RUNNING, SubmitError("forbidden"))


def test_an_interrupted_wait_says_what_becomes_of_the_job(
    following: Callable[..., tuple[int, list[str]]],
) -> None:
    assert following(RUNNING, KeyboardInterrupt()) == (130, ["running", "7 goes on"])
