"""Shortens a Spark error to one line: the first line of its message, and its cause."""

from __future__ import annotations

import re

from pyspark.errors import AnalysisException

# Modules of Spark's errors, also over Spark Connect, and of Java errors from classic sessions.
MODULES = ("pyspark.", "py4j.")
CAUSE = re.compile(r"^Caused by: (.*)$", re.MULTILINE)
# Names of Java classes before a message.
JAVA_CLASS = re.compile(r"^(?:[\w$]+\.)+[A-Z][\w$]*(?:Exception|Error): ")
CALLING = re.compile(r"^An error occurred while calling .*\n: ")
PYTHON_TRACE = "Traceback (most recent call last):"


def is_from_spark(error: BaseException) -> bool:
    """Whether Spark raised the error, or Java below it."""
    return any(kind.__module__.startswith(MODULES) for kind in type(error).__mro__)


def explain(error: BaseException) -> str:
    """The first line of the message, then the last cause in brackets if it says something else.

    The lines after the first are the query plan and the traces of Java and Python.
    """
    text = CALLING.sub("", str(error))
    # Attributes with the trace in classic sessions and over Connect; the message has neither.
    traces = [str(getattr(error, name, "")) for name in ("_stackTrace", "_stacktrace")]
    first = _bare(next((line for line in text.splitlines() if line.strip()), type(error).__name__))
    cause = _python_error(text) or _last_cause("\n".join([text, *traces]))
    return first if cause is None or cause in first else f"{first} ({cause})"


def _python_error(text: str) -> str | None:
    """The error line of a Python worker's trace."""
    _, found, trace = text.rpartition(PYTHON_TRACE)
    if not found:
        return None
    lines = trace.splitlines()[1:]
    # Lines of a trace are indented; the first that isn't is the error.
    return next((line.strip() for line in lines if line.strip() and line[0] not in " \t"), None)


def _last_cause(text: str) -> str | None:
    causes = CAUSE.findall(text)
    return _bare(causes[-1]) if causes else None


def _bare(line: str) -> str:
    """A line without the names of Java classes at its start."""
    line = line.strip()
    while found := JAVA_CLASS.match(line):
        line = line[found.end() :]
    return line


def missing(error: AnalysisException) -> bool:
    """Whether the error means that a table or path doesn't exist."""
    name = error.getCondition() or ""
    words = ("NOT_FOUND", "PATH_DOES_NOT_EXIST", "MISSING", "DELTA_TABLE_ONLY_OPERATION")
    return any(word in name for word in words)
