"""Fixtures: the files that a submission is made of, and an HTTP server that records."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from crossic_etl.config.submit import Submit
from crossic_etl.submit.job import TrainingJob
from tests.submit.inputs import write_export, write_model, write_yaml
from tests.submit.recorder import Recorder

Tree = dict[str, Any]


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """The handlers that a submission sets are its own."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """A training configuration whose export and model fit each other."""
    return {
        "model": {"name": write_model(tmp_path / "model")},
        "exports": [write_export(tmp_path / "export")],
        "output": str(tmp_path / "output"),
        "submit": {"gpus_per_node": 0},
    }


@pytest.fixture
def config_file(tmp_path: Path, tree: Tree) -> Callable[..., str]:
    """``config_file(submit={...})``: the YAML with some keys changed."""

    def write(**changed: Any) -> str:
        return write_yaml(tmp_path / "training.yaml", tree | changed)

    return write


@pytest.fixture
def job() -> Callable[..., TrainingJob]:
    """``job(nodes=2)``: a job with these settings."""

    def make(config_text: str = "output: /data/模型\n", **settings: Any) -> TrainingJob:
        return TrainingJob("train-0102-030405-abcd", config_text, Submit(**settings))

    return make


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    with Recorder() as server:
        yield server
