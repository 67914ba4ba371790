"""The product where users run it: a cluster of two workers, an object store, Spark Connect."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crossic_etl.config import load_config
from crossic_etl.pipeline.flow import jobs_of
from crossic_etl.sample.build import build_sample
from crossic_etl.sample.build_web import build_web_sample
from crossic_etl.session import BRIEF
from crossic_etl.tables import Tables
from tests.support.equal_tables import assert_same
from tests.support.servers import connect_server, object_store, s3a_settings
from tests.support.standalone import LOOPBACK, SPARK_HOME, Cluster, cluster, spark_submit

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

pytestmark = pytest.mark.platform

ROOT = Path(__file__).parents[2]
SUBMIT = ROOT / "deploy" / "spark-submit.sh"
# Small executors for small data; deploy/spark-defaults.conf has those of a real cluster.
SMALL = BRIEF | {
    "spark.executor.cores": "1",
    "spark.executor.memory": "1g",
    "spark.executor.extraJavaOptions": "-XX:+UseSerialGC",
    "spark.driver.memory": "1g",
    "spark.driver.extraJavaOptions": "-XX:+UseSerialGC",
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
    script = ROOT / "tests" / "support" / "cluster_neighbours.py"
    arguments = [script, folder, K, D, *SHARDS]
    spark_submit([*options(two_workers.master), *arguments], environment, SUBMIT)
    return folder


@pytest.mark.parametrize("shards", SHARDS)
def test_exact_search_on_two_workers_is_brute_force_up_to_ties(
    found: Path, vectors: tuple[np.ndarray, np.ndarray], shards: int
) -> None:
    rows = pq.read_table(found / "found" / str(shards)).to_pylist()
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


def test_workers_import_what_was_sent_and_nothing_else(found: Path, two_workers: Cluster) -> None:
    rows = pq.read_table(found / "modules").to_pylist()
    assert len(rows) == 2
    for row in rows:
        package, native = row["places"]
        assert "crossic_etl.zip" in package
        for place in (row["executable"], native):
            assert place.startswith(str(two_workers.folder)) and "/environment/" in place
        assert not [
            path
            for path in row["path"]
            if path.startswith(sys.prefix + "/lib/python") and not path.startswith(str(SPARK_HOME))
        ]


@dataclass(frozen=True)
class Sample:
    """The bundled sample's input in a folder, and its configuration there."""

    folder: Path
    config: Path

    def options(self, root: str | Path) -> list[str]:
        """Options of a job that puts its tables under a root."""
        return ["--config", str(self.config), "--set", f"root={root}"]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """Two target languages in two arrangements, and the web documents."""
    folder = tmp_path_factory.mktemp("sample")
    build_sample(folder / "dumps")
    build_web_sample(folder / "crawl")
    return Sample(folder, write_config(folder, str(folder)))


def write_config(folder: Path, place: str) -> Path:
    """The bundled configuration with its input at a place."""
    bundled = (files("crossic_etl.sample") / "config.yaml").read_text("utf-8")
    path = folder / "config.yaml"
    replaced = [
        ("warehouse/", f"{place}/"),
        ("[ar, es, ja, ko, pt, th]", "[es, th]"),
        ("[en-first, target-first, mix, target-only, random, retrieved]", "[en-first, retrieved]"),
    ]
    for old, new in replaced:
        assert old in bundled
        bundled = bundled.replace(old, new)
    path.write_text(bundled)
    return path


@pytest.fixture(scope="module")
def reference(spark: SparkSession, sample: Sample, tmp_path_factory: Any) -> Tables:
    """The tables of a local run."""
    root = str(tmp_path_factory.mktemp("reference"))
    config = load_config(sample.config, [f"root={root}"])
    for job in jobs_of(config):
        job.run(spark, config)
    return Tables(spark, root)


@pytest.mark.parametrize(
    ("table", "change", "message"),
    [
        ("embeddings", "vector = transform(vector, x -> x + 1e-7f)", "rows of embeddings"),
        ("neighbours", "cosine = cosine + 1e-7f", "rows of neighbours"),
        ("pairs", "en_title = 'Kite'", "rows of pairs"),
    ],
)
def test_the_comparison_sees_one_table_changed(
    reference: Tables, tmp_path: Path, table: str, change: str, message: str
) -> None:
    other = Tables(reference.spark, str(tmp_path / "tables"))
    shutil.copytree(reference.folder, other.folder)
    other.spark.sql(f"UPDATE {other.name(table)} SET {change}")
    with pytest.raises(AssertionError, match=message):
        assert_same(other, reference)


def test_the_pipeline_on_two_workers_makes_the_tables_of_a_local_run(
    two_workers: Cluster,
    environment: dict[str, str],
    sample: Sample,
    reference: Tables,
    tmp_path: Path,
) -> None:
    submitted = [*options(two_workers.master), "jobs/pipeline.py", *sample.options(tmp_path)]
    spark_submit(submitted, environment, SUBMIT)
    assert_same(Tables(reference.spark, str(tmp_path)), reference)


def test_the_pipeline_on_spark_connect_makes_the_tables_of_a_local_run(
    sample: Sample, reference: Tables, tmp_path: Path
) -> None:
    root = tmp_path / "tables"
    with connect_server(tmp_path) as address:
        done = subprocess.run(
            [sys.executable, "-m", "jobs.pipeline", *sample.options(root)],
            env=os.environ | {"SPARK_REMOTE": address, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
            timeout=600,
        )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert_same(Tables(reference.spark, str(root)), reference)


# Hadoop's connector brings all of Amazon's services, 600 MB; these are what it uses of them.
S3A = (
    "org.apache.hadoop:hadoop-aws:3.4.2",
    *(f"software.amazon.awssdk:{name}:2.29.52" for name in ("s3", "s3-transfer-manager", "sts")),
)


@pytest.fixture
def s3a_options() -> list[str]:
    """Options that bring Hadoop's connector, from Maven or from the folder of JARs."""
    folder = os.environ.get("CROSSIC_ETL_JARS")
    if folder and not list(Path(folder).glob("*hadoop-aws*.jar")):
        pytest.skip(f"no hadoop-aws in {folder}")
    without = ["--exclude-packages", "software.amazon.awssdk:bundle"]
    return [] if folder else ["--packages", ",".join(S3A), *without]


def upload(store: Any, folder: Path, bucket: str, prefix: str) -> None:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            store.upload_file(str(path), bucket, f"{prefix}{path.relative_to(folder)}")


def download(store: Any, bucket: str, prefix: str, folder: Path) -> None:
    for page in store.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page["Contents"]:
            if not item["Key"].endswith("/"):
                path = folder / item["Key"]
                path.parent.mkdir(parents=True, exist_ok=True)
                store.download_file(bucket, item["Key"], str(path))


def test_the_pipeline_on_an_object_store_makes_the_tables_of_a_local_run(
    two_workers: Cluster,
    environment: dict[str, str],
    s3a_options: list[str],
    sample: Sample,
    reference: Tables,
    tmp_path: Path,
) -> None:
    with object_store(tmp_path) as (address, store):
        store.create_bucket(Bucket="lake")
        for name in ("dumps", "crawl"):
            upload(store, sample.folder / name, "lake", f"{name}/")
        config = write_config(tmp_path, "s3a://lake")
        job = ["jobs/pipeline.py", "--config", config, "--set", "root=s3a://lake/tables"]
        submitted = [*options(two_workers.master, **s3a_settings(address)), *s3a_options, *job]
        try:
            spark_submit(submitted, environment, SUBMIT)
        except AssertionError as error:
            if "unresolved dependency" in str(error):
                pytest.skip("Maven doesn't give hadoop-aws here")
            raise
        download(store, "lake", "tables/", tmp_path)
    assert_same(Tables(reference.spark, str(tmp_path / "tables")), reference)
