from __future__ import annotations

import configparser
import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("databricks.sdk")
from databricks.sdk.service.jobs import SubmitTask

from crossic_etl.config.submit import Databricks
from crossic_etl.submit import databricks_run
from crossic_etl.submit.databricks_run import DatabricksRun
from crossic_etl.submit.follow import follow
from crossic_etl.submit.job import SubmitError, TrainingJob, UnreachableError
from tests.submit.recorder import Answer, Recorder, Request

Tree = dict[str, Any]
ROOT = Path(__file__).resolve().parents[2]
SETTINGS = Databricks(
    node_type="p5.48xlarge", runtime="17.3.x-gpu-ml-scala2.13",
    wheel="/Volumes/main/ml/wheels/crossic_etl-0.1.0-py3-none-any.whl", packages=("peft>=0.17",),
    policy="ABC",
)  # fmt: skip
CREDENTIAL = "credential-of-the-test"


@pytest.fixture(autouse=True)
def signed_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No sign-in of the machine's own is found."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("DATABRICKS_HOST", "DATABRICKS_TOKEN", "DATABRICKS_CONFIG_PROFILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def signed_in(monkeypatch: pytest.MonkeyPatch, recorder: Recorder) -> None:
    monkeypatch.setenv("DATABRICKS_HOST", recorder.url)
    monkeypatch.setenv("DATABRICKS_TOKEN", CREDENTIAL)


def test_the_body_holds_no_field_that_the_sdk_does_not_know(
    job: Callable[..., TrainingJob],
) -> None:
    given = job(
        gpus_per_node=8, hours=3, environment={"NOTE": "ไทย"}, secrets={"HF_TOKEN": "hub/token"},
        databricks=SETTINGS,
    )  # fmt: skip
    body = json.loads(DatabricksRun(given).render())
    (task,) = body.pop("tasks")
    assert SubmitTask.from_dict(task).as_dict() == task
    assert body == {
        "run_name": given.name, "idempotency_token": given.name, "timeout_seconds": 10_800,
    }  # fmt: skip


def test_a_run_is_a_cluster_of_one_node_with_the_package(job: Callable[..., TrainingJob]) -> None:
    given = job(
        gpus_per_node=8, databricks=SETTINGS, environment={"NOTE": "x"},
        secrets={"HF_TOKEN": "hub/token"},
    )  # fmt: skip
    (task,) = DatabricksRun(given).payload()["tasks"]
    assert task["new_cluster"] == {
        "spark_version": SETTINGS.runtime,
        "node_type_id": SETTINGS.node_type,
        "policy_id": "ABC",
        "num_workers": 0,
        "custom_tags": {"ResourceClass": "SingleNode"},
        "spark_conf": {
            "spark.databricks.cluster.profile": "singleNode", "spark.master": "local[*]",
        },
        "spark_env_vars": {"NOTE": "x", "HF_TOKEN": "{{secrets/hub/token}}"},
        "data_security_mode": "SINGLE_USER",
    }  # fmt: skip
    assert task["libraries"] == [{"whl": SETTINGS.wheel}, {"pypi": {"package": "peft>=0.17"}}]


def test_the_task_is_the_packages_own_entry_point(job: Callable[..., TrainingJob]) -> None:
    (task,) = DatabricksRun(job(gpus_per_node=8, databricks=SETTINGS)).payload()["tasks"]
    wheel = task["python_wheel_task"]
    assert wheel["parameters"] == ["--processes=8", "--yaml=output: /data/模型\n"]
    setup = configparser.ConfigParser(interpolation=None)
    setup.read(ROOT / "setup.cfg")
    assert setup["metadata"]["name"] == wheel["package_name"]
    scripts = setup["options.entry_points"]["console_scripts"].split("\n")
    entries = dict(line.split(" = ") for line in scripts if line)
    module, _, function = entries[wheel["entry_point"]].partition(":")
    assert callable(getattr(importlib.import_module(module), function))


@pytest.mark.parametrize("missing", ["node_type", "runtime", "wheel"])
def test_what_a_run_needs_must_be_given(job: Callable[..., TrainingJob], missing: str) -> None:
    settings = Databricks(**{**vars(SETTINGS), missing: ""})
    with pytest.raises(SubmitError, match=f"submit.databricks.{missing}: '' given"):
        DatabricksRun(job(databricks=settings)).render()


def test_one_node_is_the_most(job: Callable[..., TrainingJob]) -> None:
    with pytest.raises(SubmitError, match=r"submit.nodes: 2 given, expected 1 on databricks"):
        DatabricksRun(job(nodes=2, databricks=SETTINGS)).render()


def test_a_configuration_longer_than_databricks_takes_is_refused(
    job: Callable[..., TrainingJob],
) -> None:
    fits, long = "a: " + "ก" * 3300, "a: " + "ก" * 3400
    DatabricksRun(job(fits, databricks=SETTINGS)).render()
    with pytest.raises(SubmitError, match="longer than 10000 bytes"):
        DatabricksRun(job(long, databricks=SETTINGS)).render()


def test_a_secret_of_the_environment_is_refused(job: Callable[..., TrainingJob]) -> None:
    given = job(databricks=SETTINGS, secrets={"HF_TOKEN": "environment"})
    with pytest.raises(SubmitError, match=r"submit.secrets.HF_TOKEN: scope/key of a Databricks"):
        DatabricksRun(given).render()


class Api:
    """The Jobs API as a submission sees it: the run goes through the given states."""

    def __init__(self, *states: Tree, error: str | None = None) -> None:
        self._states = list(states)
        self._error = error

    def __call__(self, request: Request) -> Answer:
        action = request.path.rpartition("/")[2]
        if action == "submit":
            return 200, {"run_id": 4711}
        if action == "get":
            state = self._states.pop(0) if len(self._states) > 1 else self._states[0]
            tasks = [{"task_key": "training", "run_id": 4712}]
            return 200, {"run_id": 4711, "run_page_url": "http://w/4711", "state": state,
                         "tasks": tasks}  # fmt: skip
        if action == "get-output":
            assert request.query == "run_id=4712"
            return 200, {"error": self._error} if self._error else {}
        return 404, {"error_code": "NOT_FOUND", "message": "no such path"}


PENDING = {"life_cycle_state": "PENDING"}
RUNNING = {"life_cycle_state": "RUNNING"}
SUCCESS = {"life_cycle_state": "TERMINATED", "result_state": "SUCCESS"}
FAILED = {
    "life_cycle_state": "TERMINATED",
    "result_state": "FAILED",
    "state_message": "Task failed\n",
}


@pytest.mark.usefixtures("signed_in")
def test_a_run_is_submitted_as_printed_and_followed_to_its_end(
    job: Callable[..., TrainingJob], recorder: Recorder
) -> None:
    recorder.answer = Api(PENDING, RUNNING, RUNNING, SUCCESS)
    run = DatabricksRun(
        job(gpus_per_node=8, hours=1, databricks=SETTINGS, secrets={"HF_TOKEN": "hub/token"})
    )
    run.check()
    assert recorder.sent("POST") == []
    job_id = run.submit()
    lines: list[str] = []
    assert (job_id, follow(run, job_id, 0, lines.append)) == ("4711", 0)
    (sent,) = recorder.sent("POST")
    assert sent.path.endswith("/jobs/runs/submit")
    assert sent.body == json.loads(run.render())
    assert sent.authorization == f"Bearer {CREDENTIAL}"
    assert lines == [
        "Databricks run 4711: PENDING, http://w/4711",
        "Databricks run 4711: RUNNING, http://w/4711",
        "Databricks run 4711: TERMINATED, http://w/4711; SUCCESS",
    ]
    assert CREDENTIAL not in "".join([run.render(), *lines])


@pytest.mark.usefixtures("signed_in")
@pytest.mark.parametrize(
    ("state", "error", "words"),
    [
        (FAILED, "SystemExit: 1\n  at x", "FAILED; Task failed; SystemExit: 1"),
        ({"life_cycle_state": "INTERNAL_ERROR"}, None, "INTERNAL_ERROR"),
        ({"life_cycle_state": "SKIPPED"}, None, "SKIPPED"),
        ({"life_cycle_state": "TERMINATED", "result_state": "CANCELED"}, None, "CANCELED"),
        ({"life_cycle_state": "TERMINATED", "result_state": "TIMEDOUT"}, None, "TIMEDOUT"),
        ({"life_cycle_state": "TERMINATED"}, None, "TERMINATED"),
    ],
)
def test_a_run_that_ends_otherwise_has_failed(
    job: Callable[..., TrainingJob],
    recorder: Recorder,
    state: Tree,
    error: str | None,
    words: str,
) -> None:
    recorder.answer = Api(RUNNING, state, error=error)
    run = DatabricksRun(job(databricks=SETTINGS))
    lines: list[str] = []
    assert follow(run, run.submit(), 0, lines.append) == 1
    assert lines[-1].endswith(f"; {words}")


@pytest.mark.usefixtures("signed_in")
def test_what_databricks_refuses_is_one_line_in_its_words(
    job: Callable[..., TrainingJob], recorder: Recorder
) -> None:
    message = "Node type p5 is not supported.\nSupported: g5"
    recorder.answer = lambda request: (
        400,
        {"error_code": "INVALID_PARAMETER_VALUE", "message": message},
    )
    with pytest.raises(SubmitError, match="Databricks: Node type p5 is not supported") as refused:
        DatabricksRun(job(databricks=SETTINGS)).submit()
    assert "\n" not in str(refused.value)
    assert not isinstance(refused.value, UnreachableError)


@pytest.mark.usefixtures("signed_in")
def test_a_service_in_trouble_may_recover(
    job: Callable[..., TrainingJob], recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databricks_run, "SECONDS", 1)
    recorder.answer = lambda request: (500, {"error_code": "INTERNAL_ERROR", "message": "oh"})
    with pytest.raises(UnreachableError, match="Databricks: no answer"):
        DatabricksRun(job(databricks=SETTINGS)).state("4711")


def test_credentials_must_be_here(job: Callable[..., TrainingJob]) -> None:
    with pytest.raises(SubmitError, match="no credentials for Databricks") as missing:
        DatabricksRun(job(databricks=SETTINGS)).check()
    assert "\n" not in str(missing.value)


def test_a_profile_must_exist(job: Callable[..., TrainingJob]) -> None:
    settings = Databricks(**{**vars(SETTINGS), "profile": "none"})
    with pytest.raises(SubmitError, match="no credentials for Databricks"):
        DatabricksRun(job(databricks=settings)).check()


def test_the_client_must_be_installed(
    job: Callable[..., TrainingJob], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "databricks.sdk", None)
    with pytest.raises(SubmitError, match=r"pip install 'crossic-etl\[databricks\]'"):
        DatabricksRun(job(databricks=SETTINGS)).render()
