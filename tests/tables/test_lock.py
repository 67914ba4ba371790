"""One writer for each root, whoever dies."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pyspark.sql import Row

from crossic_etl.kernels.process_identity import machine_id, this_process
from crossic_etl.tables import Tables
from crossic_etl.tables.lock import Lock, LockedError, has_ended, place_of, writing

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@pytest.fixture(scope="module")
def tables(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Tables:
    return Tables(spark, str(tmp_path_factory.mktemp("lock")))


def held(tables: Tables) -> Row:
    row = Lock(tables)._read()
    assert row is not None
    return row


def test_a_second_writer_is_refused_while_the_first_is_at_it(tables: Tables) -> None:
    with writing(tables.spark, tables.root):
        assert held(tables).pid == os.getpid()
        with pytest.raises(LockedError, match=f"another run writes under {tables.root}: process"):
            Lock(tables).acquire(wait=False)
    with writing(tables.spark, tables.root, wait=False):
        pass
    assert held(tables).owner == ""


def test_a_second_writer_waits_for_the_first(
    tables: Tables, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="crossic_etl")
    first, second = Lock(tables), Lock(tables)
    first.acquire(wait=True)
    threading.Timer(1.0, first.release).start()
    second.acquire(wait=True, poll=0.2)
    assert held(tables).owner == second.owner
    assert f"waiting for another run under {tables.root}" in caplog.text
    second.release()


def test_a_writer_whose_process_is_gone_is_dead_at_once(
    tables: Tables, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="crossic_etl")
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    first, second = Lock(tables), Lock(tables)
    first.acquire(wait=True)
    first._change(f"pid = {int(dead.stdout)}", f"owner = '{first.owner}'")
    second.acquire(wait=False)
    assert held(tables).owner == second.owner
    assert "taking over from a run that died" in caplog.text
    second.release()


def test_of_another_machine_one_that_stands_still_is_dead_and_one_that_counts_is_not(
    tables: Tables,
) -> None:
    first, second = Lock(tables), Lock(tables)
    first.acquire(wait=True)
    first._change("place = 'another machine', pid = 1", f"owner = '{first.owner}'")
    beating = threading.Thread(target=first.beat, args=(0.2,))
    beating.start()
    with pytest.raises(LockedError):
        second.acquire(wait=False)
    first._ended.set()
    beating.join()
    started = time.monotonic()
    second.acquire(wait=True, lease=1.0, poll=0.2)
    assert time.monotonic() - started >= 1.0
    assert held(tables).owner == second.owner
    second.release()


def test_a_writer_that_was_taken_for_dead_is_stopped(tables: Tables) -> None:
    def take_over() -> None:
        while Lock(tables)._change("owner = 'another'", "true") != 1:  # beats may come first
            pass

    with (
        pytest.raises(LockedError, match="another run took over"),
        writing(tables.spark, tables.root, beat=0.2),
    ):
        take_over()
        time.sleep(60)
    assert held(tables).owner == "another"
    Lock(tables, owner="another").release()


def test_of_two_at_once_one_gets_the_row(tables: Tables) -> None:
    locks = [Lock(tables) for _ in range(4)]
    row = held(tables)
    taken: list[bool] = []
    threads = [threading.Thread(target=lambda x=x: taken.append(x._take(row))) for x in locks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [False, False, False, True]
    (winner,) = [lock for lock in locks if lock.owner == held(tables).owner]
    winner.release()


def test_a_process_is_known_by_its_place() -> None:
    row, own = Row("place", "pid"), place_of(this_process())
    assert not has_ended(row(own, os.getpid()))
    assert has_ended(row(own, 2**22 + 1))
    assert not has_ended(row("another boot", 2**22 + 1))
    assert not has_ended(row("", 2**22 + 1))


def test_a_row_of_an_older_run_says_no_start() -> None:
    row = Row("place", "pid")
    assert not has_ended(row(machine_id(), os.getpid()))
    assert has_ended(row(machine_id(), 2**22 + 1))
    assert has_ended(row(f"{machine_id()} 1", os.getpid()))


def test_a_folder_in_which_nobody_got_to_the_first_row(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "writer" / "_delta_log").mkdir(parents=True)
    (tmp_path / "writer" / "_delta_log" / ".00000000000000000000.json.1.tmp").touch()
    with writing(spark, str(tmp_path), wait=False):
        assert held(Tables(spark, str(tmp_path))).pid == os.getpid()
