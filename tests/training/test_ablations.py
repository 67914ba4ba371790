"""The comparison of arrangements: what is run, and the table of what came out."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from crossic_etl.config.training import load_training_config
from crossic_etl.training.ablations import COMPARED, main, table
from crossic_etl.training.errors import TrainingError

TRAINING = """
model: {name: some/model}
exports: [ignored]
output: ignored
optimizer: {learning_rate: 0.0002}
validation: {every: 50}
seed: 7
"""


def planned(folder: Path, *more: str) -> Path:
    training = folder / "training.yaml"
    training.write_text(TRAINING, encoding="utf-8")
    output = folder / "ablations"
    arguments = ["--config", "my.yaml", "--training", str(training), "--output", str(output)]
    assert main(["plan", *arguments, "--tokens", "1000", *more]) == 0
    return output


def test_the_runs_differ_in_what_they_are_trained_on_alone(tmp_path: Path) -> None:
    folder = planned(tmp_path)
    configs = {name: load_training_config(folder / f"{name}.yaml") for name in COMPARED}
    for name, config in configs.items():
        assert config.exports == (str(folder / "exports" / name),)
        assert config.output == str(folder / "runs" / name)
        assert list(config.validation.exports) == list(COMPARED)
        assert (config.seed, config.optimizer.learning_rate) == (7, 0.0002)
        fixed, first = config.fixed(), configs["en-first"].fixed()
        assert {key for key in fixed if fixed[key] != first[key]} <= {"validation.select"}


def test_the_script_exports_the_same_tokens_trains_each_and_prints(tmp_path: Path) -> None:
    folder = planned(tmp_path, "--arrangements", "en-first", "mix")
    (folder / "exports" / "mix").mkdir(parents=True)
    (folder / "exports" / "mix" / "manifest.json").touch()  # exported before
    done = subprocess.run(
        ["sh", folder / "run.sh"], env={"PYTHON": "echo P", "TRAIN": "echo T", "PATH": "/bin"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines() == [
        "P -m crossic_etl export --config my.yaml --arrangement en-first --tokens 1000 "
        f"--to {folder}/exports/en-first",
        f"T -m crossic_etl.training --config {folder}/en-first.yaml",
        f"T -m crossic_etl.training --config {folder}/mix.yaml",
        f"P -m crossic_etl.training.ablations table {folder}",
    ]


def finished(output: Path, step: int, losses: dict[tuple[int, str, str], float]) -> None:
    (output / "final").mkdir(parents=True)
    (output / "final" / "crossic.json").write_text(json.dumps({"step": step}), encoding="utf-8")
    lines = [
        {"kind": "validation", "step": at, "set": name, "language": language, "loss": loss}
        for (at, name, language), loss in losses.items()
    ]
    lines.insert(0, {"kind": "train", "step": step, "loss": 9.0})
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (output / "metrics.jsonl").write_text(text, encoding="utf-8")


def test_the_table_has_the_losses_of_the_chosen_checkpoints(tmp_path: Path) -> None:
    folder = planned(tmp_path, "--arrangements", "en-first", "mix")
    losses = {
        (0, "en-first", "all"): 3.0, (0, "en-first", "th"): 3.5, (0, "mix", "all"): 4.0,
        (10, "en-first", "all"): 2.0, (10, "en-first", "th"): 2.5, (10, "mix", "all"): 2.75,
        (20, "en-first", "all"): 1.0,
    }  # fmt: skip
    finished(folder / "runs" / "en-first", 10, losses)
    assert table(folder).splitlines() == [
        "| validated on | trained on | all | th |",
        "|---|---|---:|---:|",
        "| en-first | (untrained) | 3.0000 | 3.5000 |",
        "| en-first | en-first | 2.0000 | 2.5000 |",
        "| en-first | mix | – | – |",
        "| mix | (untrained) | 4.0000 | – |",
        "| mix | en-first | 2.7500 | – |",
        "| mix | mix | – | – |",
        "",
        "| arrangement | samples | similarity | one-sided | lopsided |",
        "|---|---:|---:|---:|---:|",
        "| en-first | – | – | – | – |",
        "| mix | – | – | – | – |",
    ]


def test_the_table_has_the_shares_of_what_was_exported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = planned(tmp_path, "--arrangements", "en-first", "mix", "random")
    exports = {
        "en-first": {"en-first": {"samples": 1234, "similarity": 0.81, "one_sided": 0.015,
                                  "lopsided": 0.0}},
        "mix": {"mix": {"samples": 7, "similarity": None, "one_sided": None, "lopsided": None}},
        "random": {},
    }  # fmt: skip
    for name, arrangements in exports.items():
        write_manifest(folder / "exports" / name, name, arrangements)
    assert table(folder).splitlines()[-5:] == [
        "| arrangement | samples | similarity | one-sided | lopsided |",
        "|---|---:|---:|---:|---:|",
        "| en-first | 1,234 | 0.810 | 1.5% | 0.0% |",
        "| mix | 7 | – | – | – |",
        "| random | – | – | – | – |",
    ]
    (folder / "exports" / "mix" / "manifest.json").write_text("no manifest")
    assert main(["table", str(folder)]) == 1
    assert "exports/mix/manifest.json: no JSON" in capsys.readouterr().err


def write_manifest(folder: Path, arrangement: str, arrangements: dict[str, object]) -> None:
    """A manifest of no files."""
    folder.mkdir(parents=True)
    split = {"windows": 0, "tokens": 0, "new_tokens": 0, "repeated_tokens": 0, "samples": 0,
             "files": []}  # fmt: skip
    tree = {
        "format": "crossic-etl export", "schema_version": 1, "layout": "parquet",
        "arrangement": arrangement, "languages": ["th"],
        "tokenizer": {"name": "t", "vocabulary_size": 9, "split_token": "|", "split_ids": [8],
                      "is_new_token": False},
        "window": {"length": 8, "policy": "sliding"}, "seed": 0,
        "splits": {"train": split, "validation": split}, "licences": {}, "token_sum": {},
        "tables": {}, "config_hash": "c", "code_version": "1", "created": "2026-01-01T00:00:00",
        "arrangements": arrangements,
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(tree), encoding="utf-8")


def test_what_can_not_be_planned_is_said_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    training = tmp_path / "training.yaml"
    training.write_text(yaml.safe_dump({"model": {"name": "m"}, "rank": 4}), encoding="utf-8")
    arguments = ["--config", "c", "--training", str(training), "--output", str(tmp_path / "o")]
    assert main(["plan", *arguments, "--tokens", "0"]) == 1
    assert main(["plan", *arguments, "--tokens", "5", "--arrangements", "best"]) == 1
    assert main(["plan", *arguments, "--tokens", "5"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert [re.split(" given|;", line)[0] for line in lines] == [
        "error: --tokens: 0",
        "error: --arrangements: 'best'",
        f"error: {training}:3: rank: there is no such key",
    ]
    with pytest.raises(TrainingError, match="no ablations"):
        table(tmp_path)
