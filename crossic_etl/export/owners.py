"""Whose a left folder is: whether the process that made it may still run."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path

# A process of another machine can't be seen: after so long it runs no more. Ours.
PRESUMED_DEAD = timedelta(hours=24)


def describe_owner() -> dict[str, object]:
    """The running process, for the one that finds what it left."""
    return {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "process_started": _process_started(os.getpid()),
        "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def is_alive(owner: Mapping[str, object]) -> bool:
    """Whether the process that a staging folder belongs to may still run."""
    if not owner:
        return False
    if owner.get("host") == socket.gethostname():
        pid = int(str(owner["pid"]))
        return _exists(pid) and _process_started(pid) == owner.get("process_started")
    started = datetime.fromisoformat(str(owner["started"]))
    return datetime.now(timezone.utc) - started < PRESUMED_DEAD


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _process_started(pid: int) -> str:
    """When a process of this machine began, in its clock's ticks; empty where there is none.

    A number may have been given to another process since.
    """
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
