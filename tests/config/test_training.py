"""Settings of training that are refused, and which of them the loss curve depends on."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossic_etl.config.errors import ConfigError
from crossic_etl.config.loading import build
from crossic_etl.config.training import TrainingConfig, load_training_config

NEEDED = {"model": {"name": "m"}, "exports": ["e"], "output": "o"}


def test_the_defaults_are_the_papers_lora_for_one_epoch() -> None:
    config = build(TrainingConfig, NEEDED)
    lora = config.lora
    assert (config.method, lora.rank, lora.alpha, lora.dropout) == ("lora", 64, 128, 0.05)
    assert config.epochs == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"exports": []}, "exports: () given, expected at least one folder"),
        ({"method": "qlora"}, "method: 'qlora' given, expected lora or full"),
        ({"attention": "none"}, "attention: 'none' given, expected whole or blocked"),
        ({"precision": "fp16"}, "precision: 'fp16' given, expected float32 or bf16"),
        (
            {"batch": {"windows": 6, "per_device": 4}},
            "batch.windows: 6 given, expected a multiple of",
        ),
        ({"optimizer": {"learning_rate": 0}}, "optimizer.learning_rate: 0.0 given"),
        ({"optimizer": {"schedule": "step"}}, "optimizer.schedule: 'step' given, expected cosine"),
        ({"lora": {"dropout": 1.0}}, "lora.dropout: 1.0 given"),
        ({"lora": {"r": 4}}, "lora.r: there is no such key"),
        ({"validation": {"every": 0}}, "validation.every: 0 given"),
        (
            {"validation": {"exports": {"a": "f"}, "select": "b"}},
            "validation.select: 'b' given, expected one of a",
        ),
        ({"model": {"name": ""}}, "model.name: '' given"),
        ({"model": {}}, "model.name is missing"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(
    changes: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError) as error:
        build(TrainingConfig, NEEDED | changes)
    assert str(error.value).startswith(message)


def test_a_file_is_read_with_its_overrides(tmp_path: Path) -> None:
    path = tmp_path / "training.yaml"
    path.write_text("model: {name: m}\nexports: [e]\noutput: o\n", encoding="utf-8")
    config = load_training_config(path, ["lora.target_modules=[q_proj, v_proj]", "epochs=2"])
    assert config.lora.target_modules == ("q_proj", "v_proj")
    assert config.epochs == 2


def test_a_run_may_be_moved_and_read_by_more_workers_but_not_change_its_steps() -> None:
    run = build(TrainingConfig, NEEDED).fixed()
    moved = NEEDED | {"exports": ["f"], "output": "p", "workers": 4, "device": "cpu"}
    assert build(TrainingConfig, moved).fixed() == run
    other = build(TrainingConfig, NEEDED | {"optimizer": {"warmup": 0.5}}).fixed()
    assert {key for key in run if run[key] != other[key]} == {"optimizer.warmup"}
