"""What the submit script asks of spark-submit, and what it sends."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from configparser import ConfigParser
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import kubernetes_validate
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from crossic_etl.config import load_config
from crossic_etl.session import DELTA_PACKAGE

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SUBMIT = DEPLOY / "spark-submit.sh"
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
    assert value_of(actual, "--py-files") == "/b/crossic_etl.zip"
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


def load_pack() -> ModuleType:
    spec = spec_from_file_location("pack", DEPLOY / "pack.py")
    assert spec and spec.loader
    pack = module_from_spec(spec)
    spec.loader.exec_module(pack)
    return pack


@pytest.mark.parametrize(
    ("extras", "more"), [((), set()), (("encoders",), {"sentence-transformers>=5"})]
)
def test_the_environment_has_what_the_wheel_requires_but_spark(
    tmp_path: Path, extras: tuple[str, ...], more: set[str]
) -> None:
    wheel = tmp_path / "crossic_etl.zip"
    lines = [
        "Name: crossic-etl",
        "Version: 9.9",
        "Requires-Dist: pyspark[sql]<4.2,>=4.1.0",
        "Requires-Dist: delta-spark==4.4.0",
        "Requires-Dist: pyyaml>=6",
        'Requires-Dist: tomli>=2; python_version < "3"',
        'Requires-Dist: sentence-transformers>=5; extra == "encoders"',
    ]
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("crossic_etl-9.9.dist-info/METADATA", "\n".join(lines) + "\n")
    actual = set(load_pack().required(wheel, extras))
    of_spark = {name for name in actual if name.startswith(("pandas", "pyarrow", "py4j", "numpy"))}
    assert len(of_spark) >= 3
    assert actual - of_spark == {"pyyaml>=6"} | more


def manifests() -> list[dict[str, Any]]:
    return [
        manifest
        for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))
        for manifest in yaml.safe_load_all(path.read_text())
    ]


@pytest.mark.parametrize("manifest", manifests(), ids=lambda manifest: str(manifest["kind"]))
def test_a_manifest_is_what_kubernetes_takes(manifest: dict[str, Any]) -> None:
    kubernetes_validate.validate(manifest, "1.31", strict=True)


def test_the_check_of_manifests_sees_a_wrong_key() -> None:
    (cron,) = [manifest for manifest in manifests() if manifest["kind"] == "CronJob"]
    cron["spec"]["concurrency"] = cron["spec"].pop("concurrencyPolicy")
    with pytest.raises(kubernetes_validate.ValidationError, match="concurrency"):
        kubernetes_validate.validate(cron, "1.31", strict=True)


def test_the_configuration_in_the_manifest_is_ours(tmp_path: Path) -> None:
    (found,) = [manifest for manifest in manifests() if manifest["kind"] == "ConfigMap"]
    (tmp_path / "config.yaml").write_text(found["data"]["config.yaml"])
    assert load_config(tmp_path / "config.yaml").root == "s3a://bucket/crossic"


def test_the_image_has_every_requirement_at_a_version_that_fits() -> None:
    lines = (DEPLOY / "requirements.txt").read_text().splitlines()
    pinned = dict(line.split("==") for line in lines if not line.startswith("#"))
    versions = {canonicalize_name(name): version for name, version in pinned.items()}
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    wanted = setup["options"]["install_requires"].strip().splitlines()
    requirements = [Requirement(line) for line in wanted if not line.startswith("#")]
    assert len(requirements) > 8
    for requirement in requirements:
        if requirement.name not in ("pyspark", "delta-spark"):
            assert versions[canonicalize_name(requirement.name)] in requirement.specifier
    assert {"pandas", "pyarrow"} <= versions.keys()


def test_the_image_has_the_spark_and_delta_that_we_ask_for() -> None:
    image = (DEPLOY / "Dockerfile").read_text()
    setup = ConfigParser()
    setup.read(ROOT / "setup.cfg")
    (spark,) = [
        Requirement(line)
        for line in setup["options"]["install_requires"].splitlines()
        if line.startswith("pyspark")
    ]
    found = re.search(r"FROM apache/spark:([\d.]+)-", image)
    assert found and found[1] in spark.specifier
    _, artifact, version = DELTA_PACKAGE.split(":")
    assert f"/{artifact}/{version}/{artifact}-{version}.jar" in image


def test_each_setting_has_its_reason_above_it() -> None:
    lines = (DEPLOY / "spark-defaults.conf").read_text().splitlines()
    keys = [line.split()[0] for line in lines if line.startswith("spark.")]
    assert len(keys) == len(set(keys)) > 10
    reasoned = False
    for line in lines:
        assert reasoned or not line.startswith("spark."), line
        reasoned = bool(line) and (reasoned or line.startswith("#"))


def test_the_units_of_systemd_name_the_script_and_a_day() -> None:
    service, timer = ConfigParser(), ConfigParser()
    service.read(DEPLOY / "crossic-etl.service")
    timer.read(DEPLOY / "crossic-etl.timer")
    command = service["Service"]["ExecStart"].split()[0]
    assert command == "/opt/crossic-etl/deploy/spark-submit.sh"
    assert timer["Timer"]["OnCalendar"].startswith("*-*-")
