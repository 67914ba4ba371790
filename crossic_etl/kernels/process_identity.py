"""The identity of a process on its machine, and whether it still runs.

A process number means the same process only within one process namespace of one boot of one
machine, and may be given to another process there once the first has ended. So an identity has all
of these, and when the process began.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ProcessIdentity:
    """A process.

    Attributes:
        machine: boot and process namespace, see `machine_id`; empty where they aren't known.
        pid: its number there.
        started: when it began, in its machine's clock ticks since boot; empty where not known.
    """

    machine: str
    pid: int
    started: str = ""


def this_process() -> ProcessIdentity:
    """The identity of the process that calls this."""
    return ProcessIdentity(machine_id(), os.getpid(), start_time(os.getpid()))


def is_alive(process: ProcessIdentity) -> bool | None:
    """Whether a process still runs; None where that can't be seen from this machine.

    That can't be seen of a process of another machine, or on a system without a boot id.
    """
    if not process.machine or process.machine != machine_id():
        return None
    if not _exists(process.pid):
        return False
    return not process.started or start_time(process.pid) == process.started


def machine_id() -> str:
    """Boot and process namespace of this process; empty on systems other than Linux."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def start_time(pid: int) -> str:
    """When a process of this machine began, in clock ticks since boot; empty where there is none.

    Field 22 of ``/proc/PID/stat`` (proc_pid_stat(5)).
    """
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def _exists(pid: int) -> bool:
    if pid <= 0:  # a signal to a group of processes
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # another user's
        pass
    return True
