"""The loss of each token, with attention over the window or within each sample."""

from __future__ import annotations

import contextlib

import torch
import torch.nn.functional as F

from crossic_etl.training.batches import IGNORED, Batch


def token_losses(
    model: torch.nn.Module, batch: Batch, *, blocked: bool, bf16: bool = False
) -> torch.Tensor:
    """Cross-entropy of each label in nats, float32 [windows, tokens]; 0 without a label."""
    logits = next_token_logits(model, batch, blocked=blocked, bf16=bf16)
    losses = F.cross_entropy(
        logits.flatten(0, 1).float(), batch.labels.flatten(), ignore_index=IGNORED, reduction="none"
    )
    return losses.view_as(batch.labels)


def next_token_logits(
    model: torch.nn.Module, batch: Batch, *, blocked: bool, bf16: bool = False
) -> torch.Tensor:
    """Logits of the next token at each position, [windows, tokens, vocabulary].

    Padding is at the windows' ends, so no token attends to it: attention over the whole window
    needs only the causal mask that every model has.
    """
    kind = batch.input_ids.device.type
    mask = (
        {
            "attention_mask": blocked_mask(batch.segments),
            "position_ids": positions_within(batch.segments),
        }
        if blocked
        else {}
    )
    with torch.autocast(kind, torch.bfloat16) if bf16 else contextlib.nullcontext():
        logits: torch.Tensor = model(input_ids=batch.input_ids, use_cache=False, **mask).logits
    return logits


def blocked_mask(segments: torch.Tensor) -> torch.Tensor:
    """Whether a token (third axis) attends to another (fourth): bool [windows, 1, tokens, tokens].

    A token attends to itself and to earlier tokens of its own segment.
    """
    n = segments.shape[1]
    causal = torch.ones(n, n, dtype=torch.bool, device=segments.device).tril()
    return (causal & (segments[:, :, None] == segments[:, None, :]))[:, None]


def positions_within(segments: torch.Tensor) -> torch.Tensor:
    """The position of each token in its segment, from 0, int64 [windows, tokens]."""
    at = torch.arange(segments.shape[1], device=segments.device).expand_as(segments)
    begins = torch.ones_like(segments, dtype=torch.bool)
    begins[:, 1:] = segments[:, 1:] != segments[:, :-1]
    return at - torch.where(begins, at, 0).cummax(dim=1).values
