"""Makes a table with its columns and properties, also in a folder that a run that died left."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession

from crossic_etl.schemas import Table
from crossic_etl.spark_errors import missing
from crossic_etl.tables.columns import declare_columns, table_properties
from crossic_etl.tables.evolution import add_later_columns

# ``runs`` and exports name the versions that they read, and the log says what made a table's rows:
# without that the next month's run makes them all anew.
LOG_DAYS = 100
# A merge marks the rows that it replaces instead of writing their neighbours anew.
PROPERTIES = {
    "delta.enableDeletionVectors": "true",
    "delta.logRetentionDuration": f"interval {LOG_DAYS} days",
}


def create_table(spark: SparkSession, name: str, path: str, table: Table) -> DataFrame:
    """Makes a table, unless it is there, and adds the columns that came later; gives its rows.

    Args:
        spark: the session.
        name: the table's SQL identifier.
        path: its folder or URL, for a table that isn't a catalog's.
        table: what it holds.
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
    """Makes a table of a folder in which the first transaction was never completed.

    After a run that died there, Delta's SQL takes the folder for a table and creates none, and a
    read finds no table. A writer that is given the path looks into the log and begins one.

    Raises:
        AnalysisException: there is a table.
    """
    frame.write.format("delta").options(**properties).save(path)
