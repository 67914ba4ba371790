"""Loads a model, adds LoRA or a new token's row, saves it, and loads a trained one for use."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM

from crossic_etl.config.training import Lora, Model, TrainingConfig
from crossic_etl.export.manifest import TokenizerInfo
from crossic_etl.training.errors import TrainingError
from crossic_etl.training.outputs import RECORD, read_record, write_json

# A model's own code is not run. Without this argument transformers asks at the terminal.
NO_CODE: dict[str, Any] = {"trust_remote_code": False}


def read_architecture(model: Model) -> Any:
    """The configuration of a model, without its weights.

    Raises:
        TrainingError: there is no such model.
    """
    try:
        return AutoConfig.from_pretrained(model.name, revision=model.revision, **NO_CODE)
    except (OSError, ValueError) as error:
        raise TrainingError(
            f"model.name: {model.name!r} can't be read ({one_line(error)})"
        ) from None


def load_base(model: Model, tokenizer: TokenizerInfo, dtype: torch.dtype, seed: int) -> Any:
    """The model with a row of embeddings for each token of the tokenizer.

    A new split token's row is the mean of all rows, so that the loss starts near the model's.

    Raises:
        TrainingError: there is no such model.
    """
    architecture = read_architecture(model)
    how = {"attn_implementation": "sdpa", **NO_CODE}
    kind: Any = AutoModelForCausalLM
    try:
        if model.random_init:
            torch.manual_seed(seed)
            base = kind.from_config(architecture, **how).to(dtype)
        else:
            base = kind.from_pretrained(model.name, revision=model.revision, dtype=dtype, **how)
    except (OSError, ValueError) as error:
        reason = one_line(error)
        raise TrainingError(f"model.name: {model.name!r} can't be loaded ({reason})") from None
    if tokenizer.is_new_token:
        _add_row(base, tokenizer)
    return base


@torch.no_grad()
def _add_row(base: Any, tokenizer: TokenizerInfo) -> None:
    if tokenizer.vocabulary_size > base.get_input_embeddings().weight.shape[0]:
        base.resize_token_embeddings(tokenizer.vocabulary_size, mean_resizing=False)
    (new,) = tokenizer.split_ids
    for layer in _embeddings(base).values():
        layer.weight[new] = layer.weight[:new].mean(dim=0, dtype=torch.float32).to(layer.weight)


def _embeddings(base: Any) -> dict[str, Any]:
    """Input and output embeddings by module name; only the input's if they are tied."""
    layers = [base.get_input_embeddings(), base.get_output_embeddings()]
    if layers[1].weight is layers[0].weight:
        layers.pop()
    names = {module: name.rpartition(".")[2] for name, module in base.named_modules()}
    return {names[layer]: layer for layer in layers}


def prepare(base: Any, config: TrainingConfig, tokenizer: TokenizerInfo) -> Any:
    """The model with its trained parameters in float32 and all others frozen.

    LoRA trains the adapter and the embedding row of a new split token; peft saves both.

    Raises:
        TrainingError: the model has none of LoRA's target modules.
    """
    model: Any = base
    if config.method == "lora":
        torch.manual_seed(config.seed)
        model = _with_lora(base, config.lora, config.model, tokenizer)
    for parameter in trained(model).values():
        parameter.data = parameter.data.float()
    if config.gradient_checkpointing:
        base.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    return model


def _with_lora(base: Any, lora: Lora, model: Model, tokenizer: TokenizerInfo) -> PeftModel:
    modules = lora.target_modules
    rows = {name: list(tokenizer.split_ids) for name in _embeddings(base)}
    settings = LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules=modules if isinstance(modules, str) else list(modules),
        trainable_token_indices=rows if tokenizer.is_new_token else None,
        task_type="CAUSAL_LM",
        revision=model.revision,
    )
    try:
        return get_peft_model(base, settings)
    except ValueError as error:
        raise TrainingError(f"lora.target_modules: {modules!r} ({one_line(error)})") from None


def trained(model: torch.nn.Module) -> dict[str, torch.nn.Parameter]:
    """The trained parameters by name; tied ones appear once."""
    return {name: value for name, value in model.named_parameters() if value.requires_grad}


def save_weights(model: torch.nn.Module, path: Path) -> None:
    """Writes the trained parameters, and no others, to a safetensors file."""
    weights = {name: value.detach().cpu().contiguous() for name, value in trained(model).items()}
    save_file(weights, path)


def load_weights(model: torch.nn.Module, path: Path) -> None:
    """Sets the trained parameters to those that `save_weights` wrote.

    Raises:
        TrainingError: the file has other parameters.
    """
    saved, parameters = load_file(path), trained(model)
    if saved.keys() != parameters.keys():
        raise TrainingError(f"{path}: holds other weights than those that are to be trained")
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(saved[name])


def save_model(
    model: Any,
    config: TrainingConfig,
    tokenizer: TokenizerInfo,
    folder: Path,
    record: dict[str, Any],
) -> None:
    """Writes the adapter, or the whole model with it merged in, and `RECORD` beside it.

    A whole model is written in the precision of training's computation.
    """
    if config.method == "lora" and config.save == "adapter":
        model.save_pretrained(folder, save_embedding_layers=False)
    else:
        whole = model.merge_and_unload() if config.method == "lora" else model
        whole.to(torch.bfloat16 if config.precision == "bf16" else torch.float32)
        whole.save_pretrained(folder)
    origin = {
        "model": dataclasses.asdict(config.model),
        "seed": config.seed,
        "method": config.method,
        "saved": config.save if config.method == "lora" else "whole",
        "dtype": str(base_dtype(config)).removeprefix("torch."),
        "tokenizer": dataclasses.asdict(tokenizer),
    }
    write_json(folder / RECORD, origin | record)


def base_dtype(config: TrainingConfig) -> torch.dtype:
    """The type of the loaded weights: LoRA keeps frozen ones in the computation's precision."""
    half = config.method == "lora" and config.precision == "bf16"
    return torch.bfloat16 if half else torch.float32


def load_trained(folder: str | Path) -> Any:
    """The model that a run saved in ``folder``, for inference: base and adapter, or whole.

    Raises:
        TrainingError: the base model can't be loaded.
    """
    record = read_record(folder)
    if record["saved"] != "adapter":
        whole: Any = AutoModelForCausalLM
        how = {"attn_implementation": "sdpa", **NO_CODE}
        return whole.from_pretrained(folder, dtype="auto", **how).eval()
    made = dict(record["tokenizer"])
    tokenizer = TokenizerInfo(**made | {"split_ids": tuple(made["split_ids"])})
    dtype = getattr(torch, record["dtype"])
    base = load_base(Model(**record["model"]), tokenizer, dtype, record["seed"])
    return PeftModel.from_pretrained(base, folder).eval()


def one_line(error: BaseException) -> str:
    """The message of an error in one line of at most 300 characters."""
    return " ".join(str(error).split())[:300]
