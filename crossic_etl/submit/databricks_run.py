"""Training as a one-time run of Databricks' Jobs API, on a cluster of one node with its GPUs."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from crossic_etl.submit.job import (
    JobState,
    SubmitError,
    TrainingJob,
    UnreachableError,
    first_line,
    platform_secret,
)

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.service.jobs import SubmitTask

SECRET_EXPECTED = "scope/key of a Databricks secret"
PACKAGE, ENTRY_POINT, TASK = "crossic-etl", "crossic-train", "training"
# Databricks' own limit for a task's parameters.
MOST_PARAMETER_BYTES = 10_000
SECONDS = 60
ENDED = ("TERMINATED", "SKIPPED", "INTERNAL_ERROR")


class DatabricksRun:
    """A training job as a run for which Databricks creates a cluster. The id is the run's."""

    def __init__(self, job: TrainingJob) -> None:
        self._job = job

    def check(self) -> None:
        """Checks settings, client and credentials; asks no server.

        Raises:
            SubmitError: one of them is missing.
        """
        self.payload()
        self._client()

    def render(self) -> str:
        """The body of the request, as JSON."""
        return json.dumps(self.payload(), indent=2, ensure_ascii=False) + "\n"

    def payload(self) -> dict[str, Any]:
        """The body of the request ``jobs/runs/submit``.

        Raises:
            SubmitError: a setting is missing or too large, or the client isn't installed.
        """
        _check_settings(self._job)
        _import_sdk()
        body: dict[str, Any] = {
            "run_name": self._job.name,
            "tasks": [_task(self._job).as_dict()],
            # If the client repeats the request after a lost response, Databricks makes one run.
            "idempotency_token": self._job.name,
        }
        if self._job.submit.seconds is not None:
            body["timeout_seconds"] = self._job.submit.seconds
        return body

    def submit(self) -> str:
        """Creates the run; returns its id.

        Raises:
            SubmitError: Databricks refuses it, with its message, or can't be reached.
        """
        client, body = self._client(), self.payload()
        with _errors():
            waiter = client.jobs.submit(
                run_name=body["run_name"], tasks=[_task(self._job)],
                idempotency_token=body["idempotency_token"],
                timeout_seconds=self._job.submit.seconds,
            )  # fmt: skip
        created: Any = waiter.response
        return str(created.run_id)

    def state(self, job_id: str) -> JobState:
        """The run's state and, if it failed, the first line of its error."""
        client = self._client()
        with _errors():
            run = client.jobs.get_run(int(job_id))
        if run.state is None or run.state.life_cycle_state is None:
            raise UnreachableError(f"Databricks: run {job_id} has no state")
        life, result = run.state.life_cycle_state.value, run.state.result_state
        line = f"Databricks run {job_id}: {life}, {run.run_page_url}"
        if life not in ENDED:
            return JobState(line)
        if life == "TERMINATED" and result is not None and result.value == "SUCCESS":
            return JobState(f"{line}; SUCCESS", 0)
        words = [result.value if result else life, *_reasons(client, run)]
        return JobState("; ".join([line, *words]), 1)

    def interrupted(self, job_id: str) -> str:
        """The message that the run goes on, and how to stop it."""
        return f"run {job_id} goes on; stop it with: databricks jobs cancel-run {job_id}"

    def _client(self) -> WorkspaceClient:
        sdk = _import_sdk()
        try:
            config = sdk.core.Config(
                profile=self._job.submit.databricks.profile, product=PACKAGE,
                http_timeout_seconds=SECONDS, retry_timeout_seconds=SECONDS,
            )  # fmt: skip
        except ValueError as error:
            raise SubmitError(
                f"no credentials for Databricks ({first_line([str(error)])})"
            ) from None
        client: WorkspaceClient = sdk.WorkspaceClient(config=config)
        return client


def _check_settings(job: TrainingJob) -> None:
    submit, settings = job.submit, job.submit.databricks
    if submit.nodes > 1:
        raise SubmitError(
            f"submit.nodes: {submit.nodes} given, expected 1 on databricks (a node has up to 8"
            " GPUs; slurm and kubernetes take several nodes)"
        )
    expected = {
        "node_type": "an instance type with GPUs",
        "runtime": "a version of Databricks Runtime ML for GPU",
        "wheel": "the path of this package's wheel in a volume or the workspace",
    }
    for name, words in expected.items():
        if not getattr(settings, name):
            raise SubmitError(f"submit.databricks.{name}: '' given, expected {words}")
    if sum(map(len, map(str.encode, _parameters(job)))) > MOST_PARAMETER_BYTES:
        raise SubmitError(
            f"the configuration is longer than {MOST_PARAMETER_BYTES} bytes, the most that"
            " Databricks passes to a task"
        )


def _import_sdk() -> Any:
    """The client's module, imported on first use: it is an optional package and takes seconds.

    Raises:
        SubmitError: it isn't installed.
    """
    try:
        return importlib.import_module("databricks.sdk")
    except ImportError:
        raise SubmitError(
            "databricks-sdk is not installed (pip install 'crossic-etl[databricks]')"
        ) from None


def _parameters(job: TrainingJob) -> list[str]:
    return [f"--processes={job.submit.processes}", f"--yaml={job.config_text}"]


def _task(job: TrainingJob) -> SubmitTask:
    """A wheel task on a new cluster of one node, the driver; Spark runs no work on it."""
    from databricks.sdk.service.compute import (
        ClusterSpec,
        DataSecurityMode,
        Library,
        PythonPyPiLibrary,
    )
    from databricks.sdk.service.jobs import PythonWheelTask, SubmitTask

    settings = job.submit.databricks
    secrets = {
        name: "{{{{secrets/{}/{}}}}}".format(*platform_secret(name, reference, SECRET_EXPECTED))
        for name, reference in job.submit.secrets.items()
    }
    cluster = ClusterSpec(
        spark_version=settings.runtime,
        node_type_id=settings.node_type,
        policy_id=settings.policy,
        num_workers=0,
        custom_tags={"ResourceClass": "SingleNode"},
        spark_conf={
            "spark.databricks.cluster.profile": "singleNode",
            "spark.master": "local[*]",
        },
        spark_env_vars={**job.submit.environment, **secrets} or None,
        data_security_mode=DataSecurityMode.SINGLE_USER,
    )
    packages = [Library(pypi=PythonPyPiLibrary(package=package)) for package in settings.packages]
    return SubmitTask(
        task_key=TASK,
        new_cluster=cluster,
        libraries=[Library(whl=settings.wheel), *packages],
        python_wheel_task=PythonWheelTask(
            package_name=PACKAGE, entry_point=ENTRY_POINT, parameters=_parameters(job)
        ),
    )


def _reasons(client: WorkspaceClient, run: Any) -> Iterator[str]:
    """The messages of Databricks and of the task on a failure."""
    if run.state.state_message:
        yield first_line([run.state.state_message])
    for task in run.tasks or []:
        with _errors():
            output = client.jobs.get_run_output(task.run_id)
        if output.error:
            yield first_line([output.error])


@contextmanager
def _errors() -> Iterator[None]:
    """Turns the client's errors into ones of a single line."""
    from databricks.sdk.errors import InternalError, TemporarilyUnavailable
    from databricks.sdk.errors.base import DatabricksError
    from requests.exceptions import RequestException

    try:
        yield
    except (InternalError, TemporarilyUnavailable, RequestException, TimeoutError) as error:
        raise UnreachableError(f"Databricks: no answer ({first_line([str(error)])})") from None
    except DatabricksError as error:
        raise SubmitError(f"Databricks: {first_line([str(error)])}") from None
