"""The embedding UDF against the bare encoder on the same cores, and each worker's peak memory.

    python -m bench.embedding_udf [--copies N] [shared data folder]

*Bare*: as many processes as there are cores take turns at parts of the texts, cut beforehand to
what the encoder sees and sorted by length, and only encode. *UDF*: Spark reads whole texts from
Parquet, shuffles them as the job does, and throws the staged rows away. Wall seconds, encoders
loaded before, best of three rounds in turns. Texts are the documents of the shared crawl files,
each copy begun elsewhere.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession

from bench.wikitext import shared_folder
from crossic_etl.config.crawl import Encoder
from crossic_etl.config.encoder import choose_encoder
from crossic_etl.kernels.encoding.encoders import load_encoder
from crossic_etl.kernels.encoding.spans import find_spans
from crossic_etl.kernels.encoding.spec import EncoderChoice
from crossic_etl.session import get_session
from crossic_etl.transforms.arrow import Batches
from crossic_etl.transforms.encoding import embed_batches, embed_texts, task_number

LANGUAGES = ("en", "ar", "es", "ja", "ko", "pt", "th")
ROUNDS = 3
PART = 64
STEP = 97  # characters further on that each copy of a text begins

Text = tuple[str, str, str]


def main(argv: Sequence[str] | None = None) -> None:
    """Print characters a second of both, their ratio, and the workers' memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--copies", type=int, default=4, help="of each text")
    parser.add_argument("data", nargs="?", type=Path, default=shared_folder())
    arguments = parser.parse_args(argv)
    choice = choose_encoder(Encoder())
    texts = read_texts(arguments.data, arguments.copies)
    cut = [text[start:end] for lang, text, _ in texts
           for start, end in find_spans(text, lang, choice.rule)]  # fmt: skip
    n_cores = len(os.sched_getaffinity(0))
    n_characters = sum(map(len, cut))
    print(f"{len(texts):,} texts, {n_characters:,} characters seen, {n_cores} cores")
    with tempfile.TemporaryDirectory() as folder:
        path = write_parquet(texts, Path(folder))
        spark = get_session("bench")
        with multiprocessing.get_context("spawn").Pool(n_cores) as pool:
            longest_first = sorted(cut, key=len, reverse=True)
            parts = [longest_first[at : at + PART] for at in range(0, len(cut), PART)]
            print_ratio(spark, path, choice, pool, parts, n_characters)


def read_texts(data: Path, copies: int) -> list[Text]:
    """(lang, text, id) of the crawl's documents; copies differ in where they begin."""
    texts = []
    for lang in LANGUAGES:
        table = pq.read_table(data / "crawl" / "fineweb" / f"{lang}-000.parquet", columns=["text"])
        for number, text in enumerate(table["text"].to_pylist()):
            for copy in range(copies):
                part = text[copy * STEP :]
                if part.strip():
                    texts.append((lang, part, f"{lang}{number}-{copy}"))
    return texts


def write_parquet(texts: Sequence[Text], folder: Path) -> str:
    """The texts in the form that `embed_texts` takes."""
    columns: dict[str, list[Any]] = {
        "id": [key for _, _, key in texts],
        "kind": ["document"] * len(texts),
        "lang": [lang for lang, _, _ in texts],
        "text_hash": [""] * len(texts),
        "text": [text for _, text, _ in texts],
        "stale": [False] * len(texts),
        "role": ["passage"] * len(texts),
    }
    path = folder / "texts.parquet"
    pq.write_table(pa.table(columns), path)
    return str(path)


def print_ratio(
    spark: SparkSession,
    path: str,
    choice: EncoderChoice,
    pool: Any,
    parts: list[list[str]],
    n_characters: int,
) -> None:
    """Both rates, after a round that loads the encoders."""
    texts = spark.read.parquet(path)
    n_tasks = task_number(texts.count())

    processor: list[float] = []

    def bare() -> None:
        processor.append(sum(pool.imap_unordered(encode, parts)))

    def udf() -> None:
        embed_texts(texts, choice, n_tasks).write.format("noop").mode("overwrite").save()

    pool.map(encode, [parts[0][:1]] * pool._processes * 4, chunksize=1)
    embed_texts(texts.limit(100), choice, 4).write.format("noop").mode("overwrite").save()
    alone, spark_seconds = in_turns(bare, udf)
    print(f"bare encoder   {n_characters / alone:10,.0f} characters/s, {alone:.2f} s")
    print(
        f"embedding UDF  {n_characters / spark_seconds:10,.0f} characters/s, {spark_seconds:.2f} s,"
        f" {n_tasks} tasks: {alone / spark_seconds:.2f} of bare"
    )
    print_workers(workers_use(texts, choice, n_tasks), min(processor))


def encode(texts: list[str]) -> float:
    """Processor seconds for one part in a process of the pool."""
    encoder = load_encoder(choose_encoder(Encoder()).spec)
    start = time.process_time()
    encoder.encode(texts, "passage")
    return time.process_time() - start


def in_turns(*calls: Callable[[], None]) -> list[float]:
    """The least wall seconds of each call."""
    best = [float("inf")] * len(calls)
    for _ in range(ROUNDS):
        for at, call in enumerate(calls):
            start = time.perf_counter()
            call()
            best[at] = min(best[at], time.perf_counter() - start)
    return best


def print_workers(use: DataFrame, bare_seconds: float) -> None:
    """Processor time of the Python workers beside the bare encoder's, and their peak memory."""
    rows = use.collect()
    seconds = sum(row.seconds for row in rows)
    peaks: dict[int, int] = {}
    for row in rows:
        peaks[row.pid] = max(peaks.get(row.pid, 0), row.kilobytes)
    print(
        f"processor time {bare_seconds:.2f} s bare, {seconds:.2f} s in the UDF's workers: "
        f"{bare_seconds / seconds:.2f} of bare (what a busy machine leaves comparable)"
    )
    print("peak memory of each worker: " + ", ".join(f"{kb // 1024} MB" for kb in peaks.values()))


def workers_use(texts: DataFrame, choice: EncoderChoice, n_tasks: int) -> DataFrame:
    """``pid, kilobytes, seconds`` of each task's worker: its peak so far, and the task's time."""

    def run(batches: Batches) -> Batches:
        start = time.process_time()
        for _ in embed_batches(batches, choice):
            pass
        seconds = time.process_time() - start
        kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        yield pa.RecordBatch.from_pydict(
            {"pid": [os.getpid()], "kilobytes": [kilobytes], "seconds": [seconds]}
        )

    return texts.repartition(n_tasks, "id").mapInArrow(
        run, "pid long, kilobytes long, seconds double"
    )


if __name__ == "__main__":
    main()
