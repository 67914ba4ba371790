"""Standard output and error that take any text, and what is said where one of them is closed."""

from __future__ import annotations

import io
import os
import sys


def accept_any_text() -> None:
    """Has letters that the terminal's encoding lacks written as escapes: paths may have them."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def output_failed(error: OSError) -> int:
    """The exit status after an error of writing; silent where the reader has gone (``| head``)."""
    if not is_closed_output(error):
        print(f"error: {error}", file=sys.stderr)
    drop_output()
    return 1


def is_closed_output(error: BaseException) -> bool:
    """Whether an error is that of a standard output that nobody reads any more, not of a socket."""
    if not isinstance(error, BrokenPipeError):
        return False
    try:
        print(flush=True)
    except BrokenPipeError:
        return True
    return False


def drop_output() -> None:
    """Drops what is written to standard output from now on: Python flushes it as it ends."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    except (OSError, ValueError):  # a stream of a test or a notebook has no number
        return
