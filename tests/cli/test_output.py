"""What the commands write where the terminal takes no UTF-8, or nothing at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONFIG = "root: /tmp/ดัมพ์é\nlanguages: [th]\nwikipedia: {dumps: /ดัมพ์é, date: 20260101}\n"
LINES = ("--help", "run --help", "config schema", "config init")


def command(folder: Path, line: str, **more: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "crossic_etl", *line.split()],
        env={"PYTHONPATH": str(ROOT), "PYTHONIOENCODING": str(more.pop("encoding", "utf-8"))},
        cwd=folder, stderr=subprocess.PIPE, check=False, **more,
    )  # fmt: skip


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_letters_that_the_terminal_lacks_are_escaped(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "my.yaml").write_text(CONFIG, encoding="utf-8")
    line = "run --config my.yaml --dry-run"
    done = command(tmp_path, line, encoding=encoding, stdout=subprocess.PIPE)
    assert done.returncode == 1 and done.stdout.startswith(rb"root: /tmp/\u0e14")
    assert (
        done.stderr.startswith(b"error: no pages-articles dump") and done.stderr.count(b"\n") == 1
    )
    line += " --log-format json"
    done = command(tmp_path, line, encoding=encoding, stdout=subprocess.PIPE)
    assert json.loads(done.stdout)["message"] == "root: /tmp/ดัมพ์é"
    assert "/ดัมพ์é/" in json.loads(done.stderr)["message"]
    done = command(tmp_path, "config schema", encoding=encoding, stdout=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (0, b"") and json.loads(done.stdout)


@pytest.mark.parametrize("line", LINES)
def test_a_reader_that_has_gone_is_no_error(tmp_path: Path, line: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = command(tmp_path, line, stdout=writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("line", LINES)
def test_a_full_disk_is_said_in_one_line(tmp_path: Path, line: str) -> None:
    with Path("/dev/full").open("wb") as full:
        done = command(tmp_path, line, stdout=full)
    assert (done.returncode, done.stderr) == (1, b"error: [Errno 28] No space left on device\n")


def test_a_configuration_may_come_by_a_pipe(tmp_path: Path) -> None:
    line = "run --config /dev/stdin --dry-run --only windows"
    done = command(tmp_path, line, stdout=subprocess.PIPE, input=CONFIG.encode())
    assert (done.returncode, done.stderr) == (0, b"")
