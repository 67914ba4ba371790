"""Brings many files, a few at a time, under one progress bar."""

from __future__ import annotations

import signal
import threading
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Any

from tqdm import tqdm

from crossic_etl.download.http import Client, Stopped
from crossic_etl.download.places import Place
from crossic_etl.download.transfer import Wanted, fetch
from crossic_etl.inputs.errors import InputError

_WAKE_S = 0.2


@dataclass
class Outcome:
    """Files that came, and files that were there already."""

    fetched: int = 0
    kept: int = 0


class Bar:
    """One progress bar, in bytes, for all threads."""

    def __init__(self, wanted: Sequence[Wanted]) -> None:
        sizes = [file.size for file in wanted]
        total = None if None in sizes else sum(size or 0 for size in sizes)
        self._lock = Lock()
        self._bar = tqdm(total=total, unit="B", unit_scale=True, unit_divisor=1024, disable=None)

    def move(self, n_bytes: int) -> None:
        """Goes on, or back where bytes were of no use."""
        with self._lock:
            self._bar.update(n_bytes)

    def close(self) -> None:
        """Leaves the bar as it is."""
        self._bar.close()


def say(line: str) -> None:
    """Prints a line beside a progress bar."""
    tqdm.write(line)


def fetch_all(client: Client, wanted: Sequence[Wanted]) -> Outcome:
    """Has all files complete in their places.

    A file that can't be had doesn't stop the others, but keeps its group from its names.

    Raises:
        InputError: names the first file that couldn't be had, and how many more.
        KeyboardInterrupt: after Ctrl-C, when the transfers have ended where they were.
    """
    groups: dict[str, list[Place]] = defaultdict(list)
    for file in wanted:
        groups[_group(file)].append(Place.of(file.path))
    missing = {group: len(places) for group, places in groups.items()}
    outcome, failures = Outcome(), list[InputError]()
    with _interruptible(client), _progress(wanted) as bar, _pool(client) as pool:
        futures = {pool.submit(_fetch, client, file, bar): file for file in wanted}
        for future in _as_completed(futures):
            file = futures[future]
            try:
                moved = future.result()
            except Stopped:
                raise KeyboardInterrupt from None
            except InputError as error:
                client.say(f"error: {error}")
                failures.append(error)
                continue
            outcome.fetched, outcome.kept = outcome.fetched + moved, outcome.kept + (not moved)
            missing[_group(file)] -= 1
            if not missing[_group(file)]:
                for place in groups[_group(file)]:
                    place.publish()
            if moved:
                client.say(f"{file.path} ({outcome.fetched + outcome.kept} of {len(wanted)})")
    if failures:
        others = f" (and {len(failures) - 1} more files)" if len(failures) > 1 else ""
        raise InputError(f"{failures[0]}{others}; run again to go on")
    return outcome


def _as_completed(futures: Collection[Future[bool]]) -> Iterator[Future[bool]]:
    """Like the standard library's, but awake often enough for Ctrl-C.

    Python's handlers run in the main thread only, and a signal that the system hands to another
    thread doesn't wake one that waits without a limit.
    """
    done = SimpleQueue[Future[bool]]()
    for future in futures:
        future.add_done_callback(done.put)
    n_left = len(futures)
    while n_left:
        with suppress(Empty):
            yield done.get(timeout=_WAKE_S)
            n_left -= 1


def _group(file: Wanted) -> str:
    return file.group or file.path


@contextmanager
def _interruptible(client: Client) -> Iterator[None]:
    """Has Ctrl-C end the transfers, and not the main thread while it holds the bar's lock.

    A second Ctrl-C ends the program at once.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: Any) -> None:
        client.stop.set()
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _progress(wanted: Sequence[Wanted]) -> Iterator[Bar]:
    bar = Bar(wanted)
    try:
        yield bar
    finally:
        bar.close()


@contextmanager
def _pool(client: Client) -> Iterator[ThreadPoolExecutor]:
    """Threads that end soon when the block ends by an error."""
    with ThreadPoolExecutor(client.settings.connections) as pool:
        try:
            yield pool
        except BaseException:
            client.stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _fetch(client: Client, file: Wanted, bar: Bar) -> bool:
    try:
        moved = fetch(client, file, bar.move)
    except OSError as error:  # a full disk, a folder that isn't ours
        raise InputError(f"{file.path}: {error.strerror or error}") from None
    if not moved:
        bar.move(file.size or 0)
    return moved
