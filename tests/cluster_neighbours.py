"""Submitted by a test: exact neighbours of the vectors in a folder, for several shard numbers."""

from __future__ import annotations

import sys
from pathlib import Path

from pyspark.sql import functions as F

from crossic_etl.kernels.cell_search import Search
from crossic_etl.session import get_session
from crossic_etl.transforms.neighbours import find_candidates, merge_candidates


def main(folder: Path, k: int, dimension: int, shards: list[int]) -> None:
    """Reads ``documents`` and ``queries``, writes ``found/shards=N``; all of them Parquet."""
    spark = get_session("neighbours")
    documents = spark.read.parquet(str(folder / "documents"))
    queries = spark.read.parquet(str(folder / "queries"))
    for number in shards:
        candidates = find_candidates(queries, documents, Search(k, dimension), number)
        found = merge_candidates(candidates, k).withColumn("shards", F.lit(number))
        found.write.parquet(str(folder / f"found/{number}"))
    spark.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), [int(n) for n in sys.argv[4:]])
