"""The DAG in a real Airflow, which has an environment of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from crossic_etl.cli import run
from crossic_etl.config import load_config
from crossic_etl.pipeline import flow

pytestmark = pytest.mark.platform

ROOT = Path(__file__).parents[2]
AIRFLOW = "apache-airflow>=3.1,<4"
# A submitter that writes down what it is asked for, and fails in one job.
SUBMIT = """#!/bin/sh
printf '%s\\n' "$@" | "{python}" -c 'import json, sys
print(json.dumps(sys.stdin.read().splitlines()))' >> "{calls}"
case "$*" in *"--only {failing}") exit 3;; esac
"""
# One for Python, which writes down what it is asked for and prints the date as the download does.
DOWNLOAD = """#!/bin/sh
echo "$@" >> "{calls}"
echo '  wikipedia.date: "20260201"'
"""
RUN = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
bag = DagBag(sys.argv[1])
assert not bag.import_errors, bag.import_errors
dag = bag.dags["crossic_etl"]
for task in dag.tasks:
    task.retries = 0  # each is ten minutes later
run = dag.test(run_conf=json.loads(sys.argv[2]))
print("state " + run.state)
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with Airflow."""
    given = os.environ.get("CROSSIC_ETL_AIRFLOW")  # one that is there already
    if given:
        return Path(given)
    folder = tmp_path_factory.mktemp("airflow")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", AIRFLOW], check=True)
    return python


def run_dag(python: Path, folder: Path, conf: dict[str, str], failing: str) -> tuple[str, list]:
    """The state that a run ends in, and the arguments of each call of the submitter."""
    submit, calls = folder / "submit", folder / "calls.jsonl"
    submit.write_text(SUBMIT.format(python=sys.executable, calls=calls, failing=failing))
    submit.chmod(0o755)
    download = folder / "python-that-downloads"
    download.write_text(DOWNLOAD.format(calls=folder / "downloads"))
    download.chmod(0o755)
    own = {
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "deploy" / "airflow"),
        "AIRFLOW_VAR_CROSSIC_ETL_HOME": str(ROOT),
        "AIRFLOW_VAR_CROSSIC_ETL_CONFIG": "/etc/crossic etl/config.yaml",
        "AIRFLOW_VAR_CROSSIC_ETL_SUBMIT": str(submit),
        "AIRFLOW_VAR_CROSSIC_ETL_PYTHON": str(download),
        "PATH": f"{python.parent}:{os.environ['PATH']}",
        "HOME": str(folder),
    }
    for command in (
        [python, "-m", "airflow", "db", "migrate"],
        [python, "-m", "airflow", "dags", "reserialize"],
        [python, "-c", RUN, ROOT / "deploy" / "airflow", json.dumps(conf)],
    ):
        done = subprocess.run(
            list(map(str, command)), env=own, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    (state,) = [line[6:] for line in done.stdout.splitlines() if line.startswith("state ")]
    lines = calls.read_text().splitlines() if calls.exists() else []
    return state, [json.loads(line) for line in lines]


def test_a_run_submits_each_job_of_the_pipeline_in_order(python: Path, tmp_path: Path) -> None:
    state, calls = run_dag(python, tmp_path, {"date": "20260201"}, failing="none")
    assert state == "success"
    assert {call[0] for call in calls} == {"jobs/pipeline.py"}
    given = [run.command.make_context("run", call[1:]).params for call in calls]
    assert [one["only"] for one in given] == flow.names()
    assert {one["path"] for one in given} == {"/etc/crossic etl/config.yaml"}
    written = tmp_path / "config.yaml"
    written.write_text("root: lake\nlanguages: [th]\nwikipedia: {dumps: dumps}\n")
    for one in given:
        assert load_config(written, one["overrides"]).wikipedia.date == "20260201"


def test_a_job_that_fails_ends_the_run_before_the_next(python: Path, tmp_path: Path) -> None:
    state, calls = run_dag(python, tmp_path, {}, failing="pairs")
    assert state == "failed"
    assert [call[-1] for call in calls] == ["pages", "links", "pairs"]
    dates = {call[call.index("--set") + 1] for call in calls}
    assert dates == {"wikipedia.date='20260201'"}
    assert "wikipedia.date='latest'" in (tmp_path / "downloads").read_text()


def test_a_parameter_that_is_no_date_is_refused(python: Path, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="Invalid input for param date"):
        run_dag(python, tmp_path, {"date": "x'; rm -r /tmp/x"}, failing="none")
    assert not (tmp_path / "calls.jsonl").exists()
    assert not (tmp_path / "downloads").exists()
