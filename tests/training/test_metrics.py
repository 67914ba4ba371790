"""Metrics of a run that goes on after its last checkpoint."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossic_etl.training.metrics import Metrics
from crossic_etl.training.outputs import METRICS, read_metrics
from crossic_etl.training.validation import ValidationLoss

pytestmark = pytest.mark.slow

UNTRAINED = [ValidationLoss("mix", "all", 4.0, 8)]


def steps(output: Path) -> list[int]:
    return [line["step"] for line in read_metrics(output)]


def killed_after_two_steps(output: Path) -> None:
    with Metrics(output, 0) as metrics:
        metrics.validation(0, UNTRAINED)
        for step in (1, 2):
            metrics.train(step, {"loss": 3.0})
    with (output / METRICS).open("a", encoding="utf-8") as file:
        file.write('{"kind": "train", "st')


def test_lines_past_the_checkpoint_are_removed(tmp_path: Path) -> None:
    killed_after_two_steps(tmp_path)
    assert steps(tmp_path) == [0, 1, 2]
    with Metrics(tmp_path, 1) as metrics:
        metrics.train(2, {"loss": 2.0})
    assert steps(tmp_path) == [0, 1, 2]
    assert read_metrics(tmp_path)[-1] == {"kind": "train", "step": 2, "loss": 2.0}


def test_a_run_without_a_checkpoint_begins_again(tmp_path: Path) -> None:
    killed_after_two_steps(tmp_path)
    with Metrics(tmp_path, 0) as metrics:
        metrics.validation(0, UNTRAINED)
    assert steps(tmp_path) == [0]
