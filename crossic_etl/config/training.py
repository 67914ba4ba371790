"""Configuration of a training run: one YAML file, read into frozen dataclasses and checked."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import field
from pathlib import Path
from typing import Annotated, Any

from crossic_etl.config.errors import require
from crossic_etl.config.fields import Flag, Items, Number, OneOf, PathText, Text, Whole, settings
from crossic_etl.config.loading import load
from crossic_etl.config.submit import Submit
from crossic_etl.config.yaml_file import read_yaml

METHODS = ("lora", "full")
ATTENTION = ("whole", "blocked")
PRECISIONS = ("float32", "bf16")
DEVICES = ("auto", "cpu", "cuda")
SCHEDULES = ("cosine", "linear", "constant_with_warmup")
SAVED = ("adapter", "merged")

# What may change between the start of a run and its resumption, since no loss depends on it.
# (Of the exports, their contents may not, which `data.Data.contents` holds.)
FREE = (
    "exports", "validation.exports", "output", "device", "workers", "log_every", "save", "resume",
    "gradient_checkpointing", "submit",
)  # fmt: skip


@settings("model")
class Model:
    """The model to go on training.

    Attributes:
        name: on the Hugging Face hub, or a folder.
        revision: commit or tag on the hub.
        random_init: take only its architecture; the weights are drawn with the seed.
    """

    name: PathText
    revision: Text | None = None
    random_init: Flag = False

    def __post_init__(self) -> None:
        require(self.name.strip(), "model.name", self.name, "a name or folder")


@settings("lora")
class Lora:
    """LoRA as in the paper (arXiv 2504.20484): rank 64, alpha 128, dropout 0.05.

    Attributes:
        rank: of the matrices that are added.
        alpha: what they add is scaled by alpha / rank.
        dropout: share of their inputs that is dropped in training.
        target_modules: names of modules, or ``all-linear``; the paper's aren't known, this is ours.
    """

    rank: Whole = 64
    alpha: Whole = 128
    dropout: Number = 0.05
    target_modules: Text | Items[Text] = "all-linear"

    def __post_init__(self) -> None:
        require(self.rank >= 1, "lora.rank", self.rank, "a whole number >= 1")
        require(self.alpha >= 1, "lora.alpha", self.alpha, "a whole number >= 1")
        require(0 <= self.dropout < 1, "lora.dropout", self.dropout, "0 <= dropout < 1")


@settings("batch")
class Batch:
    """How many windows a step of the optimizer sees. Ours.

    Attributes:
        windows: of one step, over all processes: the result doesn't depend on their number.
        per_device: of one forward pass; the rest of a step is accumulated.
    """

    windows: Whole = 64
    per_device: Whole = 1

    def __post_init__(self) -> None:
        require(self.per_device >= 1, "batch.per_device", self.per_device, "windows >= 1")
        require(
            self.windows >= 1 and self.windows % self.per_device == 0,
            "batch.windows", self.windows, f"a multiple of batch.per_device, {self.per_device}",
        )  # fmt: skip


@settings("optimizer")
class Optimizer:
    """AdamW and its schedule. None of it is published for CrossIC-PT: the defaults are ours.

    Attributes:
        learning_rate: the highest of the schedule.
        schedule: after the warmup; by the names of `transformers.get_scheduler`.
        warmup: share of all steps.
        weight_decay: of matrices; vectors have none.
        max_grad_norm: longer gradients are cut to it.
    """

    learning_rate: Number = 0.0001
    schedule: Annotated[Text, OneOf(SCHEDULES)] = "cosine"
    warmup: Number = 0.03
    weight_decay: Number = 0.0
    max_grad_norm: Number = 1.0

    def __post_init__(self) -> None:
        rate, decay, norm = self.learning_rate, self.weight_decay, self.max_grad_norm
        require(rate > 0 and math.isfinite(rate), "optimizer.learning_rate", rate, "a number > 0")
        require(0 <= self.warmup < 1, "optimizer.warmup", self.warmup, "0 <= share < 1")
        require(0 <= decay < 1, "optimizer.weight_decay", decay, "0 <= decay < 1")
        require(norm > 0, "optimizer.max_grad_norm", norm, "a number > 0")


@settings("validation")
class Validation:
    """When to measure the loss on validation windows, and on which.

    Attributes:
        exports: name to folder of an export, whose validation windows are one set; without any,
            those of the training exports, named by arrangement.
        every: steps between two checkpoints; each is validated when it is made.
        windows: at most so many of each set, drawn with the seed; 0 takes all.
        select: the set whose loss chooses the checkpoint to keep; empty is the first.
    """

    exports: dict[Text, PathText] = field(default_factory=dict)
    every: Whole = 100
    windows: Whole = 0
    select: Text = ""

    def __post_init__(self) -> None:
        require(self.every >= 1, "validation.every", self.every, "steps >= 1")
        require(self.windows >= 0, "validation.windows", self.windows, "windows >= 0")
        named = not self.select or not self.exports or self.select in self.exports
        require(named, "validation.select", self.select, f"one of {', '.join(self.exports)}")


@settings()
class TrainingConfig:
    """Everything a training run is made of.

    Attributes:
        model: the model to go on training.
        exports: folders that job ``export`` wrote; their training windows are joined.
        output: folder of the run: metrics, checkpoints, and the model in the end.
        method: ``lora``, or ``full`` for all weights.
        lora: rank, alpha and dropout of ``lora``.
        attention: ``whole`` lets a token see all before it in its window, ``blocked`` only those of
            its own sample.
        count_repeated: whether tokens that a sliding window repeats count twice in the loss.
        precision: ``bf16`` computes in it; the weights that are trained are kept in float32.
        device: ``cpu`` or ``cuda``; ``auto`` takes a GPU where there is one.
        batch: how many windows a step sees.
        optimizer: AdamW and its schedule.
        epochs: passes over the windows (the paper: one).
        validation: when the loss is measured, and on which windows.
        gradient_checkpointing: activations are computed twice, to save memory.
        save: the adapter by itself, or ``merged`` into the model.
        workers: processes that read windows; 0 reads in the training process.
        log_every: steps between two lines of metrics.
        seed: of the order of windows, of dropout, of new weights.
        resume: go on from the newest checkpoint in ``output``; otherwise it has to be empty.
        submit: where it runs; job ``submit_training`` reads it, training doesn't.
    """

    model: Model
    exports: Items[PathText]
    output: PathText
    method: Annotated[Text, OneOf(METHODS)] = "lora"
    lora: Lora = field(default_factory=Lora)
    attention: Annotated[Text, OneOf(ATTENTION)] = "whole"
    count_repeated: Flag = True
    precision: Annotated[Text, OneOf(PRECISIONS)] = "bf16"
    device: Annotated[Text, OneOf(DEVICES)] = "auto"
    batch: Batch = field(default_factory=Batch)
    optimizer: Optimizer = field(default_factory=Optimizer)
    epochs: Whole = 1
    validation: Validation = field(default_factory=Validation)
    gradient_checkpointing: Flag = False
    save: Annotated[Text, OneOf(SAVED)] = "adapter"
    workers: Whole = 0
    log_every: Whole = 10
    seed: Whole = 0
    resume: Flag = True
    submit: Submit = field(default_factory=Submit)

    def __post_init__(self) -> None:
        require(self.exports, "exports", self.exports, "at least one folder")
        require(self.output.strip(), "output", self.output, "a folder")
        require(self.epochs >= 1, "epochs", self.epochs, "a whole number >= 1")
        require(self.workers >= 0, "workers", self.workers, "processes >= 0")
        require(self.log_every >= 1, "log_every", self.log_every, "steps >= 1")
        require(self.seed >= 0, "seed", self.seed, "a whole number >= 0")

    def fixed(self) -> dict[str, Any]:
        """The settings that the loss curve depends on, by their dotted keys."""
        return {
            key: value
            for key, value in _flat(dataclasses.asdict(self)).items()
            if not any(f"{key}.".startswith(f"{free}.") for free in FREE)
        }


def load_training_config(path: str | Path, overrides: Sequence[str] = ()) -> TrainingConfig:
    """Reads the YAML file at ``path``; each override is ``key.subkey=value``, its value in YAML.

    Raises:
        ConfigError: unknown key, value of a wrong type or outside its range, or unreadable file; or
            a secret.
    """
    return load(TrainingConfig, read_yaml(path, overrides))[0]


def _flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in tree.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict) and value:
            found |= _flat(value, f"{key}.")
        else:
            found[key] = list(value) if isinstance(value, tuple) else value
    return found
