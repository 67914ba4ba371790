"""Servers on loopback that tests run against: Spark Connect and an S3-compatible object store."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

from crossic_etl.session import BRIEF, BRIEF_JAVA, COMMON, JAVA_OPTIONS, local_settings
from tests.support.standalone import LOOPBACK, SPARK_HOME

ROOT = Path(__file__).parents[2]
CONNECT_SERVER = "org.apache.spark.sql.connect.service.SparkConnectServer"


@contextmanager
def connect_server(folder: Path) -> Iterator[str]:
    """The address of a Spark Connect server with Delta, on all cores, in a process of its own."""
    port = free_port()
    settings = (
        COMMON
        | local_settings()
        | BRIEF
        | {
            JAVA_OPTIONS: BRIEF_JAVA,
            "spark.connect.grpc.binding.address": LOOPBACK,
            "spark.connect.grpc.binding.port": str(port),
        }
    )
    command = [
        SPARK_HOME / "bin" / "spark-submit",
        "--class",
        CONNECT_SERVER,
        *(f"--conf={key}={value}" for key, value in settings.items()),
        "spark-internal",
    ]
    # Its Python workers import this package, as those of a cluster with its environment do.
    own = {"PYTHONPATH": str(ROOT), "PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": LOOPBACK}
    with _running(command, folder / "connect.log", port, os.environ | own):
        yield f"sc://{LOOPBACK}:{port}"


@contextmanager
def object_store(folder: Path) -> Iterator[tuple[str, Any]]:
    """An S3-compatible server: its address, and a client of it."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "--host", LOOPBACK, "--port", str(port)]
    address = f"http://{LOOPBACK}:{port}"
    with _running(command, folder / "store.log", port, os.environ):
        yield (
            address,
            boto3.client(
                "s3",
                endpoint_url=address,
                region_name="us-east-1",
                aws_access_key_id="test",
                aws_secret_access_key="test",
            ),
        )


def s3a_settings(address: str) -> dict[str, str]:
    """Spark's settings to read and write in such a store."""
    access = {
        "endpoint": address,
        "endpoint.region": "us-east-1",
        "path.style.access": "true",
        "access.key": "test",
        "secret.key": "test",
    }
    return {f"spark.hadoop.fs.s3a.{key}": value for key, value in access.items()}


def free_port() -> int:
    """One that nothing listens on."""
    with socket.socket() as free:
        free.bind((LOOPBACK, 0))
        return int(free.getsockname()[1])


@contextmanager
def _running(
    command: Sequence[str | Path], log: Path, port: int, environment: Mapping[str, str]
) -> Iterator[None]:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", *map(str, command)],
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            env=dict(environment),
            cwd=log.parent,
        )
    try:
        deadline = time.monotonic() + 180
        while not _answers(port):
            assert process.poll() is None, log.read_text()[-3000:]
            assert time.monotonic() < deadline, log.read_text()[-3000:]
            time.sleep(0.2)
        yield
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()


def _answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex((LOOPBACK, port)) == 0
