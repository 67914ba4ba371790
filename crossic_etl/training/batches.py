"""Windows to batches of tensors, and the order in which training sees them.

The windows and random numbers of a step depend on the seed and the number of the step alone, not on
the number of processes or on a resumption.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from crossic_etl.training.shards import TokenWindow

Indices = npt.NDArray[np.int64]

IGNORED = -100  # a label without loss; the default of cross_entropy
NO_LANGUAGE = -1


@dataclass(frozen=True)
class Batch:
    """Windows of one forward pass, padded at their ends; all tensors are int64 [windows, tokens].

    Attributes:
        labels: the token that comes next, or `IGNORED`.
        segments: number of a token's sample in its window; -1 is padding.
        languages: index of the label's language in the collator's languages.
    """

    input_ids: torch.Tensor
    labels: torch.Tensor
    segments: torch.Tensor
    languages: torch.Tensor

    @property
    def n_labels(self) -> int:
        """Number of labels that count in the loss."""
        return int((self.labels != IGNORED).sum())

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickles the tensors as bytes; torch would pass each to a process as an open file."""
        tensors = (self.input_ids, self.labels, self.segments, self.languages)
        return _batch, tuple(tensor.numpy() for tensor in tensors)

    def silent(self) -> Batch:
        """The same batch without labels, for a process that has no windows left in a step."""
        nothing = torch.full_like(self.labels, IGNORED)
        return Batch(self.input_ids, nothing, self.segments, self.languages)

    def to(self, device: torch.device) -> Batch:
        """The batch on a device."""
        tensors = (self.input_ids, self.labels, self.segments, self.languages)
        return Batch(*(tensor.to(device, non_blocking=True) for tensor in tensors))

    def pin_memory(self) -> Batch:
        """The batch in pinned memory; `DataLoader` calls this for asynchronous copies to a GPU."""
        tensors = (self.input_ids, self.labels, self.segments, self.languages)
        return Batch(*(tensor.pin_memory() for tensor in tensors))


def _batch(*arrays: npt.NDArray[np.int64]) -> Batch:
    return Batch(*map(torch.from_numpy, arrays))


class Collator:
    """Pads windows to the longest and labels each token with the next one.

    With ``blocked`` the last token of a sample has no label: the next token belongs to another
    sample. Without ``count_repeated`` a window's repeated tokens are no labels, so each token
    counts once.
    """

    def __init__(self, languages: Sequence[str], blocked: bool, count_repeated: bool) -> None:
        self._index = {language: i for i, language in enumerate(languages)}
        self._blocked, self._count_repeated = blocked, count_repeated

    def __call__(self, windows: Sequence[TokenWindow]) -> Batch:
        """The batch of one or more windows."""
        shape = (len(windows), max(len(window.input_ids) for window in windows))
        input_ids = np.zeros(shape, np.int64)
        labels = np.full(shape, IGNORED, np.int64)
        segments = np.full(shape, -1, np.int64)
        languages = np.full(shape, NO_LANGUAGE, np.int64)
        for row, window in enumerate(windows):
            n = len(window.input_ids)
            sample = segments_of(window)
            input_ids[row, :n], segments[row, :n] = window.input_ids, sample
            labels[row, : n - 1] = window.input_ids[1:]
            if not self._count_repeated:
                labels[row, : max(window.n_repeated - 1, 0)] = IGNORED
            if self._blocked:
                labels[row, : n - 1][sample[1:] != sample[:-1]] = IGNORED
            index = np.array([self._index[language] for language in window.sample_langs])
            languages[row, : n - 1] = index[sample[1:]]
        return _batch(input_ids, labels, segments, languages)


def segments_of(window: TokenWindow) -> Indices:
    """The number of each token's sample in the window; tokens before the first sample have 0."""
    tokens = np.arange(len(window.input_ids))
    found = np.searchsorted(window.sample_starts, tokens, side="right") - 1
    return np.maximum(found, 0)


@dataclass(frozen=True)
class Pass:
    """One forward pass of one process.

    Attributes:
        step: number of the step, from 0.
        number: of the pass among those of the step, over all processes.
        windows: numbers of its windows.
        silent: true if its loss doesn't count.
        last: true if it is the process's last pass in the step.
    """

    step: int
    number: int
    windows: list[int]
    silent: bool
    last: bool


@dataclass(frozen=True)
class StepPlan:
    """The windows of each step: an epoch is a permutation of all windows, split into steps.

    The last step of an epoch may be smaller; no window is left out.

    Attributes:
        n_windows: windows to train on.
        per_step: windows of a step, over all processes.
        per_pass: windows of one forward pass.
        epochs: number of passes over the windows.
        seed: of the permutations.
    """

    n_windows: int
    per_step: int
    per_pass: int
    epochs: int
    seed: int

    @property
    def steps_per_epoch(self) -> int:
        """Steps of the optimizer in one pass over the windows."""
        return -(-self.n_windows // self.per_step)

    @property
    def n_steps(self) -> int:
        """Number of steps; they are numbered from 0."""
        return self.epochs * self.steps_per_epoch

    def passes(self, start: int, rank: int, world: int) -> Iterator[Pass]:
        """The forward passes of one process, from step ``start`` to the end.

        The passes of a step are dealt out to the processes in turn. A process that gets none in the
        last turn repeats the step's first pass without counting its loss: all processes must take
        part in each turn.
        """
        for step in range(start, self.n_steps):
            epoch, place = divmod(step, self.steps_per_epoch)
            order = _order(self.n_windows, self.seed, epoch)
            windows = order[place * self.per_step : (place + 1) * self.per_step].tolist()
            chunks = [windows[i : i + self.per_pass] for i in range(0, len(windows), self.per_pass)]
            for turn in range(0, len(chunks), world):
                number = turn + rank
                silent = number >= len(chunks)
                last = turn + world >= len(chunks)
                yield Pass(step, number, chunks[0 if silent else number], silent, last)


@lru_cache(maxsize=2)
def _order(n_windows: int, seed: int, epoch: int) -> Indices:
    return np.random.default_rng([seed, epoch]).permutation(n_windows)
