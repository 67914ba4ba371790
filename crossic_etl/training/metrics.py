"""Metrics of a run: one JSON line each, and TensorBoard."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Any

from torch.utils.tensorboard import SummaryWriter

from crossic_etl.training.outputs import METRICS, read_metrics
from crossic_etl.training.validation import ValidationLoss


class Metrics:
    """Writes ``{output}/metrics.jsonl`` and ``{output}/tensorboard``.

    ``step`` is that of the checkpoint that the run resumes from, 0 without one. Lines of later
    steps, which a killed run left, are removed: they will be written again.
    """

    def __init__(self, output: str | Path, step: int) -> None:
        folder = Path(output)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / METRICS
        kept = [line for line in read_metrics(folder) if step and line["step"] <= step]
        temporary = path.with_suffix(".tmp")
        temporary.write_text("".join(map(_line, kept)), encoding="utf-8")
        temporary.replace(path)
        self._file = path.open("a", encoding="utf-8")
        self._board = SummaryWriter(folder / "tensorboard", purge_step=step and step + 1)

    def __enter__(self) -> Metrics:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        self._board.close()

    def train(self, step: int, values: dict[str, float]) -> None:
        """Adds a line of training: means over the steps since the last line."""
        self._add({"kind": "train", "step": step, **values})
        for name, value in values.items():
            self._board.add_scalar(f"train/{name}", value, step)

    def validation(self, step: int, losses: list[ValidationLoss]) -> None:
        """Adds a line of validation for each set and language."""
        for found in losses:
            self._add(
                {
                    "kind": "validation", "step": step, "set": found.set,
                    "language": found.language, "loss": found.loss, "tokens": found.tokens,
                }
            )  # fmt: skip
            name = f"validation/{found.set}/{found.language}"
            self._board.add_scalar(name, found.loss, step)

    def _add(self, line: dict[str, Any]) -> None:
        self._file.write(_line(line))
        self._file.flush()


def _line(values: dict[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False) + "\n"
