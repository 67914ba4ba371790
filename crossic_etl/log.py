"""Shows the package's log messages. The command line installs `console_logging`; a library doesn't.

Messages below ERROR go to standard output unchanged; errors go to standard error after ``error:``.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone

PACKAGE = "crossic_etl"
FORMATS = ("text", "json")


@contextmanager
def console_logging(
    level: int = logging.INFO, log_format: str = "text", to_stderr: bool = False
) -> Iterator[None]:
    """Shows the package's messages inside the ``with`` block.

    Args:
        level: messages below it are dropped; DEBUG also shows the logger's name.
        log_format: ``text``, or ``json`` for one object a line.
        to_stderr: sends all messages to standard error, for commands that print a result.
    """
    handler = ConsoleHandler(to_stderr)
    names = level <= logging.DEBUG
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter(names))
    logger, root = logging.getLogger(PACKAGE), logging.getLogger()
    # py4j calls `logging.exception`, which installs a printing handler where there is none.
    silent = logging.NullHandler()
    before = logger.level
    logger.setLevel(level)
    logger.addHandler(handler)
    root.addHandler(silent)
    try:
        yield
    finally:
        root.removeHandler(silent)
        logger.removeHandler(handler)
        logger.setLevel(before)


class ConsoleHandler(logging.Handler):
    """Prints to the standard output or error that is current when a message comes."""

    def __init__(self, to_stderr: bool) -> None:
        super().__init__()
        self.to_stderr = to_stderr

    def emit(self, record: logging.LogRecord) -> None:
        """Prints one message and flushes."""
        is_error = self.to_stderr or record.levelno >= logging.ERROR
        print(self.format(record), file=sys.stderr if is_error else sys.stdout, flush=True)


class TextFormatter(logging.Formatter):
    """The message, after ``error:`` for errors, and after the logger's name with ``names``."""

    def __init__(self, names: bool) -> None:
        super().__init__("%(name)s: %(message)s" if names else "%(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """The text of a message. CRITICAL messages, such as ``stopped``, get no ``error:``."""
        prefix = "error: " if record.levelno == logging.ERROR else ""
        return prefix + super().format(record)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (ISO 8601, UTC), level, logger, message and traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """The JSON object of a message."""
        time = datetime.fromtimestamp(record.created, timezone.utc)
        found = {
            "time": time.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            found["traceback"] = self.formatException(record.exc_info)
        return json.dumps(found)  # in ASCII: the terminal's encoding may lack a letter
