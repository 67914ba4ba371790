"""The bundle for Databricks, loaded into the types of its own Python package."""

from __future__ import annotations

import ast
import os
import sys
import zipfile
from configparser import ConfigParser
from dataclasses import replace
from email.parser import Parser
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml
from databricks.bundles.jobs import Job, Task

from crossic_etl.cli import __main__ as cli
from crossic_etl.cli import download, run
from crossic_etl.config import Config, load_config
from crossic_etl.config.crawl import Crawl, CrawlSource, Neighbours
from crossic_etl.pipeline import flow
from tests.deploy.test_packages import load_pack

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "databricks"
BUNDLE: dict[str, Any] = yaml.safe_load((FOLDER / "databricks.yml").read_text())
JOBS = {name: Job.from_dict(tree) for name, tree in BUNDLE["resources"]["jobs"].items()}


def tasks(command: str = "run") -> list[Task]:
    """Those that run a command of ours."""
    every = [task for job in JOBS.values() for task in job.tasks if task.python_wheel_task]
    return [task for task in every if task.python_wheel_task.parameters[0] == command]


def config_of(task: Task, date: str = "20260201") -> tuple[Config, str | None]:
    """The configuration that a task's arguments give, and the job that it runs alone."""
    values = {
        "${workspace.file_path}": str(ROOT),
        "{{job.parameters.root}}": "lake.crossic",
        "{{job.parameters.date}}": date,
        "{{task.name}}": task.task_key,
    }
    arguments = list(task.python_wheel_task.parameters)
    for name, value in values.items():
        arguments = [argument.replace(name, str(value)) for argument in arguments]
    command = {"run": run.command, "download": download.command}[arguments.pop(0)]
    given = command.make_context("x", arguments).params
    return load_config(given["path"], given["overrides"]), given["only"]


def test_a_field_that_databricks_does_not_know_is_seen() -> None:
    tree = BUNDLE["resources"]["jobs"]["pipeline"]
    with pytest.raises(ValueError, match="Unexpected field 'cron'"):
        Job.from_dict({**tree, "cron": "monthly"})


@pytest.mark.parametrize("task", tasks(), ids=lambda task: str(task.task_key))
def test_a_task_runs_the_pipeline_with_a_configuration_that_is_ours(task: Task) -> None:
    config, only = config_of(task)
    assert (config.root, config.wikipedia.date) == ("lake.crossic", "20260201")
    assert only == (None if task.task_key == "pipeline" else task.task_key)
    assert flow.choose(config, None, [only] if only else [])
    wheel = task.python_wheel_task
    assert wheel and (wheel.package_name, wheel.entry_point) == ("crossic_etl", "crossic-etl")


@pytest.mark.parametrize("name", ["pipeline", "pipeline_serverless"])
def test_the_first_task_downloads_the_dumps_that_are_then_read(name: str) -> None:
    first, second, *_ = JOBS[name].tasks
    assert first.task_key == "download" and not first.depends_on
    assert [one.task_key for one in second.depends_on] == ["download"]
    newest = BUNDLE["variables"]["date"]["default"]
    for task in (first, second):
        config, _ = config_of(task, newest)
        assert (config.wikipedia.date, config.wikipedia.dumps) == (
            "latest",
            "/Volumes/main/crossic/dumps",
        )


def test_a_task_that_downloads_has_the_packages_of_the_extra() -> None:
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    extra = setup["options.extras_require"]["download"].split("\n")
    wanted = [line.replace(" ", "") for line in extra if line]
    of_machines, of_serverless = tasks("download")
    assert [one.pypi.package for one in of_machines.libraries if one.pypi] == wanted
    (environment,) = JOBS["pipeline_serverless"].environments
    assert of_serverless.environment_key == environment.environment_key
    assert environment.spec.dependencies[1:] == wanted


def test_each_job_of_the_pipeline_is_a_task_after_those_that_write_what_it_reads() -> None:
    after: dict[str, set[str]] = {}
    for task in filter(lambda task: task in tasks(), JOBS["pipeline"].tasks):
        before = {str(one.task_key) for one in task.depends_on} - {"download"}
        after[str(task.task_key)] = before.union(*[after[name] for name in before])
    assert list(after) == flow.names()
    crawl = Crawl((CrawlSource("/data/crawl"),))
    arrangements = ("en-first", "retrieved")
    config = Config("/t", ("th",), crawl=crawl, arrangements=arrangements)
    config = replace(config, neighbours=Neighbours(calibrate=True))
    n_edges = 0
    for place, reader in enumerate(flow.JOBS):
        for writer in flow.JOBS[:place]:
            if set(reader.reads(config)) & set(writer.writes):
                n_edges += 1
                assert writer.name in after[reader.name], f"{reader.name} reads {writer.name}"
    assert n_edges >= len(flow.JOBS)


def test_the_last_task_is_a_notebook_with_all_of_its_widgets_and_what_it_imports() -> None:
    *_, before, last = JOBS["pipeline"].tasks
    assert [one.task_key for one in last.depends_on] == [before.task_key] == ["windows"]
    path = (FOLDER / str(last.notebook_task.notebook_path)).resolve()
    notebook = nbformat.read(path, as_version=4)
    code = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    names = {
        ast.literal_eval(call.args[0]) for call in calls if ast.unparse(call.func) == "parameter"
    }
    assert last.notebook_task.base_parameters.keys() == names
    assert last.notebook_task.base_parameters["root"] == "{{job.parameters.root}}"
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    plots = setup["options.extras_require"]["plots"].split("\n")
    packages = [library.pypi.package for library in last.libraries if library.pypi]
    assert packages == [line.replace(" ", "") for line in plots if line]


def test_what_is_synced_keeps_the_repository_tree_and_holds_config_and_notebook() -> None:
    synced = [(FOLDER / path).resolve() for path in BUNDLE["sync"]["paths"]]
    assert Path(os.path.commonpath(synced)) == ROOT  # what ${workspace.file_path} is a copy of
    assert synced == [FOLDER, ROOT / "notebooks"]


def test_one_run_at_a_time_on_machines_or_without() -> None:
    machines, serverless = JOBS["pipeline"], JOBS["pipeline_serverless"]
    assert machines.max_concurrent_runs == serverless.max_concurrent_runs == 1
    assert machines.job_clusters and not serverless.job_clusters
    (environment,) = serverless.environments
    assert {task.environment_key for task in serverless.tasks} == {environment.environment_key}
    assert {task.job_cluster_key for task in machines.tasks} == {
        cluster.job_cluster_key for cluster in machines.job_clusters
    }


def test_every_variable_is_declared() -> None:
    text = (FOLDER / "databricks.yml").read_text()
    used = {part.split("}")[0] for part in text.split("${var.")[1:]}
    assert used == set(BUNDLE["variables"])


@pytest.mark.slow
def test_the_wheel_has_the_jobs_and_the_command_and_asks_for_no_spark(tmp_path: Path) -> None:
    (tmp_path / "crossic_etl-0.0.1-py3-none-any.whl").touch()
    wheel = load_pack().build_wheel(tmp_path)
    assert list(tmp_path.iterdir()) == [wheel]
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (info,) = [name for name in names if name.endswith(".dist-info/METADATA")]
        required = Parser().parsestr(archive.read(info).decode()).get_all("Requires-Dist") or []
        commands = archive.read(info.replace("METADATA", "entry_points.txt")).decode()
    assert "crossic_etl/kernels/wikitext/data/wikis.tsv" in names
    assert {name.partition("/")[0] for name in names if ".dist-info" not in name} == {"crossic_etl"}
    own = [one for one in required if "extra ==" not in one]
    assert any(one.startswith("faiss-cpu") for one in own)
    assert not [one for one in own if one.startswith(("pyspark", "delta-spark"))]
    assert "crossic-etl = crossic_etl.cli.__main__:console" in commands


def test_the_command_raises_a_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["crossic-etl", "--config", str(tmp_path / "no.yaml")])
    with pytest.raises(SystemExit) as raised:
        cli.console()
    assert raised.value.code == 1
    assert "no.yaml" in capsys.readouterr().err
