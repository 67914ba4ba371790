"""Creates the Spark session. All ``spark.*`` settings of the package are set here."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from pyspark.sql import SparkSession

from crossic_etl.config.errors import UnfitSettingError

# Delta 4.4.0 is built for Spark 4.1; the artifact's name has the versions of Spark and Scala.
DELTA_PACKAGE = "io.delta:delta-spark_4.1_2.13:4.4.0"
JARS_FOLDER = "CROSSIC_ETL_JARS"

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
    home = os.environ.get("JAVA_HOME")
    if not shutil.which(f"{home}/bin/java" if home else "java"):
        raise UnfitSettingError(
            "Java 17 or 21 is needed and none was found: install the package "
            "openjdk-17-jre-headless (or set JAVA_HOME)"
        )


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
    for key, value in settings.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


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
    """The setting that adds Delta's JARs.

    They come from the folder in ``CROSSIC_ETL_JARS``, or from the Ivy cache of an earlier session.
    Otherwise Ivy fetches them from Maven Central and prints about ninety lines.
    """
    if folder := os.environ.get(JARS_FOLDER):
        return {"spark.jars": ",".join(map(str, sorted(Path(folder).glob("*.jar"))))}
    group, artifact, version = DELTA_PACKAGE.split(":")
    for cache in Path.home().glob(".ivy2*/jars"):
        kept = [cache / f"{group}_{name}-{version}.jar" for name in (artifact, "delta-storage")]
        if all(jar.is_file() for jar in kept):
            return {"spark.jars": ",".join(map(str, kept))}
    return {"spark.jars.packages": DELTA_PACKAGE}


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
