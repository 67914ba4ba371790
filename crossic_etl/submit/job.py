"""A training job as every platform sees it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from crossic_etl.config.submit import FROM_ENVIRONMENT, Submit

TRAINER = "crossic_etl.training"
LAUNCHER = "crossic_etl.submit.torchrun"
# Seconds that a node waits for the others, which may still load their image.
PATIENCE = 3600


class SubmitError(ValueError):
    """A job that can't be submitted or followed, in one line."""


class UnreachableError(SubmitError):
    """The platform didn't answer; it may the next time."""


@dataclass(frozen=True)
class TrainingJob:
    """What is submitted.

    Attributes:
        name: unique for each submission.
        config_text: the checked training YAML, overrides included; the job keeps it, so that the
            file may change meanwhile.
        submit: where it runs.
        trainer: module that torchrun starts.
    """

    name: str
    config_text: str
    submit: Submit
    trainer: str = TRAINER

    def torchrun(
        self, python: str, config: str, rank: str = "", address: str = "", port: str = ""
    ) -> str:
        """One node's command line; rank, address and port may be shell's ``"$NAME"``."""
        submit = self.submit
        if submit.nodes == 1:
            place = "--standalone"
        else:
            place = (
                f"--nnodes={submit.nodes} --node-rank={rank}"
                f" --master-addr={address} --master-port={port} --rdzv-conf=timeout={PATIENCE}"
            )
        return (
            f"{shlex.quote(python)} -m {LAUNCHER} {place}"
            f" --nproc-per-node={submit.processes} -m {self.trainer} --config {config}"
        )


@dataclass(frozen=True)
class State:
    """How a job stands: a line for its user and, once it has ended, its exit status."""

    line: str
    exit_status: int | None = None


class Platform(Protocol):
    """Somewhere to train. All methods raise SubmitError where they can't do what they say."""

    def check(self) -> None:
        """Whether everything is here that submitting needs; sends nothing."""

    def render(self) -> str:
        """What `submit` sends, as text."""

    def submit(self) -> str:
        """Submits the job once; returns its id."""

    def state(self, job_id: str) -> State:
        """Looks at the job once; raises UnreachableError where another look may succeed."""

    def interrupted(self, job_id: str) -> str:
        """Called when the job is no longer followed; returns what becomes of it."""


def check_secrets_in_environment(
    secrets: Mapping[str, str], environment: Mapping[str, str]
) -> None:
    """Whether the variables that a job inherits are set.

    Raises:
        SubmitError: naming those that aren't.
    """
    if missing := [name for name in secrets if not environment.get(name)]:
        raise SubmitError(f"submit.secrets: not set in the environment: {', '.join(missing)}")


def platform_secret(name: str, reference: str, words: str) -> tuple[str, str]:
    """Name and entry of a platform's secret.

    Raises:
        SubmitError: the reference names none.
    """
    secret, slash, entry = reference.partition("/")
    if not slash or reference == FROM_ENVIRONMENT:
        raise SubmitError(f"submit.secrets.{name}: {words} expected")
    return secret, entry


def first_line(texts: Sequence[str | None]) -> str:
    """The first line that says something."""
    lines = (line.strip() for text in texts for line in (text or "").splitlines())
    return next(filter(None, lines), "no message")
