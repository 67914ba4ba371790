from __future__ import annotations

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException

from crossic_etl.spark_errors import explain, is_from_spark

JAVA = """An error occurred while calling o76.sql.
: org.apache.hadoop.fs.FSError: java.io.IOException: No space left on device
\tat org.apache.hadoop.fs.RawLocalFileSystem.write(RawLocalFileSystem.java:290)
Caused by: java.io.IOException: No space left on device
\t... 22 more
"""
TASK = """[TASK_WRITE_FAILED] Task failed while writing rows to file:/lake/pages. SQLSTATE: 58030
\tat org.apache.spark.Main
Caused by: org.apache.spark.SparkException: Job aborted
Caused by: org.apache.hadoop.fs.FSError: java.io.IOException: No space left on device
\t... 16 more
"""
WORKER = """
  An exception was thrown from the Python worker. Please see the stack trace below.
Traceback (most recent call last):
  File "worker.py", line 3, in extract
    return parse(record)
MemoryError: 200 MB
\tat org.apache.spark.api.python.BasePythonRunner
"""


def spark_error(message: str, trace: str = "") -> PySparkException:
    error = PySparkException(message=message)
    error._stackTrace = trace  # type: ignore[attr-defined]
    return error


def test_an_error_without_words_is_named_for_its_kind() -> None:
    assert explain(PySparkException(message="")) == "PySparkException"


def test_an_error_of_java_is_what_it_says() -> None:
    assert explain(Py4JError(JAVA)) == "No space left on device"


def test_the_last_cause_stands_behind_the_first_line() -> None:
    assert explain(spark_error(TASK)) == (
        "[TASK_WRITE_FAILED] Task failed while writing rows to file:/lake/pages. SQLSTATE: 58030 "
        "(No space left on device)"
    )


def test_the_cause_may_be_in_the_trace_that_spark_keeps_beside_the_message() -> None:
    first, _, trace = TASK.partition("\n")
    assert explain(spark_error(first, trace)) == explain(spark_error(TASK))


def test_an_error_of_a_worker_is_the_last_line_of_its_trace() -> None:
    assert explain(spark_error(WORKER)) == (
        "An exception was thrown from the Python worker. Please see the stack trace below. "
        "(MemoryError: 200 MB)"
    )


def test_a_cause_that_the_first_line_has_is_not_said_twice() -> None:
    assert explain(spark_error("no such table\nCaused by: a.b.FooException: no such table")) == (
        "no such table"
    )


def test_names_of_files_are_no_classes_of_java() -> None:
    assert explain(spark_error("lake.pages.snappy: cut")) == "lake.pages.snappy: cut"


def test_what_is_from_spark() -> None:
    assert is_from_spark(PySparkException(message="")) and is_from_spark(Py4JError(""))
    assert not is_from_spark(ValueError("")) and not is_from_spark(OSError(""))
