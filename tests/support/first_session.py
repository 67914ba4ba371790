"""The first session: it fetches Delta's JARs, and Java archives the classes that it loads here."""

from __future__ import annotations

import logging
from pathlib import Path
from tempfile import TemporaryDirectory

from crossic_etl.log import console_logging
from crossic_etl.session import get_session


def main() -> None:
    """Writes a small Delta table and merges into it, as most tests do."""
    with console_logging(logging.INFO), TemporaryDirectory() as folder:
        spark = get_session(brief=True)
        path = str(Path(folder) / "table")
        spark.range(9).write.format("delta").save(path)
        spark.range(9).createOrReplaceTempView("more")
        spark.sql(
            f"MERGE INTO delta.`{path}` old USING more ON old.id = more.id "
            "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"
        )
        spark.read.format("delta").load(path).groupBy("id").count().collect()
        java = spark.sparkContext._gateway.proc  # type: ignore[union-attr]
        spark.stop()
        java.stdin.close()
        java.wait()  # it writes the archive as it ends


if __name__ == "__main__":
    main()
