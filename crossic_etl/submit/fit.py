"""Checks that exports, model and settings fit each other, without loading weights.

A model's ``config.json`` and ``tokenizer.json`` are read from its folder or from the Hugging Face
hub. If they can't be read on the submitting machine, as in a folder of the cluster, a line says
that they weren't checked. Training checks them again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crossic_etl.config.training import Model, TrainingConfig
from crossic_etl.export.manifest import Manifest, TokenizerInfo
from crossic_etl.kernels.splits import TRAIN
from crossic_etl.kernels.tokens.tokenizers import EMBEDDED, PROBE, probe_ids
from crossic_etl.submit.job import SubmitError

CONTEXT_KEYS = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length")


@dataclass(frozen=True)
class ModelFacts:
    """Facts from a model's files; None if unknown.

    Attributes:
        context: most tokens of a sequence.
        vocabulary: rows of its embeddings.
        tokenizer: JSON of its tokenizer.
    """

    context: int | None
    vocabulary: int | None
    tokenizer: str | None


def check_fit(
    config: TrainingConfig, manifests: Mapping[str, Manifest], facts: ModelFacts
) -> list[str]:
    """Checks each export against the others, the model and the settings.

    Returns:
        Lines on what could not be checked.

    Raises:
        SubmitError: names the first thing that doesn't fit.
    """
    _check_processes(config)
    first, *others = manifests.items()
    for folder, manifest in manifests.items():
        _check_model(folder, manifest, config.model.name, facts)
        if folder in config.exports and not _n_windows(manifest):
            raise SubmitError(f"{folder}: no training windows")
    for folder, manifest in others:
        if manifest.tokenizer != first[1].tokenizer:
            raise SubmitError(
                f"{folder}: tokenizer {_words(manifest.tokenizer)}, but"
                f" {_words(first[1].tokenizer)} in {first[0]}"
            )
    return [*_check_tokenizer(*first, config.model, facts)]


def read_facts(model: Model) -> ModelFacts:
    """Reads the facts from the model's files, as far as they are accessible here."""
    text = _model_file(model, "config.json")
    try:
        tree = json.loads(text or "{}")
    except ValueError:
        raise SubmitError(f"model.name: config.json of {model.name!r} is no JSON") from None
    tree = tree.get("text_config") or tree
    context = next((tree[key] for key in CONTEXT_KEYS if key in tree), None)
    return ModelFacts(context, tree.get("vocab_size"), _model_file(model, "tokenizer.json"))


def _check_processes(config: TrainingConfig) -> None:
    submit = config.submit
    gpus, processes = submit.gpus_per_node, submit.processes
    if gpus and processes > gpus:
        raise SubmitError(
            f"submit.processes_per_node: {processes} given, at most one for each of {gpus} GPUs"
            " expected"
        )
    if config.device != "auto" and (config.device == "cuda") != bool(gpus):
        raise SubmitError(f"device: {config.device!r} given, but submit.gpus_per_node is {gpus}")


def _n_windows(manifest: Manifest) -> int:
    return manifest.splits[TRAIN].windows if TRAIN in manifest.splits else 0


def _check_model(folder: str, manifest: Manifest, model: str, facts: ModelFacts) -> None:
    tokenizer, length = manifest.tokenizer, manifest.window.length
    if facts.context is not None and length > facts.context:
        raise SubmitError(
            f"{folder}: windows of {length} tokens, but model {model} has a context of"
            f" {facts.context}"
        )
    # A new split token gets its row when training starts.
    needed = tokenizer.vocabulary_size - tokenizer.is_new_token
    if facts.vocabulary is not None and needed > facts.vocabulary:
        raise SubmitError(
            f"{folder}: ids of {_words(tokenizer)} go up to {needed - 1}, but model {model} has"
            f" {facts.vocabulary} rows of embeddings"
        )


def _check_tokenizer(
    folder: str, manifest: Manifest, model: Model, facts: ModelFacts
) -> Iterator[str]:
    """Checks that the model's tokenizer gives the export's ids; yields what can't be checked."""
    if facts.context is None:
        yield f"not checked: the context of model {model.name}, its config.json can't be read here"
    named = manifest.tokenizer.name
    if named == model.name:
        return
    try:
        ours, theirs = _probe_ids(named), _ids_of(facts.tokenizer)
    except ImportError:
        ours = theirs = None
    if ours is None or theirs is None:
        unread = model.name if theirs is None else named
        yield (
            f"not checked: whether model {model.name} has the tokenizer {named}, the tokenizer.json"
            f" of {unread} can't be read here"
        )
    elif ours != theirs:
        raise SubmitError(
            f"{folder}: made with the tokenizer {named}, but model {model.name} has another"
        )


def _probe_ids(name: str) -> Sequence[int] | None:
    """The probe's ids by an export's tokenizer; None if that can't be read here."""
    if name == EMBEDDED:
        return probe_ids(name)
    return _ids_of(_model_file(Model(name), "tokenizer.json"))


def _ids_of(spec: str | None) -> Sequence[int] | None:
    if spec is None:
        return None
    from tokenizers import Tokenizer

    ids: list[int] = Tokenizer.from_str(spec).encode(PROBE, add_special_tokens=False).ids
    return ids


def _model_file(model: Model, name: str) -> str | None:
    """A small file of a model, from its folder or the hub."""
    folder = Path(model.name)
    if folder.is_dir():
        path = folder / name
        return path.read_text(encoding="utf-8") if path.exists() else None
    if folder.is_absolute():
        return None
    return _hub_file(model, name)


def _hub_file(model: Model, name: str) -> str | None:
    try:
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import HFValidationError
    except ImportError:
        return None
    try:
        path: Any = hf_hub_download(model.name, name, revision=model.revision, etag_timeout=10)
    except (OSError, HFValidationError):
        return None
    return Path(path).read_text(encoding="utf-8")


def _words(tokenizer: TokenizerInfo) -> str:
    return f"{tokenizer.name} with {tokenizer.vocabulary_size} ids, split {tokenizer.split_token}"
