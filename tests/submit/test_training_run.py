"""The job with real training at its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.commands import submit as main
from tests.training.tiny import TOKENIZER, windows, write_export, write_model, write_training

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
Submitted = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture
def config(tmp_path: Path) -> str:
    """Training in two processes on an export and a model that fit each other."""
    return write_training(tmp_path, submit={"gpus_per_node": 0, "processes_per_node": 2})


@pytest.fixture
def submitted(config: str, capfd: pytest.CaptureFixture[str]) -> Submitted:
    """``submitted("--set", "seed=1")``: status, output and errors of a job that is followed."""

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(["--config", config, "--wait", "--interval", "0.2", *arguments])
        out, err = capfd.readouterr()
        return status, out, err

    return run


def only_error(err: str) -> str:
    """The one line that says why nothing was trained, or not to its end."""
    (line,) = [line for line in err.splitlines() if "error" in line.lower()]
    assert line.startswith("error: ")
    assert "Traceback" not in err
    return line


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_training_runs_to_its_end(submitted: Submitted, tmp_path: Path) -> None:
    status, out, err = submitted()
    assert status == 0, err
    assert (tmp_path / "output" / "final" / "model.safetensors").exists()
    assert int(out.splitlines()[0]) > 1
    assert "ended with exit status 0" in err


def test_a_damaged_shard_is_one_line_before_anything_starts(
    submitted: Submitted, tmp_path: Path
) -> None:
    damage(tmp_path / "export" / "train" / "00000.parquet")
    status, out, err = submitted()
    assert (status, out) == (1, "")
    assert only_error(err).endswith("the file is damaged")


def test_a_damaged_shard_that_training_finds_is_one_line(
    submitted: Submitted, tmp_path: Path
) -> None:
    damage(tmp_path / "export" / "train" / "00000.parquet")
    status, _, err = submitted("--skip-checksums")
    assert status == 1
    assert only_error(err).endswith("the file is damaged")
    assert not (tmp_path / "output").exists()


def test_a_loss_that_diverges_is_one_line(submitted: Submitted, tmp_path: Path) -> None:
    status, _, err = submitted("--set", "optimizer.learning_rate=1.0e+30")
    assert status == 1
    assert only_error(err).startswith("error: optimizer.learning_rate: 1e+30 is too high")
    assert not (tmp_path / "output" / "final").exists()


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["device=cuda"], "device: 0 GPUs found, 1 processes"),
        (["model.name=short"], "model.name: short sees 16 tokens, the windows have 32"),
        (["exports=[export, other]", "validation.exports={a: export}"], "other: made with another"),
    ],
)
def test_what_training_finds_by_itself_is_one_line(
    config: str, monkeypatch: pytest.MonkeyPatch, overrides: list[str], words: str
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    write_model(Path("short"), max_position_embeddings=16)
    other = replace(TOKENIZER, name="another")
    write_export(Path("other"), windows(4, seed=2), windows(4, seed=3), tokenizer=other)
    given = [part for override in overrides for part in ("--set", override)]
    done = subprocess.run(
        [sys.executable, "-m", "crossic_etl.submit.torchrun", "--standalone",
         "-m", "crossic_etl.training", "--config", config, *given],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert only_error(done.stderr).startswith(f"error: {words}")
    assert not Path("output").exists()


def heed_hangups() -> None:
    """Though the tests may run under nohup."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.mark.parametrize(
    ("number", "in_training"),
    [(signal.SIGTERM, True), (signal.SIGINT, False), (signal.SIGHUP, False)],
)
def test_an_ended_wait_stops_training_on_this_machine(
    config: str, number: signal.Signals, in_training: bool
) -> None:
    metrics = Path("output") / "metrics.jsonl"
    command = [
        sys.executable,
        "-m",
        "crossic_etl",
        "submit",
        "--config",
        config,
        "--wait",
    ]
    with subprocess.Popen(
        [*command, "--set", "epochs=100000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True, preexec_fn=heed_hangups,
    ) as process:  # fmt: skip
        assert process.stderr is not None
        while not process.stderr.readline().startswith("running, process "):
            assert process.poll() is None
        while in_training and not metrics.exists():
            assert process.poll() is None
            time.sleep(0.1)
        os.killpg(process.pid, number)  # as a terminal does
        out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    (launcher,) = (int(line) for line in out.splitlines() if line.isdigit())
    assert err.splitlines()[-1] == f"stopped, process {launcher}"
    assert "Traceback" not in err and "error" not in err
    with pytest.raises(ProcessLookupError):
        os.kill(launcher, 0)
    if in_training:
        size = metrics.stat().st_size
        time.sleep(1)
        assert metrics.stat().st_size == size
