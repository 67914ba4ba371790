"""A training job, independent of the platform that it runs on."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from crossic_etl.config.submit import FROM_ENVIRONMENT, Submit

TRAINER = "crossic_etl.training"
LAUNCHER = "crossic_etl.submit.torchrun"
# Seconds that a node waits for the others, which may still pull their image.
PATIENCE = 3600


class SubmitError(ValueError):
    """A job can't be submitted or followed; the message is one line."""


class UnreachableError(SubmitError):
    """The platform didn't answer; another try may succeed."""


@dataclass(frozen=True)
class TrainingJob:
    """A job to submit.

    Attributes:
        name: unique for each submission.
        config_text: the checked training YAML with overrides. The job has its own copy: later
            changes of the file don't affect it.
        submit: platform and resources.
        trainer: module that torchrun starts.
    """

    name: str
    config_text: str
    submit: Submit
    trainer: str = TRAINER

    def torchrun(
        self, python: str, config: str, rank: str = "", address: str = "", port: str = ""
    ) -> str:
        """The command line of one node; rank, address and port may be shell variables."""
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
class JobState:
    """The state of a job: a line for its user and, once it has ended, its exit status."""

    line: str
    exit_status: int | None = None


class Platform(Protocol):
    """A platform to train on. All methods raise SubmitError if they fail."""

    def check(self) -> None:
        """Checks settings, packages and credentials; sends nothing."""

    def render(self) -> str:
        """The text of what `submit` sends."""

    def submit(self) -> str:
        """Submits the job once; returns its id."""

    def state(self, job_id: str) -> JobState:
        """Requests the job's state once; raises UnreachableError if another try may succeed."""

    def interrupted(self, job_id: str) -> str:
        """Called when following is interrupted; returns a message on what happens to the job."""


def check_secrets_in_environment(
    secrets: Mapping[str, str], environment: Mapping[str, str]
) -> None:
    """Checks that the variables that a job inherits are set.

    Raises:
        SubmitError: names those that aren't.
    """
    if missing := [name for name in secrets if not environment.get(name)]:
        raise SubmitError(f"submit.secrets: not set in the environment: {', '.join(missing)}")


def platform_secret(name: str, reference: str, words: str) -> tuple[str, str]:
    """Name and entry of a platform's secret.

    Raises:
        SubmitError: the reference has no such form.
    """
    secret, slash, entry = reference.partition("/")
    if not slash or reference == FROM_ENVIRONMENT:
        raise SubmitError(f"submit.secrets.{name}: {words} expected")
    return secret, entry


def first_line(texts: Sequence[str | None]) -> str:
    """The first line that isn't blank."""
    lines = (line.strip() for text in texts for line in (text or "").splitlines())
    return next(filter(None, lines), "no message")
