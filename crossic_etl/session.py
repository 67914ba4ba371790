"""The Spark session, and the only place with ``spark.*`` settings."""

from __future__ import annotations

import atexit
import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from pyspark.sql import SparkSession

# Delta 4.4.0 is built for Spark 4.1; the artifact's name holds both versions and Scala's.
DELTA_PACKAGE = "io.delta:delta-spark_4.1_2.13:4.4.0"
JARS_FOLDER = "CROSSIC_ETL_JARS"

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
    "spark.driver.extraJavaOptions": "-XX:+UseSerialGC",
}

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


def _build(name: str, brief: bool) -> SparkSession:
    builder = SparkSession.builder.appName(name)
    if "SPARK_REMOTE" in os.environ or "DATABRICKS_RUNTIME_VERSION" in os.environ:
        return builder.getOrCreate()
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    settings = dict(COMMON)
    if "PYSPARK_GATEWAY_PORT" not in os.environ:  # not started by spark-submit
        settings |= local_settings()
        if brief:
            settings |= BRIEF
    for key, value in settings.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def local_settings(cores: int | None = None) -> dict[str, str]:
    """Settings of a session on this machine alone: half its memory, all its cores.

    JARs come from Maven, or from the folder named by ``CROSSIC_ETL_JARS``.
    """
    cores = cores or len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    folder = os.environ.get(JARS_FOLDER)
    jars = (
        {"spark.jars": ",".join(str(jar) for jar in sorted(Path(folder).glob("*.jar")))}
        if folder
        else {"spark.jars.packages": DELTA_PACKAGE}
    )
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
        # At ERROR a failed task is a hundred lines of Java; jobs say in one what it was.
        "spark.log.level": "FATAL",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.warehouse.dir": _own_folder(),
    } | jars


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
