"""The owner of a staging folder: the process that made it, and whether it may still run."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone

from crossic_etl.kernels import process_identity
from crossic_etl.kernels.process_identity import ProcessIdentity, machine_id, this_process

# A process of another machine can't be looked up: after so long it is taken for dead. Ours.
PRESUMED_DEAD = timedelta(hours=24)


def describe_owner() -> dict[str, object]:
    """The running process, as the mapping that a staging folder keeps of its owner."""
    process = this_process()
    return {
        "host": socket.gethostname(),
        "machine": process.machine,
        "pid": process.pid,
        "process_started": process.started,
        "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def is_alive(owner: Mapping[str, object]) -> bool:
    """Whether the owner of a staging folder may still run.

    A process of another host counts as alive for `PRESUMED_DEAD`. So does one of this host that
    can't be seen, as in another container. An older version wrote no ``machine``: its owner is
    looked up among this machine's processes if the host is the same.
    """
    if not owner:
        return False
    if owner.get("host") == socket.gethostname():
        machine = str(owner.get("machine") or machine_id())
        process = ProcessIdentity(
            machine, int(str(owner["pid"])), str(owner.get("process_started", ""))
        )
        alive = process_identity.is_alive(process)
        if alive is not None:
            return alive
        if _boot(machine) != _boot(machine_id()):  # the host was restarted since
            return False
    started = datetime.fromisoformat(str(owner["started"]))
    return datetime.now(timezone.utc) - started < PRESUMED_DEAD


def _boot(machine: str) -> str:
    return machine.partition(" ")[0]
