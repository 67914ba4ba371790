"""Checks that a model and an export fit each other."""

from __future__ import annotations

from typing import Any

from transformers import AutoTokenizer

from crossic_etl.config.training import Model
from crossic_etl.export.manifest import TokenizerInfo
from crossic_etl.kernels.tokens.tokenizers import PROBE, probe_ids
from crossic_etl.training.errors import TrainingError
from crossic_etl.training.models import read_architecture


def check_model(model: Model, tokenizer: TokenizerInfo, length: int) -> None:
    """Checks that the model's context holds ``length`` tokens and its vocabulary all ids.

    Raises:
        TrainingError: it doesn't, or there is no such model.
    """
    text = read_architecture(model).get_text_config()
    context = getattr(text, "max_position_embeddings", None)
    if context is not None and context < length:
        raise TrainingError(
            f"model.name: {model.name} sees {context} tokens, the windows have {length}"
        )
    old = tokenizer.vocabulary_size - tokenizer.is_new_token
    if old > text.vocab_size:
        raise TrainingError(
            f"model.name: {model.name} has rows for {text.vocab_size} tokens, the export's "
            f"tokenizer {tokenizer.name} has {old}: it is another model's"
        )


def find_tokenizer(model: Model) -> Any | None:
    """The model's own tokenizer, or None if its folder has none.

    For a folder without one transformers returns an empty tokenizer, which counts as none.
    """
    try:
        found = AutoTokenizer.from_pretrained(
            model.name, revision=model.revision, trust_remote_code=False
        )
    except (OSError, ValueError, ImportError):
        return None
    return found if _ids(found, PROBE) else None


def check_tokenizer(own: Any, model: Model, tokenizer: TokenizerInfo) -> None:
    """Checks that the model's tokenizer gives the same ids as the export's.

    The split token is always compared; the ids of a text only if the export's tokenizer can be
    loaded here.

    Raises:
        TrainingError: it gives other ids.
    """
    other = f"the export's tokenizer {tokenizer.name} is not that of {model.name}"
    if tokenizer.is_new_token and len(own) != tokenizer.vocabulary_size - 1:
        raise TrainingError(
            f"model.name: {other}: {tokenizer.vocabulary_size - 1} tokens, {len(own)} here"
        )
    split = own.get_vocab().get(tokenizer.split_token)
    if not tokenizer.is_new_token and split is not None and [split] != list(tokenizer.split_ids):
        raise TrainingError(
            f"model.name: {other}: {tokenizer.split_token} is {tokenizer.split_ids[0]}, "
            f"{split} here"
        )
    try:
        theirs = probe_ids(tokenizer.name)
    except (OSError, ValueError, ImportError):
        return
    if theirs != _ids(own, PROBE):
        raise TrainingError(f"model.name: {other}: they cut one text in different tokens")


def with_split_token(own: Any, tokenizer: TokenizerInfo) -> Any:
    """The model's tokenizer with the export's split token, to be saved beside the model."""
    if tokenizer.is_new_token:
        own.add_tokens([tokenizer.split_token], special_tokens=True)
    return own


def _ids(tokenizer: Any, text: str) -> list[int]:
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids
