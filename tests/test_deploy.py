"""What the submit script asks of spark-submit, and what it sends."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from crossic_etl.session import DELTA_PACKAGE

ROOT = Path(__file__).parents[1]
SUBMIT = ROOT / "deploy" / "spark-submit.sh"
ENVIRONMENT = "#environment"


def submitted(tmp_path: Path, *arguments: str, **environment: str) -> list[str]:
    """The arguments that reach a spark-submit which prints them; nothing is packed."""
    spark_submit = tmp_path / "bin" / "spark-submit"
    spark_submit.parent.mkdir()
    spark_submit.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    spark_submit.chmod(0o755)
    own = {"PATH": os.environ["PATH"], "SPARK_HOME": str(tmp_path), "CROSSIC_ETL_BUILD": "/b"}
    done = subprocess.run(
        [SUBMIT, *arguments],
        env={**own, "PYSPARK_DRIVER_PYTHON": "/bin/true", **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def value_of(arguments: list[str], option: str) -> str:
    assert arguments.count(option) == 1
    return arguments[arguments.index(option) + 1]


def test_a_standalone_master_gets_the_environment_and_the_driver_stays(tmp_path: Path) -> None:
    job = ("jobs/pipeline.py", "--config", "my.yaml", "--set", "seed=1")
    actual = submitted(tmp_path, "--master", "spark://host:7077", *job)
    assert value_of(actual, "--master") == "spark://host:7077"
    assert value_of(actual, "--deploy-mode") == "client"
    assert value_of(actual, "--py-files") == "/b/crossic_etl.zip,/b/jobs.zip"
    assert value_of(actual, "--archives") == f"/b/environment.tar.gz{ENVIRONMENT}"
    assert value_of(actual, "--packages") == DELTA_PACKAGE
    assert "spark.pyspark.python=./environment/bin/python" in actual
    assert "spark.pyspark.driver.python=/bin/true" in actual
    assert actual[-5:] == list(job)


def test_on_yarn_the_driver_runs_on_the_cluster_with_the_environment(tmp_path: Path) -> None:
    actual = submitted(tmp_path, "--master=yarn", "--files", "my.yaml", "jobs/pages.py")
    assert value_of(actual, "--deploy-mode") == "cluster"
    assert value_of(actual, "--files") == "my.yaml"
    assert value_of(actual, "--archives").endswith(ENVIRONMENT)
    assert not [argument for argument in actual if "driver.python" in argument]


def test_kubernetes_runs_the_image_and_is_sent_nothing(tmp_path: Path) -> None:
    options = ("--master", "k8s://https://host:6443", "--packages", "some:other:1")
    actual = submitted(tmp_path, *options, "jobs/pages.py", CROSSIC_ETL_IMAGE="crossic-etl:0.1.0")
    assert value_of(actual, "--deploy-mode") == "cluster"
    assert "spark.kubernetes.container.image=crossic-etl:0.1.0" in actual
    assert value_of(actual, "--packages") == "some:other:1"
    assert "--archives" not in actual and "--py-files" not in actual
    assert actual[-1] == "local:///opt/crossic-etl/jobs/pages.py"


def test_own_packages_and_options_are_added(tmp_path: Path) -> None:
    options = ("--master", "yarn", "--deploy-mode", "client", "--packages", "some:other:1", "-v")
    actual = submitted(tmp_path, *options, "--conf", "a=b", "jobs/pages.py")
    assert value_of(actual, "--packages") == f"{DELTA_PACKAGE},some:other:1"
    assert value_of(actual, "--deploy-mode") == "client"
    assert "-v" in actual and "a=b" in actual


def test_jars_of_a_folder_replace_those_of_maven(tmp_path: Path) -> None:
    folder = tmp_path / "jars"
    folder.mkdir()
    for name in ("a.jar", "b.jar"):
        (folder / name).touch()
    options = ("--master", "spark://host:7077", "--jars", "c.jar")
    actual = submitted(tmp_path, *options, "jobs/pages.py", CROSSIC_ETL_JARS=str(folder))
    assert value_of(actual, "--jars") == f"{folder}/a.jar,{folder}/b.jar,c.jar"
    assert "--packages" not in actual


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["jobs/pages.py"], "deploy/spark-submit.sh --master spark://host:7077"),
        (["--master", "yarn"], "It takes all options of spark-submit"),
        (["--master", "yarn", "--archives", "a.zip", "jobs/pages.py"], "--archives is what this"),
        (["--master", "k8s://https://host", "jobs/pages.py"], "CROSSIC_ETL_IMAGE: names the image"),
    ],
)
def test_what_is_missing_or_taken_is_said(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    with pytest.raises(subprocess.CalledProcessError) as caught:
        submitted(tmp_path, *arguments)
    assert message in caught.value.stderr


def test_the_package_finds_its_data_in_an_archive(tmp_path: Path) -> None:
    archive = tmp_path / "crossic_etl.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for path in sorted((ROOT / "crossic_etl").rglob("*.*")):
            packed.write(path, path.relative_to(ROOT))
    code = (
        "from crossic_etl.kernels.wikis import Wiki\n"
        "from crossic_etl.kernels.wikitext import tables\n"
        "assert '.zip' in tables.__file__, tables.__file__\n"
        "print(len(tables.load_yaml('templates/th.yaml')), tables.load_yaml('templates/xx.yaml'))\n"
        "print(Wiki.of('th').redirect_words)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(archive)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    tables, words = done.stdout.splitlines()
    assert int(tables.removesuffix(" {}")) > 0
    assert "#เปลี่ยนทาง" in words
