"""The command line of training, with training that fails in the last process while others wait.

By ``seed``: 0 in words meant for its user, 1 in those of a data loader's process, 2 in all
processes, 3 by a crash.
"""

import sys
from types import SimpleNamespace

import torch.distributed as dist
from torch._utils import ExceptionWrapper

from crossic_etl.config.training import TrainingConfig
from crossic_etl.export.manifest import ExportError
from crossic_etl.training import __main__
from crossic_etl.training.errors import TrainingError


def train(config: TrainingConfig) -> None:
    dist.init_process_group("gloo")
    try:
        if config.seed == 2 or dist.get_rank() == dist.get_world_size() - 1:
            raise_one(config.seed)
        dist.barrier()
    finally:
        dist.destroy_process_group()


def raise_one(seed: int) -> None:
    if seed == 3:
        raise RuntimeError("a bug")
    if seed != 1:
        raise TrainingError("the loss is nan")
    try:
        raise ExportError("row group 7 is damaged")
    except ExportError:
        wrapped = ExceptionWrapper(where="in DataLoader worker process 0")
    wrapped.reraise()


# transformers, which the real one imports, takes seconds to load.
sys.modules["crossic_etl.training.run"] = SimpleNamespace(train=train)  # type: ignore[assignment]
sys.exit(__main__.main())
