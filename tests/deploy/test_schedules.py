"""The monthly schedules: each downloads the newest whole dumps, and then runs on them."""

from __future__ import annotations

import ast
import json
import os
import shlex
import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from crossic_etl.cli import download, run
from crossic_etl.config import Config, load_config

DEPLOY = Path(__file__).parents[2] / "deploy"
INSTALLED = "/etc/crossic-etl/config.yaml"
# What an owner of the installed file may have in it.
WRITTEN = 'root: /tables\nlanguages: [th]\nwikipedia: {dumps: /dumps, date: "20250101"}\n'


def config_of(command: list[str], folder: Path, text: str) -> Config:
    """The configuration of a command line whose file has this text."""
    path = folder / "config.yaml"
    path.write_text(text)
    is_download = "download" in command
    start = command.index("download" if is_download else "jobs/pipeline.py") + 1
    arguments = [argument.replace(INSTALLED, str(path)) for argument in command[start:]]
    kind = download if is_download else run
    given = kind.command.make_context("x", arguments).params
    return load_config(given["path"], given["overrides"])


def in_crontab() -> tuple[list[str], list[str]]:
    """The two commands of the crontab's line."""
    line = (DEPLOY / "crontab").read_text().splitlines()[-1]
    words = shlex.split(line)
    before, _, after = words[words.index("-c") + 1].partition(" && ")
    home = "/opt/crossic-etl/"
    return shlex.split(before), [word.removeprefix(home) for word in shlex.split(after)]


def in_systemd() -> tuple[list[str], list[str]]:
    """The two commands of the service."""
    service = ConfigParser()
    service.read(DEPLOY / "crossic-etl.service")
    found = service["Service"]
    return shlex.split(found["ExecStartPre"]), shlex.split(found["ExecStart"])


@pytest.mark.parametrize("commands", [in_crontab(), in_systemd()], ids=["cron", "systemd"])
def test_a_machine_beside_the_cluster_downloads_first_and_runs_on_the_newest(
    commands: tuple[list[str], list[str]], tmp_path: Path
) -> None:
    first, second = commands
    assert first[0] == "/opt/crossic-etl/.venv/bin/crossic-etl"
    assert "download" in first and "jobs/pipeline.py" in second
    for command in commands:
        assert config_of(command, tmp_path, WRITTEN).wikipedia.date == "latest"


def manifest(kind: str) -> dict[str, Any]:
    path = DEPLOY / "kubernetes" / "cronjob.yaml"
    (found,) = [one for one in yaml.safe_load_all(path.read_text()) if one["kind"] == kind]
    return found  # type: ignore[no-any-return]


def test_the_pod_downloads_before_its_driver_starts(tmp_path: Path) -> None:
    pod = manifest("CronJob")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (first,), (driver,) = pod["initContainers"], pod["containers"]
    text = manifest("ConfigMap")["data"]["config.yaml"]
    for command in (first["command"], driver["args"]):
        assert config_of(command, tmp_path, text).wikipedia.date == "latest"
    assert first["image"] == driver["image"]
    secret = {one["name"] for one in first["env"]}
    assert secret == {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}


def commands_of_the_dag() -> dict[str, str]:
    """The DAG's command lines, which need no Airflow to be read."""
    tree = ast.parse((DEPLOY / "airflow" / "crossic_etl_dag.py").read_text())
    assigned = [node for node in tree.body if isinstance(node, ast.Assign)]
    named = {
        node.targets[0].id: node.value for node in assigned if isinstance(node.targets[0], ast.Name)
    }
    return {name: ast.literal_eval(named[name]) for name in ("DOWNLOAD", "COMMAND")}


# Stands for Python: shows its arguments and what the download prints.
PYTHON = """#!/bin/sh
printf '%s\\n' "$@" >> "{calls}"
echo 'not 20260301: langlinkstable is waiting'
echo 'to configure:'
echo '  wikipedia.date: "20260201"'
echo '  crawl.sources: a source with path /web'
exit {status}
"""


@pytest.mark.parametrize("status", [0, 1])
def test_the_dags_download_ends_in_the_date_for_the_other_tasks(
    tmp_path: Path, status: int
) -> None:
    python, calls = tmp_path / "python", tmp_path / "calls"
    python.write_text(PYTHON.format(calls=calls, status=status))
    python.chmod(0o755)
    own = {
        "CROSSIC_ETL_PYTHON": str(python),
        "CROSSIC_ETL_CONFIG": "/etc/my config.yaml",
        "CROSSIC_ETL_DATE": "latest",
    }
    command = ["bash", "-c", commands_of_the_dag()["DOWNLOAD"]]
    done = subprocess.run(
        command, env={**os.environ, **own}, capture_output=True, text=True, check=False
    )
    assert done.returncode == status
    lines = done.stdout.splitlines()
    assert (lines[0], lines[-1]) == ("not 20260301: langlinkstable is waiting", "20260201")
    arguments = calls.read_text().splitlines()
    assert arguments == [
        "jobs/download.py", "--config", "/etc/my config.yaml", "--set", "wikipedia.date='latest'",
    ]  # fmt: skip


def test_the_dags_jobs_take_the_date_of_its_download(tmp_path: Path) -> None:
    submit = tmp_path / "submit"
    submit.write_text(f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n")
    submit.chmod(0o755)
    (tmp_path / "config.yaml").write_text(WRITTEN)
    own = {
        "CROSSIC_ETL_SUBMIT": str(submit),
        "CROSSIC_ETL_CONFIG": INSTALLED,
        "CROSSIC_ETL_DATE": "20260201",
    }
    command = ["bash", "-c", commands_of_the_dag()["COMMAND"] + "pages"]
    done = subprocess.run(
        command, env={**os.environ, **own}, capture_output=True, text=True, check=True
    )
    arguments = json.loads(done.stdout)
    assert arguments[-2:] == ["--only", "pages"]
    assert config_of(arguments, tmp_path, WRITTEN).wikipedia.date == "20260201"


def test_no_schedule_names_a_month() -> None:
    texts = [path.read_text("utf-8", "replace") for path in DEPLOY.rglob("*") if path.is_file()]
    assert not [text for text in texts if '"20260101"' in text]
