"""Training on this machine, under torchrun."""

from __future__ import annotations

import importlib.util
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

from crossic_etl.submit.job import JobState, SubmitError, TrainingJob, check_secrets_in_environment

# A new process imports torch, so that this one doesn't.
COUNT_GPUS = "import torch; print(torch.cuda.device_count())"


class LocalRun:
    """A training job under torchrun of this interpreter. Its id is the process's.

    The job's YAML is written to ``folder``, under the job's name. A run that isn't followed
    survives its terminal and writes its output to a log beside the YAML. A run that is followed
    writes to this process's output. It is in a session of its own, so Ctrl-C reaches this process
    alone, which then stops the run. Otherwise each of its processes would show a traceback.
    """

    def __init__(self, job: TrainingJob, folder: Path, followed: bool) -> None:
        self._job = job
        self._config = folder / f"{job.name}.yaml"
        self._log = None if followed else folder / f"{job.name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    def check(self) -> None:
        """Checks torch, the GPUs and the variables of this machine.

        Raises:
            SubmitError: one of them is missing.
        """
        submit = self._job.submit
        if submit.nodes > 1:
            raise SubmitError(f"submit.nodes: {submit.nodes} given, expected 1 on this machine")
        check_secrets_in_environment(submit.secrets, os.environ)
        if importlib.util.find_spec("torch") is None:
            raise SubmitError("torch is not installed (pip install 'crossic-etl[training]')")
        if submit.gpus_per_node and (found := _count_gpus()) < submit.gpus_per_node:
            raise SubmitError(
                f"submit.gpus_per_node: {submit.gpus_per_node} given, {found} found on this machine"
                " (0 trains on the CPU)"
            )

    def render(self) -> str:
        """The command, and the YAML that it reads."""
        variables = "".join(
            f"{name}={shlex.quote(value)} " for name, value in self._job.submit.environment.items()
        )
        return f"{variables}{self._command}\n\n# {self._config}\n{self._job.config_text}"

    def submit(self) -> str:
        """Starts the run; returns its process id.

        Raises:
            SubmitError: its files can't be written.
        """
        try:
            self._config.write_text(self._job.config_text, encoding="utf-8")
            log = self._log.open("wb") if self._log else None
        except OSError as error:
            raise SubmitError(f"{error.filename}: can't be written ({error.strerror})") from None
        self._process = subprocess.Popen(
            shlex.split(self._command),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT if log else None,
            env={**os.environ, **self._job.submit.environment},
            start_new_session=True,
        )
        if log:
            log.close()
        return str(self._process.pid)

    def state(self, job_id: str) -> JobState:
        """Whether the run goes on, or its exit status; 128 plus its number for a signal."""
        assert self._process is not None
        code = self._process.poll()
        if code is None:
            return JobState(f"running, process {job_id}")
        return JobState(f"ended with exit status {code}", code if code >= 0 else 128 - code)

    def interrupted(self, job_id: str) -> str:
        """Stops the run; returns a message."""
        assert self._process is not None
        self._process.send_signal(signal.SIGTERM)
        self._process.wait()
        return f"stopped, process {job_id}"

    @property
    def _command(self) -> str:
        return self._job.torchrun(sys.executable, shlex.quote(str(self._config)))


def _count_gpus() -> int:
    done = subprocess.run(
        [sys.executable, "-c", COUNT_GPUS], capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise SubmitError(f"torch can't be imported here ({last})")
    return int(done.stdout)
