"""A Spark standalone cluster of separate processes on this machine, from pyspark's own files."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyspark

SPARK_HOME = Path(pyspark.__file__).parent
LOOPBACK = "127.0.0.1"
MASTER = re.compile(r"Starting Spark master at (spark://\S+)")
# What a machine has that only Spark and a bare Python were installed on.
BARE = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "SPARK_HOME": str(SPARK_HOME),
    "SPARK_LOCAL_IP": LOOPBACK,
}


@dataclass(frozen=True)
class Cluster:
    """A master's address, its workers, and the folder of their logs and scratch files."""

    master: str
    n_workers: int
    folder: Path
    workers: list[subprocess.Popen[bytes]]
    start_worker: Callable[[], subprocess.Popen[bytes]]

    def executor_logs(self) -> list[str]:
        """What each executor of the newest application wrote on standard error."""
        paths = sorted(self.folder.glob("work*/app-*/*/stderr"))
        newest = max((path.parts[-3] for path in paths), default="")
        return [path.read_text() for path in paths if path.parts[-3] == newest]

    def executors(self) -> list[int]:
        """Process ids of the executors that run, each in the process group of its worker."""
        groups = {worker.pid for worker in self.workers}
        return sorted(pid for pid, group in _executors() if group in groups)

    def kill_executor(self, chosen: random.Random) -> None:
        """SIGKILL to one executor, once there is one; the worker starts another."""
        while not (running := self.executors()):
            time.sleep(0.05)
        os.kill(chosen.choice(running), signal.SIGKILL)

    def kill_worker(self, chosen: random.Random, seconds: float) -> None:
        """SIGKILL to one worker with its executors; another begins some seconds later."""
        worker = self.workers.pop(chosen.randrange(len(self.workers)))
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()
        time.sleep(seconds)
        self.start_worker()


@contextmanager
def cluster(
    folder: Path, n_workers: int = 2, cores: int = 1, memory: str = "1536m", pinned: bool = False
) -> Iterator[Cluster]:
    """A master and its workers, each a process that knows nothing of this one's environment.

    Of ``pinned`` workers each has a core of the machine to itself, and no more than that: the JVM
    of one core's worker reads and unpacks while its Python works, on another core where it may.
    Ports are free ones on loopback. All of them and their executors have ended afterwards, and
    they end with this process, however that ends. Logs stay in ``folder``.
    """
    started: list[subprocess.Popen[bytes]] = []
    # They end with the thread that started them: one that is a test's own may end before the test.
    starter = ThreadPoolExecutor(max_workers=1)
    try:
        name = "org.apache.spark.deploy.master.Master"
        started.append(_start(folder, "master", [name, "--port", "0", "--webui-port", "0"]))
        log = folder / "master.log"
        found = _wait(lambda: MASTER.search(log.read_text()), log, started)
        assert found
        master = found[1]
        workers: list[subprocess.Popen[bytes]] = []

        def start_worker() -> subprocess.Popen[bytes]:
            number = len(started) - 1
            name = "org.apache.spark.deploy.worker.Worker"
            size = ["--cores", str(cores), "--memory", memory, "--webui-port", "0"]
            work = ["--work-dir", str(folder / f"work{number}")]
            core = number % len(os.sched_getaffinity(0)) if pinned else None
            worker = _start(folder, f"worker{number}", [name, *size, *work, master], core)
            started.append(worker)
            workers.append(worker)
            return worker

        for _ in range(n_workers):
            starter.submit(start_worker).result()
        registered = "Registering worker"
        _wait(lambda: log.read_text().count(registered) == n_workers, log, started)
        yield Cluster(
            master,
            n_workers,
            folder,
            workers,
            start_worker=lambda: starter.submit(start_worker).result(),
        )
    finally:
        _stop(started)
        starter.shutdown()


def spark_submit(
    arguments: Sequence[str | Path],
    environment: Mapping[str, str],
    command: str | Path = SPARK_HOME / "bin" / "spark-submit",
    seconds: int = 600,
) -> str:
    """Runs spark-submit, or a script that calls it, and returns what the driver printed.

    Fails with the end of both outputs where the status isn't 0.
    """
    done = subprocess.run(
        ["setpriv", "--pdeathsig", "TERM", str(command), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
        env=dict(environment),
        cwd=Path(__file__).parents[2],
    )
    shown = f"{done.stdout[-3000:]}\n{done.stderr[-6000:]}"
    assert done.returncode == 0, f"status {done.returncode}\n{shown}"
    return done.stdout


def _executors() -> Iterator[tuple[int, int]]:
    """Process id and process group of every executor's JVM on this machine."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if b"CoarseGrainedExecutorBackend" in (process / "cmdline").read_bytes():
                # The name, in brackets, may hold blanks: fields are counted from behind it.
                state = (process / "stat").read_text().rpartition(")")[2].split()
                yield int(process.name), int(state[2])


def _start(
    folder: Path, name: str, arguments: Sequence[str], core: int | None = None
) -> subprocess.Popen[bytes]:
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    environment = BARE | {"HOME": str(home), "SPARK_LOCAL_DIRS": str(folder / "local")}
    if "JAVA_HOME" in os.environ:
        environment["JAVA_HOME"] = os.environ["JAVA_HOME"]
    spark_class = str(SPARK_HOME / "bin" / "spark-class")
    with (folder / f"{name}.log").open("wb") as log:
        return subprocess.Popen(
            # A test run that is killed must not leave a cluster behind.
            [
                "setpriv",
                "--pdeathsig",
                "TERM",
                *(() if core is None else ("taskset", "--cpu-list", str(core))),
                spark_class,
                *arguments,
                "--host",
                LOOPBACK,
            ],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            env=environment,
            cwd=home,
            start_new_session=True,
        )


def _wait(ready: Callable[[], Any], log: Path, started: Sequence[subprocess.Popen[bytes]]) -> Any:
    deadline = time.monotonic() + 120
    while not (answer := ready()):
        dead = [process.args for process in started if process.poll() is not None]
        assert not dead, f"{dead} ended: {log.read_text()[-3000:]}"
        assert time.monotonic() < deadline, log.read_text()[-3000:]
        time.sleep(0.1)
    return answer


def _stop(started: Sequence[subprocess.Popen[bytes]]) -> None:
    """Ends each process with its children: a worker's executors are in its process group."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        for process in started:
            with suppress(ProcessLookupError):  # one that a test killed is gone
                os.killpg(process.pid, how)
        for process in started:
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
