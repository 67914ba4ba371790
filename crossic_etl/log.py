"""Where messages go that the package logs: a command installs `console_logging`, a library none.

Messages below ERROR go to standard output as they are, errors to standard error behind ``error:``.
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
    """Inside, the package's messages are shown.

    Args:
        level: messages below it are dropped; at DEBUG each one names its logger.
        log_format: ``text``, or ``json`` for one object a line.
        to_stderr: all messages go to standard error, as standard output is the command's result.
    """
    handler = ConsoleHandler(to_stderr)
    names = level <= logging.DEBUG
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter(names))
    logger, root = logging.getLogger(PACKAGE), logging.getLogger()
    # Without any handler `logging.exception`, which py4j calls, would install one that prints.
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
    """Prints messages to what is standard output, or standard error, at the time."""

    def __init__(self, to_stderr: bool) -> None:
        super().__init__()
        self.to_stderr = to_stderr

    def emit(self, record: logging.LogRecord) -> None:
        """Prints one message at once."""
        is_error = self.to_stderr or record.levelno >= logging.ERROR
        print(self.format(record), file=sys.stderr if is_error else sys.stdout, flush=True)


class TextFormatter(logging.Formatter):
    """The message; ``error:`` before an error, and the logger's name where that is asked for."""

    def __init__(self, names: bool) -> None:
        super().__init__("%(name)s: %(message)s" if names else "%(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """The text of a message. CRITICAL is a message in its own words, such as ``stopped``."""
        prefix = "error: " if record.levelno == logging.ERROR else ""
        return prefix + super().format(record)


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (ISO 8601, UTC), level, logger, message, and a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """The object of a message."""
        time = datetime.fromtimestamp(record.created, timezone.utc)
        found = {
            "time": time.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            found["traceback"] = self.formatException(record.exc_info)
        return json.dumps(found, ensure_ascii=False)
