"""Allows one writer for each root. A row of a Delta table names the owning process and its beats.

Clocks of different machines are never compared. The owner increments a beat count. A waiting
process takes the owner for dead once the count hasn't changed for `LEASE` seconds of its own clock.
An owner on the same machine is dead once its process has ended (`kernels.process_identity`). To
take over, a process updates the row only if it is still the row that it read. If several try at
once, Delta lets one of them succeed.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pyspark.sql import Row, SparkSession

from crossic_etl.kernels.process_identity import ProcessIdentity, is_alive, this_process
from crossic_etl.tables import TableError, Tables
from crossic_etl.tables.columns import table_properties
from crossic_etl.tables.creation import write_first

log = logging.getLogger(__name__)

BEAT = 60.0  # seconds
LEASE = 3.5 * BEAT
POLL = 5.0
RELEASES = 5  # attempts, since others may be trying to take the row
TABLE = "writer"
# Each beat adds a small file and a log entry; maintenance removes them.
PROPERTIES = {
    "delta.logRetentionDuration": "interval 1 day",
    "delta.deletedFileRetentionDuration": "interval 1 day",
    "delta.checkpointInterval": "100",
}


class LockedError(TableError):
    """Another run writes under the same root."""


@dataclass
class Lock:
    """The lock row of a root, and this process's ownership of it."""

    tables: Tables
    owner: str = field(default_factory=lambda: uuid.uuid4().hex)
    lost: bool = False
    _ended: threading.Event = field(default_factory=threading.Event)

    @property
    def name(self) -> str:
        """The table's SQL identifier."""
        return self.tables.name(TABLE)

    def acquire(self, wait: bool, lease: float = LEASE, poll: float = POLL) -> None:
        """Takes the row as soon as no running process owns it.

        Args:
            wait: wait until the owner has released the row or is dead.
            lease: seconds without a new beat after which an owner is dead.
            poll: seconds between two reads of the row.

        Raises:
            LockedError: another process owns it, and ``wait`` is false.
        """
        self._create()
        if self._claim("owner = ''"):
            return
        seen, since, told = None, time.monotonic(), False
        while True:
            row = self._read()
            if row is None:
                continue
            if (row.owner, row.beat) != seen:
                seen, since = (row.owner, row.beat), time.monotonic()
            is_dead = row.owner and (has_ended(row) or time.monotonic() - since >= lease)
            if (not row.owner or is_dead) and self._take(row):
                if row.owner:
                    log.info("taking over from a run that died: %s", row.who)
                return
            if not row.owner or is_dead:
                continue
            if not wait:
                raise LockedError(
                    f"another run writes under {self.tables.root}: {row.who}; wait for its end"
                )
            if not told:
                log.info("waiting for another run under %s: %s", self.tables.root, row.who)
                told = True
            time.sleep(poll)

    def release(self) -> None:
        """Frees the row if this process still owns it."""
        self._ended.set()
        for _ in range(RELEASES):
            if self._change("owner = '', who = ''", f"owner = {literal(self.owner)}") >= 0:
                return

    def beat(self, seconds: float = BEAT) -> None:
        """Increments the beat count every so many seconds until `release`.

        Sends SIGINT to this process if another process has taken the row.
        """
        while not self._ended.wait(seconds):
            try:
                n_changed = self._change("beat = beat + 1", f"owner = {literal(self.owner)}")
            except Exception:  # the storage doesn't answer; the next beat may succeed
                continue
            if n_changed == 0:
                self.lost = True
                os.kill(os.getpid(), signal.SIGINT)
                return

    def _create(self) -> None:
        """Creates the table with its row, unless it exists or another process is creating it."""
        free = "SELECT '' AS owner, '' AS who, '' AS place, 0 AS pid, CAST(0 AS BIGINT) AS beat"
        spark = self.tables.spark
        failed: Exception | None = None
        try:
            spark.sql(
                f"CREATE TABLE IF NOT EXISTS {self.name} USING delta "
                f"{table_properties(PROPERTIES)} AS {free}"
            )
        except Exception as error:
            failed = error
        if self.tables.has(TABLE):
            return
        try:
            path = f"{self.tables.folder}/{TABLE}"
            write_first(spark.sql(free), self.name, path, PROPERTIES)
        except Exception as error:
            if not self.tables.has(TABLE):
                raise failed or error from None

    def _read(self) -> Row | None:
        rows = self.tables.spark.read.table(self.name).head(1)
        return rows[0] if rows else None

    def _take(self, row: Row) -> bool:
        """Takes the lock if the row is as it was read."""
        return self._claim(f"owner = {literal(row.owner)} AND beat = {int(row.beat)}")

    def _claim(self, where: str) -> bool:
        """Takes the lock if its row fits a condition."""
        process = this_process()
        columns = {
            "owner": literal(self.owner),
            "who": literal(f"process {process.pid} on {socket.gethostname()}"),
            "place": literal(place_of(process)),
            "pid": str(process.pid),
        }
        values = ", ".join(f"{name} = {value}" for name, value in columns.items())
        return self._change(f"{values}, beat = beat + 1", where) == 1

    def _change(self, values: str, where: str) -> int:
        """Number of rows changed; -1 if a concurrent transaction was faster.

        After -1 the owner isn't known.
        """
        try:
            changed = self.tables.spark.sql(f"UPDATE {self.name} SET {values} WHERE {where}")
            return int(changed.head(1)[0][0])
        except Exception as error:  # classic Spark and Spark Connect raise different types
            if "concurrent" not in str(error).lower():
                raise
            return -1


@contextmanager
def writing(
    spark: SparkSession, root: str, wait: bool = True, beat: float = BEAT
) -> Iterator[None]:
    """Inside, this process is the only writer under the root.

    Raises:
        LockedError: another process is writing and ``wait`` is false; or another process took over,
            since this one sent no beats for too long.
    """
    lock = Lock(Tables(spark, root))
    lock.acquire(wait)
    thread = threading.Thread(target=lock.beat, args=(beat,), daemon=True)
    thread.start()
    try:
        yield
    except KeyboardInterrupt:
        if lock.lost:
            raise LockedError(
                f"another run took over {root}, since this one stood still too long"
            ) from None
        raise
    finally:
        lock.release()


def literal(text: str) -> str:
    """A text as an SQL literal without special characters: Delta's UPDATE takes no parameters."""
    return f"CAST(X'{text.encode().hex()}' AS STRING)"


def place_of(process: ProcessIdentity) -> str:
    """The value of the column ``place``: boot, process namespace and start, separated by spaces.

    Rows of older versions lack the start. An older version takes a place with a start for another
    machine's.
    """
    return f"{process.machine} {process.started}".strip() if process.machine else ""


def has_ended(row: Row) -> bool:
    """Whether the owner's process ran on this machine and has ended."""
    boot, namespace, started = [*(row.place or "").split(" "), "", "", ""][:3]
    process = ProcessIdentity(f"{boot} {namespace}".strip(), row.pid, started)
    return is_alive(process) is False
