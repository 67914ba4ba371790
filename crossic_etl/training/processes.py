"""The processes of a training run: one, or those that torchrun starts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist

from crossic_etl.config.training import TrainingConfig
from crossic_etl.training.errors import TrainingError


@dataclass(frozen=True)
class Processes:
    """One of the processes, and its device."""

    rank: int
    local_rank: int
    size: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        """Whether this process writes the output."""
        return self.rank == 0

    def total(self, values: torch.Tensor) -> torch.Tensor:
        """The sum of ``values`` over all processes, returned to each of them, on the CPU."""
        if self.size > 1:
            values = values.to(self.device)
            dist.all_reduce(values)
        return values.cpu()

    def wait(self) -> None:
        """Waits until all processes call this."""
        if self.size > 1:
            dist.barrier()


def describe(config: TrainingConfig) -> Processes:
    """The running process, from the variables that torchrun sets.

    Raises:
        TrainingError: the configured device doesn't exist, or has no bf16.
    """
    defaults = {"RANK": 0, "LOCAL_RANK": 0, "WORLD_SIZE": 1, "LOCAL_WORLD_SIZE": 1}
    rank, local_rank, size, n_here = (
        int(os.environ.get(name, default)) for name, default in defaults.items()
    )
    return Processes(rank, local_rank, size, choose_device(config, local_rank, n_here))


def choose_device(config: TrainingConfig, local_rank: int = 0, n_here: int = 1) -> torch.device:
    """The GPU of this process, one of ``n_here`` on this machine, or the CPU.

    Raises:
        TrainingError: there is no such GPU, or it lacks the configured precision.
    """
    n_gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if config.device == "cpu" or (config.device == "auto" and not n_gpus):
        return torch.device("cpu")
    if n_here > n_gpus:
        raise TrainingError(
            f"device: {n_gpus} GPUs found, {n_here} processes; set device: cpu, or start fewer"
        )
    device = torch.device("cuda", local_rank)
    if config.precision == "bf16" and torch.cuda.get_device_capability(device) < (8, 0):
        name = torch.cuda.get_device_name(device)
        raise TrainingError(f"precision: {name} has no bf16; set precision: float32")
    return device


@contextmanager
def joined(processes: Processes) -> Iterator[None]:
    """Joins the process group of torch.distributed, and leaves it at the end."""
    if processes.device.type == "cuda":
        torch.cuda.set_device(processes.device)
    if processes.size == 1:
        yield
        return
    dist.init_process_group("nccl" if processes.device.type == "cuda" else "gloo")
    try:
        yield
    finally:
        dist.destroy_process_group()
