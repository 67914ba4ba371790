"""The extraction stage on a standalone cluster: two workers of one core against one.

    python -m bench.workers [--megabytes 120] [shared data folder]

Master and workers are processes of their own on this machine, a worker with all its processes on
one core of it: otherwise a single one has a second core for its JVM beside its Python. The input is
that of `bench.pages`; each cluster runs the job once on the small dump before it is timed. Beside
it stands what the machine itself gives: two plain loops over the same kernels at once against one.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from bench.pages import DATE, NAME, plain_loop, repeat_dump, run_job, run_stage
from bench.wikitext import shared_folder
from crossic_etl.session import get_session, local_settings
from tests.support.standalone import LOOPBACK, SPARK_HOME, cluster, spark_submit

ROOT = Path(__file__).resolve().parents[1]
SUBMITTED = "--submitted"
PARTS = {"job": "job", "stage": "its staging pass alone"}
# As a local session has them, but for what a cluster's master and workers say themselves.
OWN = ("spark.master", "spark.driver.memory", "spark.sql.shuffle.partitions")
SETTINGS = {
    "spark.executor.memory": "1g",
    "spark.sql.shuffle.partitions": "8",
    # Small splits: with as many as cores, the larger one is waited for.
    "spark.sql.files.maxPartitionBytes": "1m",
    "spark.executorEnv.PYTHONPATH": str(ROOT),
}


def main(argv: Sequence[str] | None = None) -> None:
    """Prints the seconds of one and of two workers, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=120, help="of XML")
    arguments, _ = parser.parse_known_args(argv)
    with tempfile.TemporaryDirectory() as scratch:
        dumps = Path(scratch) / "dumps"
        path = dumps / "enwiki" / DATE / NAME
        source = shared_folder() / "wiki" / "enwiki" / DATE / NAME
        size = repeat_dump(source, path, arguments.megabytes) / 1e6
        loops = {n: loop_seconds(path, n) for n in (1, 2)}
        runs = {n: cluster_seconds(dumps, Path(scratch) / str(n), n) for n in (1, 2)}
    assert runs[1]["rows"] == runs[2]["rows"], runs
    print(f"\ndump to pages: {size:.0f} MB of XML, {runs[1]['rows']:.0f} articles")
    print(f"{'seconds':<28}{'one':>8}{'two':>8}{'speed-up':>10}")
    rows = [(what, runs[1][name], runs[2][name]) for name, what in PARTS.items()]
    # Each of two loops at once reads the whole dump: half of that is the work of one.
    for what, one, two in [*rows, ("plain loop", loops[1], loops[2] / 2)]:
        print(f"{what:<28}{one:>8.1f}{two:>8.1f}{one / two:>10.2f}")
    rest = {n: runs[n]["job"] - runs[n]["stage"] for n in runs}
    print(f"outside of the pass: {rest[1]:.1f} s with one worker, {rest[2]:.1f} s with two")


def loop_seconds(path: Path, n: int) -> float:
    """Seconds until n processes, each with the whole dump, have all ended."""
    with ProcessPoolExecutor(n, mp_context=get_context("spawn")) as pool:
        list(pool.map(time.sleep, [0.5] * n))
        started = time.perf_counter()
        list(pool.map(plain_loop, [path] * n))
        return time.perf_counter() - started


def cluster_seconds(dumps: Path, folder: Path, n_workers: int) -> dict[str, float]:
    """What a submission to a new cluster measured; see `measure`."""
    settings = {k: v for k, v in local_settings().items() if k not in OWN} | SETTINGS
    conf = [f"--conf={key}={value}" for key, value in settings.items()]
    names = ("PATH", "HOME", "JAVA_HOME")
    environment = {name: os.environ[name] for name in names if name in os.environ} | {
        "SPARK_HOME": str(SPARK_HOME),
        "SPARK_LOCAL_IP": LOOPBACK,
        "PYTHONPATH": str(ROOT),
        "PYSPARK_PYTHON": sys.executable,
        "CROSSIC_SHARED_DATA": str(shared_folder()),
    }
    with cluster(folder, n_workers, pinned=True) as running:
        submitted = ["--master", running.master, *conf, __file__, SUBMITTED, dumps, folder]
        printed = spark_submit(submitted, environment)
    measured: dict[str, float] = json.loads(printed.splitlines()[-1])
    return measured


def measure(dumps: Path, folder: Path) -> None:
    """Prints, as JSON, the seconds of the staging pass and of the job, and the rows it made."""
    spark = get_session("bench")
    run_job(spark, shared_folder() / "wiki", f"{folder}/warm")
    stage = run_stage(spark, dumps, f"{folder}/stage")
    job, n_rows = run_job(spark, dumps, f"{folder}/tables")
    spark.stop()
    print(json.dumps({"stage": stage, "job": job, "rows": n_rows}))


if __name__ == "__main__":
    if sys.argv[1:2] == [SUBMITTED]:
        measure(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        main()
