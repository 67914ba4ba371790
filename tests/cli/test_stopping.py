"""Ctrl-C and SIGTERM end a real run with one line, and the same command goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from crossic_etl.cli.actions import guarded
from crossic_etl.cli.stopping import LINE, NOISE, Stop, stopping, without_noise
from crossic_etl.log import console_logging
from crossic_etl.tables.lock import LockedError
from tests.support.tiny_dumps import write_config

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_one_line_whatever_the_action_raises_then(
    number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    def action() -> None:
        try:
            signal.raise_signal(number)
        finally:
            raise OSError("the connection is gone")

    before = signal.getsignal(number)
    with console_logging():
        assert guarded(action) == 128 + number
    assert tuple(capsys.readouterr()) == ("", f"{LINE}\n")
    assert signal.getsignal(number) is before


def test_threads_say_nothing_after_a_signal(capsys: pytest.CaptureFixture[str]) -> None:
    def say() -> None:
        print("Exception occurred during processing of request", file=sys.stderr)

    def action() -> None:
        for stopped in (False, True):
            thread = threading.Thread(target=say)
            thread.start()
            thread.join()
            if not stopped:
                with suppress(KeyboardInterrupt):
                    signal.raise_signal(signal.SIGINT)
        raise OSError("the connection is gone")

    before = sys.stderr
    with console_logging():
        assert guarded(action) == 130
    assert capsys.readouterr().err == f"Exception occurred during processing of request\n{LINE}\n"
    assert sys.stderr is before


def test_a_lock_that_was_lost_says_so_itself(capsys: pytest.CaptureFixture[str]) -> None:
    def action() -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise LockedError("another run took over") from None

    with console_logging():
        assert guarded(action) == 1
    assert tuple(capsys.readouterr()) == ("", "error: another run took over\n")


def test_a_signal_that_is_ignored_stays_so_and_threads_have_none() -> None:
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with stopping():
            assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
            assert isinstance(signal.getsignal(signal.SIGINT), Stop)
    finally:
        signal.signal(signal.SIGTERM, before)
    status: list[int] = []
    thread = threading.Thread(target=lambda: status.append(guarded(lambda: 3)))
    thread.start()
    thread.join()
    assert status == [3]


def test_what_java_says_of_itself_is_dropped_in_whatever_pieces_it_comes() -> None:
    said = b"".join([b"a\n", *NOISE, b"Set", b"b\nWARNING: x\n", NOISE[1], b"OutOfMemoryError"])
    for size in (1, 7, 1000):
        shown, kept = b"", b""
        for start in range(0, len(said), size):
            more, kept = without_noise(kept + said[start : start + size])
            shown += more
        assert (shown, kept) == (b"a\nSetb\nWARNING: x\nOutOfMemoryError", b"")


# What a run has said before the signal: nothing but its root is said before the session starts.
MOMENTS = [
    ("root: ", signal.SIGTERM, False),
    ("samples: started", signal.SIGINT, True),
]


def start(config: Path) -> subprocess.Popen[str]:
    """A run in a group of its own, as a shell starts it."""
    return subprocess.Popen(
        [sys.executable, "-m", "crossic_etl", "run", "--config", str(config), "--no-wait"],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=config.parent, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.spark
def test_a_run_that_was_stopped_says_one_line_and_is_gone_on_with(tmp_path: Path) -> None:
    config = write_config(tmp_path)
    for said, number, whole_group in MOMENTS:
        with start(config) as running:
            assert running.stdout is not None
            assert any(line.startswith(said) for line in running.stdout), said
            if said == "root: ":  # Java is starting now
                with pytest.raises(subprocess.TimeoutExpired):
                    running.wait(2)
            (os.killpg if whole_group else os.kill)(running.pid, number)
            out, err = running.communicate(timeout=120)
        assert (running.returncode, err) == (128 + number, f"{LINE}\n"), (said, number)
        assert not [word for word in ("Traceback", "at org.apache", "ERROR") if word in out]
    with start(config) as running:
        out, err = running.communicate(timeout=300)
    assert (running.returncode, err) == (0, "")
    assert "windows: " in out
