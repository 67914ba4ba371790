from __future__ import annotations

import dataclasses
import os
import subprocess
import sys

import pytest

from crossic_etl.kernels.process_identity import (
    ProcessIdentity,
    is_alive,
    machine_id,
    start_time,
    this_process,
)

NOBODY = 2**22 + 1  # over the largest pid of Linux


def test_the_running_process_is_alive() -> None:
    assert this_process().pid == os.getpid()
    assert is_alive(this_process()) is True


def test_a_process_is_known_without_its_start() -> None:
    assert is_alive(ProcessIdentity(machine_id(), os.getpid())) is True


def test_a_process_that_ended_is_not_alive() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    identity = ProcessIdentity(machine_id(), child.pid, start_time(child.pid))
    assert identity.started
    assert is_alive(identity) is True
    child.communicate(b"\n")
    assert is_alive(identity) is False


def test_a_number_that_another_process_has_now_is_not_the_same_process() -> None:
    assert is_alive(dataclasses.replace(this_process(), started="1")) is False


@pytest.mark.parametrize("pid", [NOBODY, 2**80, 0, -1])
def test_a_number_that_no_process_has_is_not_alive(pid: int) -> None:
    assert is_alive(ProcessIdentity(machine_id(), pid)) is False
    assert start_time(NOBODY) == ""


@pytest.mark.parametrize("machine", ["another boot", ""])
@pytest.mark.parametrize("pid", [os.getpid(), NOBODY], ids=["own", "nobody"])
def test_of_another_machine_nothing_is_known(machine: str, pid: int) -> None:
    assert is_alive(ProcessIdentity(machine, pid)) is None
