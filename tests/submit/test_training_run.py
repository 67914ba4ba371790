"""The job with real training at its end."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.submit_training import main
from tests.training.tiny import windows, write_config, write_export, write_model

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    yield
    signal.signal(signal.SIGTERM, before)


def test_training_runs_to_its_end_or_fails_with_its_own_status(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("torch")
    export = write_export(tmp_path / "export", windows(16, seed=0), windows(4, seed=1))
    config = write_config(
        tmp_path / "training.yaml", write_model(tmp_path / "model"), export, tmp_path / "output",
        submit={"gpus_per_node": 0, "processes_per_node": 2},
    )  # fmt: skip
    arguments = ["--config", str(config), "--wait", "--interval", "0.2"]
    assert main(arguments) == 0, capfd.readouterr().err
    assert (tmp_path / "output" / "final" / "model.safetensors").exists()
    out, err = capfd.readouterr()
    assert int(out.splitlines()[0]) > 1
    assert "ended with exit status 0" in err

    shard = export / "train" / "00000.parquet"
    content = bytearray(shard.read_bytes())
    content[len(content) // 2] ^= 1
    shard.write_bytes(content)
    assert main([*arguments, "--set", f"output={os.fspath(tmp_path / 'again')}"]) == 1
    assert "the file is damaged" in capfd.readouterr().err
    assert not (tmp_path / "again" / "final").exists()
