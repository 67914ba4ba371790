"""The Python API: what it refuses before Spark starts. (`tests/pipeline` runs jobs by it.)"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

import pytest

import crossic_etl
from crossic_etl.config import Config, ConfigError, load_config
from crossic_etl.config.etl import Wikipedia

CONFIG = Config("/data", ("th",), wikipedia=Wikipedia("/d", "20260101"))


@pytest.fixture(autouse=True)
def no_spark(monkeypatch: pytest.MonkeyPatch) -> None:
    def start() -> NoReturn:
        raise AssertionError("Spark started")

    monkeypatch.setattr("crossic_etl.session.get_session", start)


def test_no_jobs_are_none_and_not_all() -> None:
    assert crossic_etl.run(CONFIG, jobs=[]) == {}


def test_one_name_is_a_job_and_not_its_letters() -> None:
    with pytest.raises(ConfigError, match=r"^pags: no such job"):
        crossic_etl.run(CONFIG, jobs="pags")


def test_a_path_is_no_configuration() -> None:
    path: Any = "my.yaml"
    with pytest.raises(TypeError, match=r"'my.yaml' given, expected what load_config returns"):
        crossic_etl.run(path)


def test_one_override_may_be_a_text(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_text("root: /data\nlanguages: [th]\n")
    assert crossic_etl.load_config(path, "seed=7") == load_config(path, ["seed=7"])
