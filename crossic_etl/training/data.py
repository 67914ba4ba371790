"""The exports of a run; all are opened and checked before training starts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from torch.utils.data import ConcatDataset, DataLoader, Dataset

from crossic_etl.config.training import TrainingConfig
from crossic_etl.export.manifest import TokenizerInfo
from crossic_etl.kernels.fingerprint import fingerprint
from crossic_etl.kernels.splits import TRAIN, VALIDATION
from crossic_etl.training.batches import Batch, Collator, Pass, StepPlan
from crossic_etl.training.errors import TrainingError
from crossic_etl.training.processes import Processes
from crossic_etl.training.reader import Windows, open_export


@dataclass(frozen=True)
class Data:
    """Windows to train on, and windows to validate on, by the name of their set."""

    train: list[Windows]
    validation: dict[str, Windows]

    @property
    def all(self) -> list[Windows]:
        """Training and validation windows of all exports."""
        return [*self.train, *self.validation.values()]

    @property
    def tokenizer(self) -> TokenizerInfo:
        """The tokenizer of all windows."""
        return self.train[0].manifest.tokenizer

    @property
    def languages(self) -> list[str]:
        """Target languages of all windows, sorted."""
        return sorted({name for windows in self.all for name in windows.manifest.languages})

    @property
    def length(self) -> int:
        """The greatest window length of all exports, in tokens."""
        return max(windows.manifest.window.length for windows in self.all)

    def contents(self) -> dict[str, str]:
        """Fingerprints of the files of ``exports`` and of each validation set, without paths."""
        sets = {f"validation {name}": [windows] for name, windows in self.validation.items()}
        return {
            name: _fingerprint(windows) for name, windows in {"exports": self.train, **sets}.items()
        }


def _fingerprint(parts: Sequence[Windows]) -> str:
    files = [file.sha256 for part in parts for file in part.manifest.splits[part.split].files]
    return fingerprint(" ".join(files))


def open_data(config: TrainingConfig, verify: bool = True) -> Data:
    """Opens all exports; with ``verify`` the checksum of each file is computed.

    Raises:
        ExportError: an export is missing or damaged.
        TrainingError: exports have several tokenizers or no windows, or a set isn't named.
    """
    train = [open_export(folder, TRAIN, verify) for folder in config.exports]
    named = config.validation.exports or _by_arrangement(train)
    validation = {name: open_export(folder, VALIDATION, verify) for name, folder in named.items()}
    data = Data(train, validation)
    for windows in data.all:
        if not len(windows):
            raise TrainingError(f"{windows.folder}: no {windows.split} windows")
        if windows.manifest.tokenizer != data.tokenizer:
            raise TrainingError(
                f"{windows.folder}: made with {_words(windows.manifest.tokenizer)}, "
                f"{train[0].folder} with {_words(data.tokenizer)}"
            )
    select = config.validation.select
    if select and select not in validation:
        raise TrainingError(
            f"validation.select: {select!r} given, expected one of {', '.join(validation)}"
        )
    return data


def _by_arrangement(train: Sequence[Windows]) -> dict[str, str]:
    named = {windows.manifest.arrangement: str(windows.folder) for windows in train}
    if len(named) < len(train):
        raise TrainingError(
            "validation.exports: name the sets, since several exports are of one arrangement"
        )
    return named


def _words(tokenizer: TokenizerInfo) -> str:
    return f"{tokenizer.name} and the split token {tokenizer.split_token}"


class Loaders:
    """Batches of the data for one process."""

    def __init__(self, config: TrainingConfig, data: Data, processes: Processes) -> None:
        self._config, self._data, self._processes = config, data, processes
        self._collate = Collator(
            data.languages, config.attention == "blocked", config.count_repeated
        )

    def steps(self, plan: StepPlan, start: int) -> Iterator[list[tuple[Pass, Batch]]]:
        """The passes of each step from ``start`` on."""
        rank, size = self._processes.rank, self._processes.size
        windows: Any = ConcatDataset(cast("list[Dataset[Any]]", self._data.train))
        indices = (one.windows for one in plan.passes(start, rank, size))
        step = []
        for one, batch in zip(
            plan.passes(start, rank, size), self._load(windows, indices), strict=True
        ):
            step.append((one, batch.silent() if one.silent else batch))
            if one.last:
                yield step
                step = []

    def validation(self) -> dict[str, Iterable[Batch]]:
        """Batches of the process's share of each set, the same windows each time."""
        return {name: self._share(windows) for name, windows in self._data.validation.items()}

    def _share(self, windows: Windows) -> Iterator[Batch]:
        config, n = self._config, len(windows)
        chosen = np.arange(n)
        if 0 < config.validation.windows < n:
            drawn = np.random.default_rng(config.seed).permutation(n)
            chosen = np.sort(drawn[: config.validation.windows])
        mine = chosen[self._processes.rank :: self._processes.size].tolist()
        size = config.batch.per_device
        yield from self._load(windows, [mine[i : i + size] for i in range(0, len(mine), size)])

    def _load(self, windows: Any, indices: Any) -> Any:
        return DataLoader(
            windows,
            batch_sampler=indices,
            collate_fn=self._collate,
            num_workers=self._config.workers,
            pin_memory=self._processes.device.type == "cuda",
        )
