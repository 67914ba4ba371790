"""The loss on validation windows, for each set and each language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch

from crossic_etl.training.batches import IGNORED, Batch
from crossic_etl.training.losses import token_losses
from crossic_etl.training.processes import Processes

ALL = "all"


@dataclass(frozen=True)
class ValidationLoss:
    """Mean loss of a language's tokens in a set, in nats; ``language`` `ALL` means all tokens.

    A token counts for its sample's target language, even in the sample's English text.
    """

    set: str
    language: str
    loss: float
    tokens: int


def validate(
    model: torch.nn.Module,
    sets: dict[str, Iterable[Batch]],
    languages: Sequence[str],
    processes: Processes,
    *,
    blocked: bool,
    bf16: bool,
) -> list[ValidationLoss]:
    """The losses of each set over the batches of all processes; each process gets the same.

    A set's first entry is that of all languages. Languages without tokens have no entry.
    """
    found = []
    for name, batches in sets.items():
        sums = torch.zeros(2, len(languages), dtype=torch.float64)
        for losses, labels, at in _losses(model, batches, processes, blocked=blocked, bf16=bf16):
            counted = labels != IGNORED
            sums[0].index_add_(0, at[counted], losses[counted])
            sums[1].index_add_(0, at[counted], torch.ones(int(counted.sum()), dtype=torch.float64))
        loss_sums, tokens = processes.total(sums)
        rows = [
            (ALL, loss_sums.sum(), tokens.sum()),
            *zip(languages, loss_sums, tokens, strict=True),
        ]
        found += [
            ValidationLoss(name, language, float(loss / n), int(n))
            for language, loss, n in rows
            if n > 0
        ]
    return found


@torch.no_grad()
def _losses(
    model: torch.nn.Module,
    batches: Iterable[Batch],
    processes: Processes,
    *,
    blocked: bool,
    bf16: bool,
) -> Iterable[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    was_training = model.training
    model.eval()
    for batch in batches:
        losses = token_losses(model, batch.to(processes.device), blocked=blocked, bf16=bf16)
        yield losses.double().cpu(), batch.labels, batch.languages
    model.train(was_training)
