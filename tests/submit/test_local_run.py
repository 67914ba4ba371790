from __future__ import annotations

import importlib.util
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from crossic_etl.config.submit import Submit
from crossic_etl.submit import local_run
from crossic_etl.submit.follow import follow
from crossic_etl.submit.job import SubmitError, TrainingJob
from crossic_etl.submit.launch import main as launch
from crossic_etl.submit.local_run import LocalRun

TRAINER = "tests.submit.tiny_trainer"
ROOT = Path(__file__).resolve().parents[2]


def tiny(output: Path, seed: int, submit: Submit) -> TrainingJob:
    text = yaml.safe_dump({"output": str(output), "seed": seed, "device": "cpu"})
    return TrainingJob("tiny", text, submit, TRAINER)


def results(output: Path) -> list[dict[str, object]]:
    return [json.loads(path.read_text()) for path in sorted(output.glob("*.json"))]


TWO = Submit(
    gpus_per_node=0, processes_per_node=2, environment={"NOTE": "a b"},
    secrets={"HF_TOKEN": "environment"},
)  # fmt: skip


@pytest.fixture
def torchrun(monkeypatch: pytest.MonkeyPatch) -> None:
    if importlib.util.find_spec("torch") is None:
        pytest.skip("torch is not installed")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("HF_TOKEN", "from-outside")


@pytest.mark.slow
@pytest.mark.usefixtures("torchrun")
def test_a_followed_run_ends_as_its_processes_do(tmp_path: Path) -> None:
    run = LocalRun(tiny(tmp_path / "out", 0, TWO), tmp_path, followed=True)
    run.check()
    lines: list[str] = []
    assert follow(run, run.submit(), 0.1, lines.append) == 0
    assert lines[-1] == "ended with exit status 0"
    one = {"total": 3.0, "node": 0, "device": "cpu", "note": "a b", "hub": "from-outside"}
    assert results(tmp_path / "out") == [one, one]


@pytest.mark.slow
@pytest.mark.usefixtures("torchrun")
def test_a_run_that_is_not_followed_writes_a_log(tmp_path: Path) -> None:
    one = Submit(gpus_per_node=0)
    run = LocalRun(tiny(tmp_path / "out", 3, one), tmp_path, followed=False)
    job_id = run.submit()
    assert int(job_id) > 1
    while run.state(job_id).exit_status is None:
        time.sleep(0.1)
    assert run.state(job_id).exit_status == 1
    assert TRAINER in (tmp_path / "tiny.log").read_text()


@pytest.mark.slow
@pytest.mark.usefixtures("torchrun")
def test_an_interrupted_run_is_stopped(tmp_path: Path) -> None:
    run = LocalRun(tiny(tmp_path / "out", 0, Submit(gpus_per_node=0)), tmp_path, followed=True)
    job_id = run.submit()
    assert run.state(job_id).exit_status is None
    assert run.interrupted(job_id) == f"stopped, process {job_id}"
    status = run.state(job_id).exit_status
    assert status is not None and status > 0
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("torchrun")
def test_the_launcher_trains_from_text(tmp_path: Path) -> None:
    text = tiny(tmp_path / "out", 0, TWO).config_text
    launch([f"--yaml={text}", "--processes=1", f"--trainer={TRAINER}"])
    assert [one["total"] for one in results(tmp_path / "out")] == [1.0]


@pytest.mark.slow
@pytest.mark.usefixtures("torchrun")
def test_the_launcher_passes_on_a_failure() -> None:
    with pytest.raises(SystemExit) as ended:
        launch(["--yaml=a: 1", "--processes=1", "--trainer=tests.submit.none"])
    assert ended.value.code == 1


def test_the_command_is_printed_as_it_is_run(
    tmp_path: Path, job: Callable[..., TrainingJob]
) -> None:
    given = job(gpus_per_node=8, environment={"NOTE": "a b"})
    text = LocalRun(given, tmp_path, followed=False).render()
    assert text.splitlines()[0] == (
        f"NOTE='a b' {sys.executable} -m crossic_etl.submit.torchrun --standalone"
        f" --nproc-per-node=8 -m crossic_etl.training --config {tmp_path}/{given.name}.yaml"
    )
    assert text.endswith("\noutput: /data/模型\n")


@pytest.mark.parametrize("found", [0, 1])
def test_a_missing_gpu_is_said(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    job: Callable[..., TrainingJob],
    found: int,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(local_run, "COUNT_GPUS", f"print({found})")
    run = LocalRun(job(gpus_per_node=2), tmp_path, followed=False)
    with pytest.raises(SubmitError, match=rf"gpus_per_node: 2 given, {found} found .* \(0 trains"):
        run.check()
    LocalRun(job(gpus_per_node=found), tmp_path, followed=False).check()


def test_a_torch_that_is_broken_is_said_in_its_last_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, job: Callable[..., TrainingJob]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(local_run, "COUNT_GPUS", "raise ImportError('libcuda.so')")
    with pytest.raises(SubmitError, match=r"imported here \(ImportError: libcuda.so\)"):
        LocalRun(job(gpus_per_node=1), tmp_path, followed=False).check()


def test_torch_must_be_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, job: Callable[..., TrainingJob]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(SubmitError, match=r"torch is not installed \(pip install"):
        LocalRun(job(gpus_per_node=0), tmp_path, followed=False).check()


def test_a_secret_must_be_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, job: Callable[..., TrainingJob]
) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    given = job(gpus_per_node=0, secrets={"HF_TOKEN": "environment"})
    with pytest.raises(SubmitError, match=r"not set in the environment: HF_TOKEN"):
        LocalRun(given, tmp_path, followed=False).check()


def test_one_machine_is_one_node(tmp_path: Path, job: Callable[..., TrainingJob]) -> None:
    with pytest.raises(SubmitError, match=r"submit.nodes: 2 given, expected 1 on this machine"):
        LocalRun(job(nodes=2), tmp_path, followed=False).check()


def test_a_folder_that_cannot_be_written_is_said(
    tmp_path: Path, job: Callable[..., TrainingJob]
) -> None:
    run = LocalRun(job(), tmp_path / "none", followed=False)
    with pytest.raises(SubmitError, match="can't be written"):
        run.submit()
