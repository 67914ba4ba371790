"""Fetches many files, a few at a time, under one progress bar."""

from __future__ import annotations

import logging
import signal
import threading
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Lock
from types import FrameType

from tqdm import tqdm

from crossic_etl.download.http import Cancelled, Client
from crossic_etl.download.locations import Location
from crossic_etl.download.transfer import RemoteFile, fetch
from crossic_etl.inputs.errors import InputError

log = logging.getLogger(__name__)

_WAKE_S = 0.2


@dataclass
class Outcome:
    """Counts of files that were fetched, and of files that were there already."""

    fetched: int = 0
    kept: int = 0


class Bar:
    """One progress bar, in bytes, for all threads."""

    def __init__(self, wanted: Sequence[RemoteFile]) -> None:
        sizes = [file.size for file in wanted]
        total = None if None in sizes else sum(size or 0 for size in sizes)
        self._lock = Lock()
        self._bar = tqdm(total=total, unit="B", unit_scale=True, unit_divisor=1024, disable=None)

    def move(self, n_bytes: int) -> None:
        """Advances the bar, or moves it back where ``n_bytes`` is negative."""
        with self._lock:
            self._bar.update(n_bytes)

    def close(self) -> None:
        """Ends the bar and leaves it on the screen."""
        self._bar.close()


def say(line: str) -> None:
    """Logs a line above the progress bar."""
    with tqdm.external_write_mode():
        log.info("%s", line)


def fetch_all(client: Client, wanted: Sequence[RemoteFile]) -> Outcome:
    """Fetches all files that aren't there yet.

    A file that fails doesn't stop the others; but no file of its group is published.

    Raises:
        InputError: names the first file that failed, and the number of others.
        KeyboardInterrupt: after a signal, once the transfers have stopped.
    """
    groups: dict[str, list[Location]] = defaultdict(list)
    for file in wanted:
        groups[_group(file)].append(Location.of(file.path))
    missing = {group: len(locations) for group, locations in groups.items()}
    outcome, failures = Outcome(), list[InputError]()
    with _interruptible(client), _progress(wanted) as bar, _pool(client) as pool:
        futures = {pool.submit(_fetch, client, file, bar): file for file in wanted}
        for future in _as_completed(futures):
            file = futures[future]
            try:
                moved = future.result()
            except Cancelled:
                raise KeyboardInterrupt from None
            except InputError as error:
                client.say(f"error: {error}")
                failures.append(error)
                continue
            outcome.fetched, outcome.kept = outcome.fetched + moved, outcome.kept + (not moved)
            missing[_group(file)] -= 1
            if not missing[_group(file)]:
                for location in groups[_group(file)]:
                    location.publish()
            if moved:
                client.say(f"{file.path} ({outcome.fetched + outcome.kept} of {len(wanted)})")
    if failures:
        others = f" (and {len(failures) - 1} more files)" if len(failures) > 1 else ""
        raise InputError(f"{failures[0]}{others}; run again to go on")
    return outcome


def _as_completed(futures: Collection[Future[bool]]) -> Iterator[Future[bool]]:
    """Futures in the order in which they end; wakes up every `_WAKE_S` seconds.

    Python runs signal handlers in the main thread only. A signal that the system delivers to
    another thread doesn't wake a main thread that waits without a timeout, as that of
    `concurrent.futures.as_completed` does.
    """
    done = SimpleQueue[Future[bool]]()
    for future in futures:
        future.add_done_callback(done.put)
    n_left = len(futures)
    while n_left:
        with suppress(Empty):
            yield done.get(timeout=_WAKE_S)
            n_left -= 1


def _group(file: RemoteFile) -> str:
    return file.group or file.path


@contextmanager
def _interruptible(client: Client) -> Iterator[None]:
    """Inside, Ctrl-C and SIGTERM set ``client.stop``; their own handlers run at the end.

    The main thread may hold the bar's lock when the signal comes. A second signal reaches the own
    handlers at once.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[signal.Signals] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def stop(number: int, _: FrameType | None) -> None:
        client.stop.set()
        came.append(signal.Signals(number))
        restore()

    for number, handler in before.items():
        if handler != signal.SIG_IGN:
            signal.signal(number, stop)
    try:
        yield
    finally:
        restore()
        for number in came:
            signal.raise_signal(number)


@contextmanager
def _progress(wanted: Sequence[RemoteFile]) -> Iterator[Bar]:
    bar = Bar(wanted)
    try:
        yield bar
    finally:
        bar.close()


@contextmanager
def _pool(client: Client) -> Iterator[ThreadPoolExecutor]:
    """A pool of threads; an error in the block sets ``client.stop``, which ends their transfers."""
    with ThreadPoolExecutor(client.settings.connections) as pool:
        try:
            yield pool
        except BaseException:
            client.stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _fetch(client: Client, file: RemoteFile, bar: Bar) -> bool:
    try:
        moved = fetch(client, file, bar.move)
    except OSError as error:  # a full disk, or no permission
        raise InputError(f"{file.path}: {error.strerror or error}") from None
    if not moved:
        bar.move(file.size or 0)
    return moved
