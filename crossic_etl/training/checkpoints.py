"""Checkpoints: each written whole or not at all; only the newest and the best are kept."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from crossic_etl.training.errors import TrainingError
from crossic_etl.training.models import load_weights, one_line, save_weights
from crossic_etl.training.outputs import write_json, written_whole

WEIGHTS, OPTIMIZER, STATE = "weights.safetensors", "optimizer.pt", "state.json"


@dataclass(frozen=True)
class TrainingState:
    """The progress of a run.

    Attributes:
        step: steps that are done.
        best_step: the step with the least validation loss so far.
        best_loss: that loss.
        fixed: the settings and exports that the loss curve depends on.
    """

    step: int
    best_step: int
    best_loss: float
    fixed: dict[str, Any]


class Checkpoints:
    """The checkpoints of a run: ``{output}/checkpoints/step-00000100``."""

    def __init__(self, output: str | Path) -> None:
        self._folder = Path(output) / "checkpoints"

    def of(self, step: int) -> Path:
        """The folder of a step's checkpoint."""
        return self._folder / f"step-{step:08d}"

    def newest(self) -> TrainingState | None:
        """The state of the newest checkpoint; None if there is none."""
        steps = sorted(self._folder.glob("step-*"))
        if not steps:
            return None
        return TrainingState(**json.loads((steps[-1] / STATE).read_text(encoding="utf-8")))

    def save(self, state: TrainingState, model: torch.nn.Module, others: dict[str, Any]) -> None:
        """Writes a checkpoint, then removes all others except the best one.

        ``others`` have a ``state_dict`` each: optimizer and schedule.

        Raises:
            OSError: it can't be written.
        """
        with saved_whole(self.of(state.step)) as folder:
            save_weights(model, folder / WEIGHTS)
            states = {name: item.state_dict() for name, item in others.items()}
            with (folder / OPTIMIZER).open("wb") as file:  # torch's own errors don't name the path
                torch.save(states, file)
            write_json(folder / STATE, asdict(state))
        kept = {self.of(state.step), self.of(state.best_step)}
        for old in set(self._folder.glob("step-*")) - kept:
            shutil.rmtree(old)

    def load(self, step: int, model: torch.nn.Module, others: dict[str, Any]) -> None:
        """Sets model, optimizer and schedule to their state after a step."""
        folder = self.of(step)
        load_weights(model, folder / WEIGHTS)
        states = torch.load(folder / OPTIMIZER, map_location="cpu", weights_only=True)
        for name, item in others.items():
            item.load_state_dict(states[name])

    def load_best(self, state: TrainingState, model: torch.nn.Module) -> None:
        """Sets the model to its state at the step with the least validation loss."""
        load_weights(model, self.of(state.best_step) / WEIGHTS)


@contextmanager
def saved_whole(folder: Path) -> Iterator[Path]:
    """Like `written_whole`, for files that torch and safetensors write.

    Raises:
        OSError: they can't be written. Both libraries raise other errors on a full disk.
    """
    try:
        with written_whole(folder) as temporary:
            yield temporary
    except (RuntimeError, SafetensorError) as error:
        reason = error.__context__ if isinstance(error.__context__, OSError) else error
        raise OSError(f"{folder}: {one_line(reason)}") from error


def check_same_run(state: TrainingState, fixed: dict[str, Any], output: Path) -> None:
    """Checks that a checkpoint was made with these settings.

    Raises:
        TrainingError: names the first setting that differs.
    """
    for key in sorted({*state.fixed, *fixed}):
        before, now = state.fixed.get(key), fixed.get(key)
        if before != now:
            raise TrainingError(
                f"output: {output} holds a run with {key}: {before!r}, now {now!r}; give this one "
                "another folder"
            )
