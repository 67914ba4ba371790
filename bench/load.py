"""The largest input that an hour allows here: seconds and memory of every job, over its time.

    python -m bench.load [--pages 14000] [--documents 300000] [--keep FOLDER] [--alignments]
        [shared data folder]

Real English and Thai pages under new ids, and documents of shuffled real sentences (`repeated`).
After a run from nothing comes the next month, with a twentieth of pages changed and documents new.
With ``--alignments`` samples are made once more with each `segment.align` instead: seconds, and the
characters that were embedded.

Memory is what the driver's JVM and its largest Python worker hold, measured each second: the most
in each third of a job. It is flat where the thirds are alike.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from pyspark.sql import SparkSession

from bench.repeated import FIRST, SECOND, bring_news, write_months
from crossic_etl.config import load_config
from crossic_etl.inputs.run_inputs import RunInputs
from crossic_etl.kernels.samples.names import ALIGNMENTS
from crossic_etl.pipeline import samples
from crossic_etl.pipeline.flow import jobs_of, run_if_needed
from crossic_etl.runs.ledger import Ledger
from crossic_etl.session import get_session

SETTINGS = 'neighbours: {method: routed, shards: 8, thresholds: {"*": 0.0}}'
THIRDS = 3


def main(argv: Sequence[str] | None = None) -> None:
    """Prints a line for each job in each of the months, and how long these took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=14_000, help="articles of each of two wikis")
    parser.add_argument("--documents", type=int, default=300_000)
    parser.add_argument("--alignments", action="store_true", help="compare ways to cut instead")
    parser.add_argument("--keep", type=Path, help="where input and tables stay")
    given, _ = parser.parse_known_args(argv)
    place = nullcontext(given.keep) if given.keep else tempfile.TemporaryDirectory()
    with place as name:
        folder = Path(name)
        config = folder / "my.yaml"
        if not config.exists():
            write_months(folder, given.pages, given.documents, SETTINGS)
        spark = get_session("bench")
        first = run_month(spark, config, FIRST)
        if given.alignments:
            compare_alignments(spark, config)
            return
        bring_news(folder)
        second = run_month(spark, config, SECOND)
        spark.stop()
    print(f"from nothing {first:,.1f} s; a twentieth of news {second:,.1f} s, {second / first:.2f}")


def run_month(spark: SparkSession, path: Path, month: str) -> float:
    """Seconds of all jobs over a month, of which each has its line."""
    config = load_config(path, [f"wikipedia.date={month}"])
    print(f"{month:<12}{'seconds':>9}   JVM, MB in each third   largest worker, MB")
    total = 0.0
    inputs = RunInputs(spark, config)
    for job in jobs_of(config):
        with sampled() as sample:
            started = time.perf_counter()
            run_if_needed(job, inputs, Ledger(inputs.tables))
            seconds = time.perf_counter() - started
        total += seconds
        shown = ["".join(f"{most:>8,}" for most in thirds(of)) for of in sample]
        print(f"{job.name:<12}{seconds:>9.1f}{shown[0]:>24}{shown[1]:>24}", flush=True)
    return total


def compare_alignments(spark: SparkSession, path: Path) -> None:
    """Prints seconds and embedded characters of `samples` with each way to cut."""
    print(f"{'align':<12}{'seconds':>9}{'samples':>9}{'characters embedded':>21}")
    for align in reversed(ALIGNMENTS):
        config = load_config(path, [f"wikipedia.date={FIRST}", f"segment.align={align}"])
        made = samples.run(spark, config, rebuild=True)
        embedded = made.metrics["embedded_characters"]
        print(f"{align:<12}{made.seconds:>9.1f}{made.rows_out:>9,}{embedded:>21,}", flush=True)


def thirds(found: Sequence[int]) -> list[int]:
    """The most of each third of a series, in megabytes."""
    size = max(1, -(-len(found) // THIRDS))
    return [max(found[i : i + size], default=0) // 2**20 for i in range(0, THIRDS * size, size)]


@contextmanager
def sampled(seconds: float = 1.0) -> Iterator[tuple[list[int], list[int]]]:
    """Bytes that the JVM and the largest Python worker hold, measured again and again inside."""
    jvm, worker, ended = list[int](), list[int](), threading.Event()

    def look() -> None:
        while not ended.wait(seconds):
            held = dict(descendants(os.getpid()))
            jvm.append(sum(size for name, size in held.values() if name == "java"))
            # By name: a program that the JVM starts has the JVM's memory until it is another one.
            of_python = [size for name, size in held.values() if name.startswith("python")]
            worker.append(max(of_python, default=0))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield jvm, worker
    finally:
        ended.set()
        thread.join()


def descendants(pid: int) -> Iterator[tuple[int, tuple[str, int]]]:
    """Name and resident bytes of every process below one."""
    parents: dict[int, list[int]] = {}
    held: dict[int, tuple[str, int]] = {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            text = (process / "stat").read_text()
            name = text[text.index("(") + 1 : text.rindex(")")]
            fields = text[text.rindex(")") + 2 :].split()
            parents.setdefault(int(fields[1]), []).append(int(process.name))
            held[int(process.name)] = name, int(fields[21]) * os.sysconf("SC_PAGE_SIZE")
    below = [pid]
    while below:
        for child in parents.get(below.pop(), []):
            below.append(child)
            yield child, held[child]


if __name__ == "__main__":
    main(sys.argv[1:])
