"""Training as a Slurm batch job."""

from __future__ import annotations

import math
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from crossic_etl.submit.job import (
    JobState,
    SubmitError,
    TrainingJob,
    UnreachableError,
    check_secrets_in_environment,
    first_line,
)

END_OF_YAML = "END_OF_TRAINING_YAML"
WAITING = ("PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "REQUEUED",
           "REQUEUE_HOLD", "REQUEUE_FED", "RESIZING", "SIGNALING", "STAGE_OUT", "RESV_DEL_HOLD",
           "SPECIAL_EXIT")  # fmt: skip
SECONDS = 60
LAST_BYTES = 2**16


class SlurmJob:
    """A training job whose script ``sbatch`` reads from standard input. Its id is Slurm's."""

    def __init__(self, job: TrainingJob) -> None:
        self._job = job

    def check(self) -> None:
        """Checks that Slurm's commands exist and the variables are set.

        Raises:
            SubmitError: one of them is missing.
        """
        for command in ("sbatch", "scontrol"):
            if shutil.which(command) is None:
                raise SubmitError(
                    f"{command} not found: submit from a machine with Slurm's commands"
                )
        check_secrets_in_environment(self._job.submit.secrets, os.environ)

    def render(self) -> str:
        """The batch script."""
        lines = ["#!/bin/bash", *_directives(self._job), *_body(self._job)]
        return "\n".join(lines) + "\n"

    def submit(self) -> str:
        """Hands the script to sbatch; returns the job's id.

        Raises:
            SubmitError: sbatch refuses it, with its message.
        """
        done = _run(["sbatch", "--parsable"], self.render())
        if done.returncode:
            raise SubmitError(f"sbatch: {first_line([done.stderr, done.stdout])}")
        return done.stdout.strip().split(";")[0]

    def state(self, job_id: str) -> JobState:
        """The job's state from slurmctld or, once that has dropped it, from the accounting."""
        done = _run(["scontrol", "show", "job", "--oneliner", job_id])
        if done.returncode == 0:
            fields = dict(re.findall(r"(?:^|\s)(\w+)=(\S*)", done.stdout))
            reason = "" if fields["Reason"] == "None" else f", {fields['Reason']}"
            where = f" on {fields['NodeList']}" if fields["NodeList"] not in ("", "(null)") else ""
            extra = f"{where}{reason}, output in {fields['StdOut']}"
            state = _state(job_id, fields["JobState"], fields["ExitCode"], extra)
            return _with_reason(state, Path(fields["StdOut"])) if state.exit_status else state
        if "Invalid job id" not in done.stderr:
            raise UnreachableError(f"scontrol: {first_line([done.stderr, done.stdout])}")
        return _accounted(job_id)

    def interrupted(self, job_id: str) -> str:
        """The message that the job goes on, and how to stop it."""
        return f"Slurm job {job_id} goes on; stop it with: scancel {job_id}"


def _directives(job: TrainingJob) -> Iterator[str]:
    submit, slurm = job.submit, job.submit.slurm
    minutes = None if submit.hours is None else math.ceil(submit.hours * 60)
    options = {
        "job-name": job.name, "nodes": submit.nodes, "ntasks-per-node": 1,
        "gpus-per-node": submit.gpus_per_node or None, "cpus-per-task": slurm.cpus_per_node,
        "time": minutes, "partition": slurm.partition, "account": slurm.account,
        "output": "%x-%j.log",
    }  # fmt: skip
    for name, value in options.items():
        if value is not None:
            yield f"#SBATCH --{name}={value}"
    for option in slurm.options:
        yield f"#SBATCH {option}"


def _body(job: TrainingJob) -> Iterator[str]:
    """The script: writes the YAML beside the log, for all nodes; each node starts torchrun."""
    slurm = job.submit.slurm
    if any(line.strip() == END_OF_YAML for line in job.config_text.splitlines()):
        raise SubmitError(f"the configuration has a line {END_OF_YAML}")
    yield from ("set -euo pipefail", *slurm.setup)
    for name, value in job.submit.environment.items():
        yield f"export {name}={shlex.quote(value)}"
    if slurm.cpus_per_node is not None:
        # srun doesn't take over the batch job's cores by itself since Slurm 22.05.
        yield f"export SRUN_CPUS_PER_TASK={slurm.cpus_per_node}"
    yield 'export MASTER_ADDR=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)'
    yield "export MASTER_PORT=$((20000 + SLURM_JOB_ID % 10000))"
    yield 'export TRAINING_YAML="$SLURM_SUBMIT_DIR/$SLURM_JOB_NAME-$SLURM_JOB_ID.yaml"'
    yield f"cat > \"$TRAINING_YAML\" <<'{END_OF_YAML}'\n{job.config_text}{END_OF_YAML}"
    torchrun = job.torchrun(
        slurm.python or sys.executable, '"$TRAINING_YAML"', '"$SLURM_NODEID"', '"$MASTER_ADDR"',
        '"$MASTER_PORT"',
    )  # fmt: skip
    yield f"srun --kill-on-bad-exit=1 bash -c {shlex.quote(f'exec {torchrun}')}"


def _accounted(job_id: str) -> JobState:
    command = ["sacct", "-n", "-P", "-X", "-j", job_id, "-o", "State,ExitCode"]
    done = _run(command)
    state, _, code = done.stdout.strip().partition("|")
    if done.returncode or not state:
        raise SubmitError(
            f"Slurm no longer knows job {job_id}, and the accounting has no record of it"
            f" ({first_line([done.stderr])})"
        )
    return _state(job_id, state.split()[0], code, "")


def _state(job_id: str, state: str, code: str, extra: str) -> JobState:
    line = f"Slurm job {job_id}: {state}{extra}"
    if state in WAITING:
        return JobState(line)
    status, _, by_signal = code.partition(":")
    exit_status = int(status) or (128 + int(by_signal) if int(by_signal or 0) else 0)
    ended_well = state == "COMPLETED"
    return JobState(f"{line}, exit code {code}", exit_status if ended_well else exit_status or 1)


def _with_reason(state: JobState, log: Path) -> JobState:
    """The state of a failed job with training's line of error, if the log has one."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - LAST_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return state
    reason = next((line for line in reversed(lines) if line.startswith("error: ")), None)
    return JobState(f"{state.line}; {reason}", state.exit_status) if reason else state


def _run(command: Sequence[str], given: str | None = None) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, input=given, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except FileNotFoundError:
        return subprocess.CompletedProcess(command, 127, "", f"{command[0]} not found")
    except subprocess.TimeoutExpired:
        raise UnreachableError(f"{command[0]}: no answer in {SECONDS} s") from None
