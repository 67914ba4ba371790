"""The output folder of a run. Needs no torch.

metrics.jsonl   a line for each logged step, and for each set and language of a validation
tensorboard/    the same
checkpoints/    the newest and the best
final/          adapter or model of the best checkpoint, and ``crossic.json``, its record
.lock           held by the run that writes here
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crossic_etl.training.errors import TrainingError

METRICS, FINAL, RECORD = "metrics.jsonl", "final", "crossic.json"
LOCK = ".lock"


def read_metrics(output: str | Path) -> list[dict[str, Any]]:
    """The lines of a run's metrics, without an incomplete last one."""
    path = Path(output) / METRICS
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]


def read_record(final: str | Path) -> dict[str, Any]:
    """The record of a saved adapter or model: base model, tokenizer, step, validation loss."""
    record: dict[str, Any] = json.loads((Path(final) / RECORD).read_text(encoding="utf-8"))
    return record


def write_json(path: Path, tree: dict[str, Any]) -> None:
    """Writes a mapping as indented JSON."""
    path.write_text(json.dumps(tree, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


@contextmanager
def written_alone(output: Path) -> Iterator[None]:
    """Holds a lock on ``output``; the system releases it when the process ends.

    On a file system without locks, as some shared ones are, there is none.

    Raises:
        TrainingError: another process holds the lock.
    """
    output.mkdir(parents=True, exist_ok=True)
    with (output / LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TrainingError(f"output: another run is writing to {output}") from None
        except OSError:
            pass
        yield


@contextmanager
def written_whole(folder: Path) -> Iterator[Path]:
    """A temporary folder, which is renamed to ``folder`` once its files are on the disk.

    A process that is killed meanwhile leaves no ``folder``; the next writer removes what it left.
    """
    temporary = folder.with_name(f".{folder.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    yield temporary
    for path in [*temporary.rglob("*"), temporary]:
        _sync(path)
    temporary.rename(folder)
    _sync(folder.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
