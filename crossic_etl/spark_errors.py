"""What an error of Spark's says in one line: the first of its message, and the cause behind it."""

from __future__ import annotations

import re

from pyspark.errors import AnalysisException

# Spark's own, also over Spark Connect, and what classic Spark lets through from Java.
MODULES = ("pyspark.", "py4j.")
CAUSE = re.compile(r"^Caused by: (.*)$", re.MULTILINE)
# Classes before a message: the last one, or what it says, is what a user looks for.
JAVA_CLASS = re.compile(r"^(?:[\w$]+\.)+[A-Z][\w$]*(?:Exception|Error): ")
CALLING = re.compile(r"^An error occurred while calling .*\n: ")
PYTHON_TRACE = "Traceback (most recent call last):"


def is_from_spark(error: BaseException) -> bool:
    """Whether Spark raised it, or Java below it."""
    return any(kind.__module__.startswith(MODULES) for kind in type(error).__mro__)


def explain(error: BaseException) -> str:
    """The first line of the message, and in brackets the last cause where that is another.

    The message has the plan and traces of Java and Python below its first line.
    """
    text = CALLING.sub("", str(error))
    # Where Spark keeps the trace of classic sessions, and of Connect's; neither is in the message.
    traces = [str(getattr(error, name, "")) for name in ("_stackTrace", "_stacktrace")]
    first = _bare(next((line for line in text.splitlines() if line.strip()), type(error).__name__))
    cause = _python_error(text) or _last_cause("\n".join([text, *traces]))
    return first if cause is None or cause in first else f"{first} ({cause})"


def _python_error(text: str) -> str | None:
    """The last line of a worker's own trace."""
    _, found, trace = text.rpartition(PYTHON_TRACE)
    if not found:
        return None
    lines = trace.splitlines()[1:]
    # Lines of a trace are indented; the error is the first that isn't.
    return next((line.strip() for line in lines if line.strip() and line[0] not in " \t"), None)


def _last_cause(text: str) -> str | None:
    causes = CAUSE.findall(text)
    return _bare(causes[-1]) if causes else None


def _bare(line: str) -> str:
    """A line without the names of classes before what it says."""
    line = line.strip()
    while found := JAVA_CLASS.match(line):
        line = line[found.end() :]
    return line


def missing(error: AnalysisException) -> bool:
    """Whether Spark's error says that a table or path isn't there."""
    name = error.getCondition() or ""
    words = ("NOT_FOUND", "PATH_DOES_NOT_EXIST", "MISSING", "DELTA_TABLE_ONLY_OPERATION")
    return any(word in name for word in words)
