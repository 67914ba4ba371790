"""A guard against hangs and quadratic time that no busy machine sets off."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

SECONDS = 30


@contextmanager
def no_hang() -> Iterator[None]:
    """Fails a block after 30 s of the process's own processor time, where the system can.

    That is some hundred times what the blocks take, so that it tells an end from a hang and linear
    from quadratic work, and never a fast machine from a slow one; the benchmark shows the growth.
    """
    if not hasattr(signal, "SIGPROF"):
        yield
        return

    def fail(number: int, frame: object) -> None:
        raise TimeoutError(f"still running after {SECONDS} s of processor time")

    before = signal.signal(signal.SIGPROF, fail)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
