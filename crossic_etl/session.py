"""The Spark session, and the only place with ``spark.*`` settings."""

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

# Delta 4.4.0 is built for Spark 4.1; the artifact's name holds both versions and Scala's.
DELTA_PACKAGE = "io.delta:delta-spark_4.1_2.13:4.4.0"
JARS_FOLDER = "CROSSIC_ETL_JARS"

JAVA_OPTIONS = "spark.driver.extraJavaOptions"
LOGGING = Path(__file__).with_name("log4j2.properties")

# Set where the session is another's: Spark Connect, Databricks; and by spark-submit.
MANAGED = ("SPARK_REMOTE", "DATABRICKS_RUNTIME_VERSION")
SUBMITTED = "PYSPARK_GATEWAY_PORT"

# Tables of some kilobytes are over before compiled queries have paid for their compilation: the
# bundled sample takes 200 s instead of 276 without (two cores). Nor do they need many partitions,
# joins by broadcast, which are jobs of their own, or plans that are made anew while they run: 33 s
# instead of 40 for five jobs on a dozen pages.
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
    """The session that exists (Databricks, notebooks, Spark Connect), as it is; else a new one.

    Under spark-submit the master, memory and JARs are the submitter's; a bare ``python`` gets a
    local session with all cores, which is tuned for tiny tables where the work is ``brief``.
    """
    return SparkSession.getActiveSession() or _build(name, brief)


def is_local() -> bool:
    """Whether the session is, or will be, this machine's: a path without a scheme is its disk's."""
    return not any(name in os.environ for name in (*MANAGED, SUBMITTED))


def starts_java() -> bool:
    """Whether `get_session` would start Java as a child of this process."""
    return is_local() and SparkSession.getActiveSession() is None


def check_java() -> None:
    """Whether there is a Java to start, in the words of the Makefile.

    Raises:
        UnfitSettingError: there is none.
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
    """Settings of a session on this machine alone: a quarter of its memory, all its cores."""
    cores = cores or len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return {
        "spark.master": f"local[{cores}]",
        "spark.driver.memory": f"{min(max(memory // 4, 1024), 16384)}m",
        # Python workers hold the tokenizer (200 MB each); reuse loads it once.
        "spark.python.worker.reuse": "true",
        # Delta reads its log in 50 tasks by default, which on a small machine outlasts the work.
        "spark.databricks.delta.snapshotPartitions": "2",
        "spark.sql.shuffle.partitions": str(4 * cores),
        # VACUUM lists a table's folders in as many tasks, by default 10,000, however few there are.
        "spark.sql.sources.parallelPartitionDiscovery.parallelism": str(cores),
        # A dump of some MB would be one task at the default of 4 MB for each file opened.
        "spark.sql.files.openCostInBytes": str(512 * 1024),
        # Whole pages come in an Arrow batch: bound it by what a page may be, not rows alone.
        "spark.sql.execution.arrow.maxRecordsPerBatch": "512",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": str(sys.stderr.isatty()).lower(),
        JAVA_OPTIONS: f"-Dlog4j2.configurationFile={LOGGING.as_uri()}",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.warehouse.dir": _own_folder(),
    } | jars()


def jars() -> dict[str, str]:
    """The setting that brings Delta's JARs.

    They are in the folder named by ``CROSSIC_ETL_JARS``, or where an earlier session had Ivy put
    them, or else Ivy fetches them from Maven Central, in ninety lines.
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
    """A new folder that nobody else can lay tables into; what stays empty goes with the process."""
    # as it is now: tempfile asks but once
    where = os.environ.get("TMPDIR")
    within = where if where and Path(where).is_dir() else None
    folder = tempfile.mkdtemp(prefix="crossic-etl-spark-warehouse-", dir=within)

    def remove() -> None:
        with suppress(OSError):  # Spark's, or somebody's table
            Path(folder).rmdir()

    atexit.register(remove)
    return folder
