"""Creates the Spark session. All ``spark.*`` settings of the package are set here."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pyspark
from pyspark.errors import PySparkRuntimeError
from pyspark.sql import SparkSession

from crossic_etl.config.errors import UnfitSettingError
from crossic_etl.java.class_archive import archive_options
from crossic_etl.java.jars import GROUP, HELP, JARS, VERSION, cache_folder, delta_jars

DELTA_PACKAGE = f"{GROUP}:{JARS[0].artifact}:{VERSION}"
# What Delta names beside its own two JARs. Spark has those of them that are used.
EXCLUDED = (
    "io.unitycatalog:*,io.delta:delta-kernel*,org.apache.hadoop:hadoop-client*,org.slf4j:*,"
    "org.apache.logging*:*,com.fasterxml*:*,org.roaringbitmap:*"
)
CLASS_PATH = "spark.driver.extraClassPath"
PACKAGES = "spark.jars.packages"

JAVA_OPTIONS = "spark.driver.extraJavaOptions"
LOGGING = Path(__file__).with_name("log4j2.properties")

# One of these is set where Spark Connect or Databricks manages the session. spark-submit sets
# SUBMITTED.
MANAGED = ("SPARK_REMOTE", "DATABRICKS_RUNTIME_VERSION")
SUBMITTED = "PYSPARK_GATEWAY_PORT"

# For tables of some kilobytes. Compiling a query takes longer than it saves: the bundled sample
# takes 200 s instead of 276 s without code generation (two cores). Few partitions, no broadcast
# joins (each is a job of its own) and no adaptive plans save more: five jobs on a dozen pages take
# 33 s instead of 40 s.
BRIEF = {
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.autoBroadcastJoinThreshold": "-1",
    "spark.sql.adaptive.enabled": "false",
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}
BRIEF_JAVA = "-XX:+UseSerialGC"

COMMON = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
}


def get_session(name: str = "crossic-etl", brief: bool = False) -> SparkSession:
    """Returns the active session (Databricks, notebooks, Spark Connect) unchanged, or a new one.

    Under spark-submit the submitter sets master, memory and JARs. Plain ``python`` gets a local
    session with all cores; with ``brief`` it is tuned for tiny tables.
    """
    return SparkSession.getActiveSession() or _build(name, brief)


def is_local() -> bool:
    """Whether the session runs on this machine, so that a path without a scheme is a local one."""
    return not any(name in os.environ for name in (*MANAGED, SUBMITTED))


def starts_java() -> bool:
    """Whether `get_session` would start Java as a child of this process."""
    return is_local() and SparkSession.getActiveSession() is None


def check_java() -> None:
    """Checks that Java is installed. The message is the same as the Makefile's.

    Raises:
        UnfitSettingError: no Java was found.
    """
    if not _java():
        raise UnfitSettingError(
            "Java 17 or 21 is needed and none was found: install the package "
            "openjdk-17-jre-headless (or set JAVA_HOME)"
        )


def _java() -> str | None:
    """The Java that Spark starts."""
    home = os.environ.get("JAVA_HOME")
    return shutil.which(f"{home}/bin/java" if home else "java")


def _build(name: str, brief: bool) -> SparkSession:
    builder = SparkSession.builder.appName(name)
    if any(variable in os.environ for variable in MANAGED):
        return builder.getOrCreate()
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    settings = dict(COMMON)
    if SUBMITTED not in os.environ:
        check_java()
        settings |= local_settings()
        if brief:
            settings |= BRIEF | {JAVA_OPTIONS: f"{settings[JAVA_OPTIONS]} {BRIEF_JAVA}"}
        settings[JAVA_OPTIONS] += f" {_archive_options(settings)}"
    for key, value in settings.items():
        builder = builder.config(key, value)
    try:
        return builder.getOrCreate()
    except PySparkRuntimeError as error:
        if PACKAGES not in settings:
            raise
        raise UnfitSettingError(
            f"Java ended before Spark had started. If it couldn't fetch Delta's JARs: {HELP}"
        ) from error


def _archive_options(settings: Mapping[str, str]) -> str:
    """Options of Java for its archive of classes, which only holds those of the class path."""
    java, class_path = _java(), settings.get(CLASS_PATH)
    if not java or not class_path:
        return ""
    spark = Path(os.environ.get("SPARK_HOME") or pyspark.__path__[0]) / "jars"
    jars = map(Path, class_path.split(os.pathsep))
    return archive_options(cache_folder(), Path(java), [*jars, spark])


def local_settings(cores: int | None = None) -> dict[str, str]:
    """Settings of a session on this machine: all its cores and a quarter of its memory."""
    cores = cores or len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return {
        "spark.master": f"local[{cores}]",
        "spark.driver.memory": f"{min(max(memory // 4, 1024), 16384)}m",
        # A Python worker loads the tokenizer (200 MB) once if it is reused.
        "spark.python.worker.reuse": "true",
        # Delta reads its log in 50 tasks by default, which takes longer than a small job.
        "spark.databricks.delta.snapshotPartitions": "2",
        "spark.sql.shuffle.partitions": str(4 * cores),
        # VACUUM lists folders in this many tasks: 10,000 by default, even for few folders.
        "spark.sql.sources.parallelPartitionDiscovery.parallelism": str(cores),
        # At the default of 4 MB for each file opened, a dump of some MB would be one task.
        "spark.sql.files.openCostInBytes": str(512 * 1024),
        # An Arrow batch holds whole pages: fewer rows in a batch bound its size.
        "spark.sql.execution.arrow.maxRecordsPerBatch": "512",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": str(sys.stderr.isatty()).lower(),
        JAVA_OPTIONS: f"-Dlog4j2.configurationFile={LOGGING.as_uri()}",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.warehouse.dir": _own_folder(),
    } | jars()


def jars() -> dict[str, str]:
    """The settings that add Delta's JARs.

    On Java's class path they load faster than as ``spark.jars``, which Spark also copies.
    """
    if found := delta_jars():
        return {CLASS_PATH: os.pathsep.join(map(str, found))}
    return {PACKAGES: DELTA_PACKAGE, "spark.jars.excludes": EXCLUDED}


def _own_folder() -> str:
    """Creates a new folder that only this user can write to; it is removed at exit if empty."""
    # Read here, since tempfile reads TMPDIR only once.
    where = os.environ.get("TMPDIR")
    within = where if where and Path(where).is_dir() else None
    folder = tempfile.mkdtemp(prefix="crossic-etl-spark-warehouse-", dir=within)

    def remove() -> None:
        with suppress(OSError):  # not empty: Spark or a user has written to it
            Path(folder).rmdir()

    atexit.register(remove)
    return folder
