"""Ctrl-C and SIGTERM end a command with one line.

In a session on this machine Java is a child process. What it and its Python workers print goes
through a pipe of this process, which drops it from the signal on. Under spark-submit Java is the
parent: it gets the terminal's Ctrl-C too, and what it prints is its own.
"""

from __future__ import annotations

import importlib
import io
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SIGNALS = (signal.SIGINT, signal.SIGTERM)
# Exit statuses of a shell's for a process that a signal ended.
STOPPED = tuple(128 + number for number in SIGNALS)
LINE = "stopped; run the same command to go on"
# What Java and Spark say of their own options as they start.
NOISE = (
    b"WARNING: Using incubator modules: jdk.incubator.vector\n",
    b'Setting default log level to "WARN".\n',
    b"To adjust logging level use sc.setLogLevel(newLevel). "
    b"For SparkR, use setLogLevel(newLevel).\n",
)
# Where pyspark logs an error of a query, beside raising it.
SPARK_LOGGERS = ("SQLQueryContextLogger", "DataFrameQueryContextLogger")
# Seconds that jobs of Spark have to be cancelled, and Java to end.
CANCEL, END = 5.0, 15.0
# Seconds in which a second signal is the same keystroke, sent twice.
ECHO = 0.5


class Stopped(KeyboardInterrupt):
    """A signal asked the command to end."""


@dataclass
class Stop:
    """Whether a signal came, and which."""

    number: int = 0
    since: float = 0.0

    @property
    def status(self) -> int:
        """The exit status of a process that the signal ended."""
        return 128 + self.number

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Cancels the jobs of Spark and raises; a second signal ends the process at once.

        Raises:
            Stopped: always, but where the process ends.
        """
        if self.number:
            if time.monotonic() - self.since > ECHO:
                print(LINE, file=sys.stderr, flush=True)
                os._exit(self.status)
            return
        self.number, self.since = number, time.monotonic()
        silence_java()
        sys.stderr = OwnThread(sys.stderr)
        within(CANCEL, cancel_jobs)
        raise Stopped


class OwnThread(io.TextIOBase):
    """Standard error for the thread that makes it; what others write is dropped.

    After a signal the servers that pyspark keeps in threads print that Java is gone.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream, self.owner = stream, threading.get_ident()

    def write(self, text: str) -> int:
        """Writes, in the own thread; the number of characters."""
        if threading.get_ident() == self.owner:
            self.stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Passes on what was written."""
        self.stream.flush()

    def fileno(self) -> int:
        """The descriptor, for processes that are started."""
        return self.stream.fileno()


@contextmanager
def stopping() -> Iterator[Stop]:
    """Inside, SIGINT and SIGTERM raise `Stopped`, where they aren't ignored (nohup)."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    stderr = sys.stderr
    for number, handler in before.items():
        if handler != signal.SIG_IGN:
            signal.signal(number, stop)
    try:
        yield stop
    finally:
        sys.stderr = stderr
        for number, handler in before.items():
            signal.signal(number, handler)


def start_session(brief: bool = False) -> SparkSession:
    """The session of a command: `get_session`, but signals stay the command's own."""
    from crossic_etl import session

    handler = signal.getsignal(signal.SIGINT)
    is_own = isinstance(handler, Stop)
    if is_own and session.starts_java():
        with java_stderr_relayed(), java_noted():
            spark = session.get_session(brief=brief)
    else:
        spark = session.get_session(brief=brief)
    if is_own:  # Spark's own handler took its place
        signal.signal(signal.SIGINT, handler)
    return spark


def end_session() -> None:
    """Ends Java, if this process has started it, so that the next run doesn't meet it."""
    within(END, _end_java)


def within(seconds: float, action: Callable[[], object]) -> None:
    """Runs an action in a thread of its own, whatever it raises, for so long at most.

    The connection to Java of the thread that a signal interrupts is in use.
    """

    def run() -> None:
        with suppress(Exception):
            action()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)


def cancel_jobs() -> None:
    """Cancels what Spark computes for this process now."""
    if (context := _context()) is not None and context._active_spark_context is not None:
        context._active_spark_context.cancelAllJobs()


def _end_java() -> None:
    if not _java:
        return
    if (context := _context()) is not None and context._active_spark_context is not None:
        with suppress(Exception):
            context._active_spark_context.stop()
    for process in _java:
        process.terminate()
        try:
            process.wait(END / 3)
        except subprocess.TimeoutExpired:
            process.kill()


def _context() -> Any:
    """The class that holds the context, if Spark was imported."""
    module = sys.modules.get("pyspark.core.context")
    return None if module is None else module.SparkContext


_silenced = threading.Event()
# Java, as this process has started it.
_java: list[subprocess.Popen[bytes]] = []


@contextmanager
def java_noted() -> Iterator[None]:
    """Notes the process of Java that is started inside.

    Spark tells it once Java has answered. Interrupted before, Java would wait for this process for
    ever.
    """
    java_gateway: Any = importlib.import_module("pyspark.java_gateway")
    start = java_gateway.Popen

    def note(*args: Any, **kwargs: Any) -> subprocess.Popen[bytes]:
        process: subprocess.Popen[bytes] = start(*args, **kwargs)
        _java.append(process)
        return process

    java_gateway.Popen = note
    try:
        yield
    finally:
        java_gateway.Popen = start


def silence_java() -> None:
    """Drops what Java, its Python workers and pyspark's own loggers print from now on."""
    _silenced.set()
    if (module := sys.modules.get("pyspark.logger")) is not None:
        for name in SPARK_LOGGERS:
            module.PySparkLogger.getLogger(name).setLevel(logging.CRITICAL + 1)


@contextmanager
def java_stderr_relayed() -> Iterator[None]:
    """What is started inside has a pipe for its standard error, whose content goes on to ours."""
    _silenced.clear()
    sys.stderr.flush()
    reader, writer = os.pipe()
    kept = os.dup(2)
    os.dup2(writer, 2)
    os.close(writer)
    threading.Thread(target=_relay, args=(reader, os.dup(kept)), daemon=True).start()
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)


def _relay(reader: int, target: int) -> None:
    """Copies a pipe until all who write to it have ended."""
    kept = b""
    while chunk := os.read(reader, 65536):
        shown, kept = without_noise(kept + chunk)
        if shown and not _silenced.is_set():
            with suppress(OSError):
                os.write(target, shown)


def without_noise(text: bytes) -> tuple[bytes, bytes]:
    """What is to be shown, and a last line that is kept since it may become one of `NOISE`."""
    for line in NOISE:
        text = text.replace(line, b"")
    start = text.rfind(b"\n") + 1
    last = text[start:]
    if last and any(line.startswith(last) for line in NOISE):
        return text[:start], last
    return text, b""


def close_stderr() -> None:
    """Drops what is written to standard error until this process has ended."""
    sys.stderr.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
