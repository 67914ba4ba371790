"""Continued pre-training on exports, by one process or by several on as many devices.

This is a loop of our own, not `transformers.Trainer`. Four things must be exact here: the windows
of a step, the weights of tokens over devices, when a checkpoint counts, and what validation
measures. With the Trainer each of them would need an override. Models, LoRA, schedules, optimizer,
data loading and the exchange between devices are those of transformers, peft and torch.
"""

from __future__ import annotations

import contextlib
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm
from transformers import get_scheduler

from crossic_etl.config.training import TrainingConfig
from crossic_etl.training.batches import Batch, Pass, StepPlan
from crossic_etl.training.checkpoints import Checkpoints, TrainingState, check_same_run, saved_whole
from crossic_etl.training.data import Data, Loaders, open_data
from crossic_etl.training.errors import TrainingError
from crossic_etl.training.fit import check_model, check_tokenizer, find_tokenizer, with_split_token
from crossic_etl.training.losses import token_losses
from crossic_etl.training.metrics import Metrics
from crossic_etl.training.models import base_dtype, load_base, prepare, save_model, trained
from crossic_etl.training.outputs import FINAL, LOCK, written_alone
from crossic_etl.training.processes import Processes, describe, joined
from crossic_etl.training.validation import ALL, ValidationLoss, validate


def train(config: TrainingConfig) -> Path:
    """Trains to the end, from the newest checkpoint if there is one; returns the saved model.

    The output folder gets ``metrics.jsonl``, ``tensorboard``, ``checkpoints``, and ``final``: the
    adapter or model of the checkpoint with the least validation loss.

    Raises:
        ExportError: an export is damaged.
        TrainingError: model, export, device and output don't fit together, another run writes to
            the output, it can't be written to, or the loss diverges.
    """
    processes = describe(config)
    data = open_data(config, verify=processes.local_rank == 0)
    _check_output(config, data)
    check_model(config.model, data.tokenizer, data.length)
    tokenizer = find_tokenizer(config.model)
    if tokenizer is not None:
        check_tokenizer(tokenizer, config.model, data.tokenizer)
    alone = written_alone(Path(config.output)) if processes.is_first else contextlib.nullcontext()
    try:
        with alone, joined(processes):
            return Run(config, data, tokenizer, processes).finish()
    except OSError as error:  # models and shards raise errors of their own for what is read
        raise TrainingError(f"output: can't write to {config.output} ({error})") from error


def _check_output(config: TrainingConfig, data: Data) -> None:
    output = Path(config.output)
    there = [path for path in output.glob("*") if path.name != LOCK]
    if not config.resume and there:
        raise TrainingError(f"output: {output} isn't empty, and resume is false")
    state = Checkpoints(output).newest()
    if state is not None:
        check_same_run(state, _fixed(config, data), output)


def _fixed(config: TrainingConfig, data: Data) -> dict[str, Any]:
    """The settings and exports that the loss curve depends on."""
    return config.fixed() | data.contents()


@dataclass
class _Sums:
    """Sums over the steps since the last line of metrics."""

    began: float
    loss: float = 0.0
    tokens: int = 0
    grad_norm: float = 0.0  # this and the learning rate are of the last step
    learning_rate: float = 0.0


class Run:
    """The training of a model in one of the processes."""

    def __init__(
        self, config: TrainingConfig, data: Data, tokenizer: Any | None, processes: Processes
    ) -> None:
        self._config, self._data, self._tokenizer = config, data, tokenizer
        self._processes = processes
        self._how = {
            "blocked": config.attention == "blocked",
            "bf16": config.precision == "bf16",
        }
        base = load_base(config.model, data.tokenizer, base_dtype(config), config.seed)
        self._model = prepare(base, config, data.tokenizer).to(processes.device)
        self._parallel = self._model
        if processes.size > 1:
            self._parallel = DistributedDataParallel(self._model)
        n_windows = sum(map(len, data.train))
        batch = config.batch
        self._plan = StepPlan(
            n_windows, batch.windows, batch.per_device, config.epochs, config.seed
        )
        self._loaders = Loaders(config, data, processes)
        self._parameters = list(trained(self._model).values())
        self._optimizer = _adamw(config, self._parameters)
        self._schedule = get_scheduler(
            config.optimizer.schedule,
            self._optimizer,
            num_warmup_steps=math.ceil(config.optimizer.warmup * self._plan.n_steps),
            num_training_steps=self._plan.n_steps,
        )
        self._others = {"optimizer": self._optimizer, "schedule": self._schedule}
        self._checkpoints = Checkpoints(config.output)
        self._fixed = _fixed(config, data)

    def finish(self) -> Path:
        """Trains to the end, saves the best model unless that is done, and returns its folder."""
        final = Path(self._config.output) / FINAL
        state = self._resume()
        if not final.exists():
            state = self._train(state)
            self._save(state, final)
        self._say(f"{final}: step {state.best_step}, validation loss {state.best_loss:.4f}")
        return final

    def _resume(self) -> TrainingState:
        state = self._checkpoints.newest()
        if state is None:
            return TrainingState(0, 0, math.inf, self._fixed)
        self._checkpoints.load(state.step, self._model, self._others)
        self._say(f"resumed after step {state.step} of {self._plan.n_steps}")
        return state

    def _train(self, state: TrainingState) -> TrainingState:
        first, n_steps = self._processes.is_first, self._plan.n_steps
        with contextlib.ExitStack() as stack:
            metrics = (
                stack.enter_context(Metrics(self._config.output, state.step)) if first else None
            )
            bar = stack.enter_context(
                tqdm(total=n_steps, initial=state.step, disable=None if first else True)
            )
            if state.step == 0:
                self._validate(0, metrics)
            self._model.train()
            sums = _Sums(time.monotonic())
            for passes in self._loaders.steps(self._plan, state.step):
                step = passes[0][0].step + 1
                self._step(passes, sums)
                bar.update()
                checkpoint = step % self._config.validation.every == 0 or step == n_steps
                if checkpoint or step % self._config.log_every == 0:
                    self._log(step, sums, metrics, bar)
                    sums = _Sums(time.monotonic())
                if checkpoint:
                    state = self._checkpoint(step, state, metrics)
                    sums.began = time.monotonic()
        return state

    def _step(self, passes: list[tuple[Pass, Batch]], sums: _Sums) -> None:
        """One step of the optimizer: the mean over the labels of all processes' passes.

        Each pass draws its dropout from seed, step and its number among all: any number of
        processes draws the same.
        """
        size = self._processes.size
        mine = torch.tensor(sum(batch.n_labels for _, batch in passes))
        tokens = max(int(self._processes.total(mine)), 1)
        loss = torch.zeros((), device=self._processes.device)
        for one, batch in passes:
            torch.manual_seed(_pass_seed(self._config.seed, one))
            alone = size == 1 or one.last
            with contextlib.nullcontext() if alone else self._parallel.no_sync():
                batch = batch.to(self._processes.device)
                part: Any = token_losses(self._parallel, batch, **self._how).sum() / tokens
                (part * size).backward()  # gradients are averaged over the processes
            loss += part.detach()
        norm = torch.nn.utils.clip_grad_norm_(
            self._parameters, self._config.optimizer.max_grad_norm
        )
        sums.grad_norm, sums.learning_rate = float(norm), self._schedule.get_last_lr()[0]
        self._optimizer.step()
        self._schedule.step()
        self._optimizer.zero_grad()
        sums.loss += float(self._processes.total(loss)) * tokens
        sums.tokens += tokens

    def _log(self, step: int, sums: _Sums, metrics: Metrics | None, bar: Any) -> None:
        loss = self._checked(sums.loss / sums.tokens, step)
        bar.set_postfix(loss=f"{loss:.4f}", refresh=False)
        if metrics:
            rate = sums.tokens / (time.monotonic() - sums.began)
            values = {
                "loss": loss, "grad_norm": sums.grad_norm, "learning_rate": sums.learning_rate,
                "tokens": sums.tokens, "tokens_per_second": rate,
                "epoch": step / self._plan.steps_per_epoch,
            }  # fmt: skip
            metrics.train(step, values)

    def _checkpoint(
        self, step: int, state: TrainingState, metrics: Metrics | None
    ) -> TrainingState:
        losses = self._validate(step, metrics)
        select = self._config.validation.select or next(iter(self._data.validation))
        loss = next(found.loss for found in losses if (found.set, found.language) == (select, ALL))
        self._checked(loss, step)
        best = (step, loss) if loss < state.best_loss else (state.best_step, state.best_loss)
        state = TrainingState(step, *best, self._fixed)
        if self._processes.is_first:
            self._checkpoints.save(state, self._model, self._others)
        self._processes.wait()
        return state

    def _checked(self, loss: float, step: int) -> float:
        if not math.isfinite(loss):
            raise TrainingError(
                f"optimizer.learning_rate: {self._config.optimizer.learning_rate} is too high, the "
                f"loss is {loss} at step {step}"
            )
        return loss

    def _validate(self, step: int, metrics: Metrics | None) -> list[ValidationLoss]:
        losses = validate(
            self._model, self._loaders.validation(), self._data.languages, self._processes,
            **self._how,
        )  # fmt: skip
        if metrics:
            metrics.validation(step, losses)
        for name in self._data.validation:
            parts = [f"{at.language} {at.loss:.4f}" for at in losses if at.set == name]
            self._say(f"step {step}: validation loss of {name}: {', '.join(parts)}")
        return losses

    def _save(self, state: TrainingState, final: Path) -> None:
        self._checkpoints.load_best(state, self._model)
        if self._processes.is_first:
            record = {
                "step": state.best_step, "validation_loss": state.best_loss,
                "exports": [str(windows.folder) for windows in self._data.train],
            }  # fmt: skip
            with saved_whole(final) as folder:
                save_model(self._model, self._config, self._data.tokenizer, folder, record)
                if self._tokenizer is not None:
                    own = with_split_token(self._tokenizer, self._data.tokenizer)
                    own.save_pretrained(folder)
        self._processes.wait()

    def _say(self, line: str) -> None:
        if self._processes.is_first:
            tqdm.write(line)


def _pass_seed(seed: int, one: Pass) -> int:
    (number,) = np.random.SeedSequence([seed, one.step, one.number]).generate_state(1, np.uint64)
    return int(number >> np.uint64(1))


def _adamw(config: TrainingConfig, parameters: list[torch.nn.Parameter]) -> torch.optim.AdamW:
    matrices = [parameter for parameter in parameters if parameter.ndim > 1]
    vectors = [parameter for parameter in parameters if parameter.ndim <= 1]
    groups = [
        {"params": matrices, "weight_decay": config.optimizer.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(
        [group for group in groups if group["params"]], lr=config.optimizer.learning_rate
    )
