"""A Slurm cluster of two nodes on this machine, with daemons of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "scontrol", "sinfo")
# Debian's daemons are outside a user's path.
PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
SECONDS = 30
# Names that lead to this machine, as those of a cluster's nodes lead to them; Slurm takes localhost
# for the machine's own name.
NODES = ("127.0.0.1", "127.0.0.2")

CONFIGURATION = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={folder}/state
SlurmctldPidFile={folder}/slurmctld.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdSpoolDir={folder}/spool-%n
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_min_interval=100000
MpiDefault=none
MinJobAge={remembered}
KillWait=2
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> list[str]:
    """The programs that aren't installed."""
    return [name for name in PROGRAMS if shutil.which(name, path=PATH) is None]


@contextmanager
def cluster(folder: Path, remembered: int = 300) -> Iterator[Path]:
    """Starts the daemons; yields their configuration file.

    ``remembered`` is for how many seconds slurmctld knows a job that has ended.
    """
    port, *node_ports = _free_ports(1 + len(NODES))
    configuration = CONFIGURATION.format(
        host=socket.gethostname().partition(".")[0], port=port, folder=folder,
        user=_user(), remembered=remembered,
    )  # fmt: skip
    for name, node_port in zip(NODES, node_ports, strict=True):
        place = f"NodeHostname=localhost NodeAddr=127.0.0.1 Port={node_port}"
        configuration += f"NodeName={name} {place} CPUs=1 State=UNKNOWN\n"
        (folder / f"spool-{name}").mkdir()
    (folder / "state").mkdir()
    path = folder / "slurm.conf"
    path.write_text(configuration, encoding="utf-8")
    with ExitStack() as stack:
        stack.enter_context(_daemon(folder, path, *_munged(folder)))
        _wait(lambda: (folder / "munge.socket").exists(), folder)
        stack.enter_context(_daemon(folder, path, "slurmctld", "-D"))
        for name in NODES:
            stack.enter_context(_daemon(folder, path, "slurmd", "-D", "-N", name))
        _wait(lambda: _n_idle(path) == len(NODES), folder)
        yield path


def _munged(folder: Path) -> list[str]:
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o600)
    files = {"key-file": "key", "socket": "socket", "pid-file": "pid", "log-file": "log",
             "seed-file": "seed"}  # fmt: skip
    named = [f"--{option}={folder}/munge.{end}" for option, end in files.items()]
    return ["munged", "--foreground", "--force", *named]


@contextmanager
def _daemon(folder: Path, configuration: Path, *command: str) -> Iterator[None]:
    program = shutil.which(command[0], path=PATH)
    assert program is not None
    with (folder / f"{command[0]}.out").open("ab") as output:
        process = subprocess.Popen(
            [program, *command[1:]], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            env={**os.environ, "SLURM_CONF": str(configuration), "PATH": PATH},
        )  # fmt: skip
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _n_idle(configuration: Path) -> int:
    done = subprocess.run(
        ["sinfo", "--noheader", "--Node", "--states=idle"], capture_output=True, text=True,
        env={**os.environ, "SLURM_CONF": str(configuration)}, check=False,
    )  # fmt: skip
    return len(done.stdout.splitlines())


def _wait(condition: object, folder: Path) -> None:
    assert callable(condition)
    end = time.monotonic() + SECONDS
    while not condition():
        if time.monotonic() > end:
            said = "\n".join(path.read_text()[-2000:] for path in folder.glob("*.out"))
            raise RuntimeError(f"Slurm did not start in {SECONDS} s:\n{said}")
        time.sleep(0.1)


def _free_ports(n: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(n)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _user() -> str:
    import pwd

    return pwd.getpwuid(os.getuid()).pw_name
