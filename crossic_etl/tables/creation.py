"""Creates tables with columns and properties, also in a folder that a dead run left behind."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession

from crossic_etl.schemas import Table
from crossic_etl.spark_errors import missing
from crossic_etl.tables.columns import declare_columns, table_properties
from crossic_etl.tables.evolution import add_later_columns

# ``runs`` and exports name table versions that they read, and the log has the settings'
# fingerprints. Without them the next month's run would make all rows again.
LOG_DAYS = 100
# A merge marks replaced rows as deleted instead of rewriting their files.
PROPERTIES = {
    "delta.enableDeletionVectors": "true",
    "delta.logRetentionDuration": f"interval {LOG_DAYS} days",
}


def create_table(spark: SparkSession, name: str, path: str, table: Table) -> DataFrame:
    """Creates a table if it doesn't exist, and adds columns of later versions; returns its rows.

    Args:
        spark: the session.
        name: the table's SQL identifier.
        path: its folder or URL, for a table outside a catalog.
        table: its definition.
    """
    partitions = ", ".join(f"`{column}`" for column in table.partition_by)
    declared = (
        f"{name} ({declare_columns(table)}) USING delta"
        + (f" PARTITIONED BY ({partitions})" if partitions else "")
        + f" {table_properties(PROPERTIES)}"
    )
    spark.sql(f"CREATE TABLE IF NOT EXISTS {declared}")
    try:
        return add_later_columns(spark, name, table)
    except AnalysisException as error:
        if not missing(error):
            raise
        begin_log(spark.createDataFrame([], table.schema), path)
        spark.sql(f"REPLACE TABLE {declared}")
        return spark.read.table(name)


def begin_log(frame: DataFrame, path: str, properties: Mapping[str, str] = PROPERTIES) -> None:
    """Creates a table in a folder whose first transaction was never completed.

    Delta's SQL takes such a folder for a table and doesn't create one, while a read finds no table.
    A writer with the path reads the log and starts one.

    Raises:
        AnalysisException: the folder has a table.
    """
    frame.write.format("delta").options(**properties).save(path)
