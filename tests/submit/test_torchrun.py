from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
LAUNCHER, PLAIN = "crossic_etl.submit.torchrun", "torch.distributed.run"

pytestmark = pytest.mark.slow


def run(folder: Path, seed: int, launcher: str = LAUNCHER) -> tuple[int, str]:
    """Two processes that fail as ``seed`` says: exit status and errors."""
    pytest.importorskip("torch")
    tree = {"model": {"name": "m"}, "exports": ["e"], "output": "o", "seed": seed}
    config = folder / "training.yaml"
    config.write_text(yaml.safe_dump(tree), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", launcher, "--standalone", "--nproc-per-node=2",
         "-m", "tests.submit.failing_trainer", "--config", str(config)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("seed", "line"),
    [
        (0, "error: the loss is nan"),
        (1, "error: row group 7 is damaged"),
        (2, "error: the loss is nan"),
    ],
)
def test_a_failure_in_words_is_one_line_whichever_process_has_it(
    tmp_path: Path, seed: int, line: str
) -> None:
    status, err = run(tmp_path, seed)
    assert status == 1
    assert [said for said in err.splitlines() if "error" in said.lower()] == [line]
    assert "Traceback" not in err


def test_a_crash_shows_its_traceback(tmp_path: Path) -> None:
    status, err = run(tmp_path, 3)
    assert status == 1
    assert "in raise_one" in err and "RuntimeError: a bug" in err
    assert "tests.submit.failing_trainer FAILED" in err
    assert "error: " not in err


def test_plain_torchrun_shows_the_line_of_any_process_in_its_table(tmp_path: Path) -> None:
    status, err = run(tmp_path, 0, PLAIN)
    assert status == 1
    assert err.count("error: the loss is nan") == 1
    assert "traceback : error: the loss is nan" in err
