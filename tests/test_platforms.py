"""The product where users run it: a standalone cluster of separate processes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.standalone import LOOPBACK, SPARK_HOME, Cluster, cluster, spark_submit

pytestmark = pytest.mark.platform

ROOT = Path(__file__).parents[1]
SUBMIT = ROOT / "deploy" / "spark-submit.sh"
# Small executors for small data; deploy/spark-defaults.conf has those of a real cluster.
SMALL = {
    "spark.executor.cores": "1",
    "spark.executor.memory": "1g",
    "spark.driver.memory": "1g",
    "spark.sql.shuffle.partitions": "4",
    "spark.databricks.delta.snapshotPartitions": "2",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.log.level": "ERROR",
}


@pytest.fixture(scope="module")
def two_workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What a submitter has in its environment, and where it packs what it sends."""
    names = ("PATH", "HOME", "JAVA_HOME", "CROSSIC_ETL_JARS")
    own = {name: os.environ[name] for name in names if name in os.environ}
    build = os.environ.get("CROSSIC_ETL_BUILD") or str(tmp_path_factory.mktemp("build"))
    return own | {
        "SPARK_HOME": str(SPARK_HOME),
        "SPARK_LOCAL_IP": LOOPBACK,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
        "CROSSIC_ETL_BUILD": build,
    }


def options(master: str, **more: str) -> list[str]:
    conf = [f"--conf={key}={value}" for key, value in (SMALL | more).items()]
    return ["--master", master, *conf]


SHARDS = (1, 7, 64)
D, K = 64, 10


def unit(n: int, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).standard_normal((n, D)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def write_vectors(folder: Path, vectors: np.ndarray, name: str, parts: int) -> None:
    """In several files, so that Spark reads them in as many tasks."""
    folder.mkdir()
    for part in range(parts):
        chosen = range(part, len(vectors), parts)
        columns = {
            "id": [f"{name}{i:05}" for i in chosen],
            "lang": ["en" if name == "d" else "th" for _ in chosen],
            "vector": pa.array([vectors[i].tolist() for i in chosen], pa.list_(pa.float32())),
        }
        pq.write_table(pa.table(columns), folder / f"{part}.parquet")


@pytest.fixture(scope="module")
def vectors() -> tuple[np.ndarray, np.ndarray]:
    """Documents and queries; forty documents are the same, and nearest to the first query."""
    documents, queries = unit(3000, 0), unit(500, 1)
    documents[100:140] = queries[0]
    return documents, queries


@pytest.fixture(scope="module")
def found(
    two_workers: Cluster,
    environment: dict[str, str],
    vectors: tuple[np.ndarray, np.ndarray],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Neighbours that the cluster found, in a folder for each number of shards."""
    folder = tmp_path_factory.mktemp("vectors")
    for name, rows in zip(("documents", "queries"), vectors, strict=True):
        write_vectors(folder / name, rows, name[0], parts=4)
    script = ROOT / "tests" / "cluster_neighbours.py"
    arguments = [script, folder, K, D, *SHARDS]
    spark_submit([*options(two_workers.master), *arguments], environment, SUBMIT)
    return folder / "found"


@pytest.mark.parametrize("shards", SHARDS)
def test_exact_search_on_two_workers_is_brute_force_up_to_ties(
    found: Path, vectors: tuple[np.ndarray, np.ndarray], shards: int
) -> None:
    rows = pq.read_table(found / str(shards)).to_pylist()
    rows.sort(key=lambda row: (row["query_id"], row["rank"]))
    documents, queries = vectors
    scores = queries.astype(np.float64) @ documents.T.astype(np.float64)
    ids = np.array([int(row["doc_id"][1:]) for row in rows]).reshape(len(queries), K)
    assert [row["query_id"] for row in rows[::K]] == [f"q{i:05}" for i in range(len(queries))]
    assert [row["rank"] for row in rows] == [*range(1, K + 1)] * len(queries)
    assert all(len(set(of_query)) == K for of_query in ids.tolist())
    best = -np.sort(-scores, axis=1)[:, :K]
    np.testing.assert_allclose(np.take_along_axis(scores, ids, 1), best, atol=1e-6)
    cosines = np.array([row["cosine"] for row in rows]).reshape(ids.shape)
    np.testing.assert_allclose(cosines, best, atol=1e-6)
    assert set(ids[0].tolist()) <= set(range(100, 140))


def test_both_workers_searched(found: Path, two_workers: Cluster) -> None:
    logs = two_workers.executor_logs()
    assert [log.count("Finished task") > 10 for log in logs] == [True, True]
