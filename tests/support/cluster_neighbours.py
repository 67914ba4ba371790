"""Submitted by a test: exact neighbours of the vectors in a folder, for several shard numbers.

Beside them it writes where the workers' Python found its modules.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
from pyspark.sql import functions as F

from crossic_etl.kernels.search.settings import Search
from crossic_etl.session import get_session
from crossic_etl.transforms.candidates import SearchRequest, find_candidates, merge_candidates


def modules(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    import faiss

    import crossic_etl

    for batch in batches:
        places = [module.__file__ for module in (crossic_etl, faiss)]
        row = {"executable": sys.executable, "path": sys.path, "places": places}
        yield pa.RecordBatch.from_pylist([row] * batch.num_rows)


def main(folder: Path, k: int, dimension: int, shards: list[int]) -> None:
    """Reads ``documents`` and ``queries``, writes ``found/N`` for N shards; all of them Parquet."""
    spark = get_session("neighbours")
    documents = spark.read.parquet(str(folder / "documents"))
    queries = spark.read.parquet(str(folder / "queries"))
    for number in shards:
        request = SearchRequest(Search(k, dimension), shards=number)
        candidates = find_candidates(queries, documents, request)
        found = merge_candidates(candidates, k).withColumn("shards", F.lit(number))
        found.write.parquet(str(folder / f"found/{number}"))
    seen = "executable string, path array<string>, places array<string>"
    spark.range(0, 2, 1, 2).mapInArrow(modules, seen).write.parquet(str(folder / "modules"))
    spark.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), [int(n) for n in sys.argv[4:]])
