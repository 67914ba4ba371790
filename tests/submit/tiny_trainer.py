"""Stands for training where only how it is started matters: the processes meet, add and write.

Ends with exit status 3 in the last process where ``seed`` is 3.
"""

import argparse
import json
import os
import sys
from pathlib import Path

import torch
import torch.distributed as dist
import yaml

arguments = argparse.ArgumentParser()
arguments.add_argument("--config", required=True)
config = yaml.safe_load(Path(arguments.parse_args().config).read_text(encoding="utf-8"))
rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
dist.init_process_group("gloo")
total = torch.tensor([rank + 1.0])
dist.all_reduce(total)
dist.barrier()
dist.destroy_process_group()
if config["seed"] == 3 and rank == size - 1:
    sys.exit(3)
output = Path(config["output"])
output.mkdir(parents=True, exist_ok=True)
found = {
    "total": total.item(),
    "node": int(os.environ["GROUP_RANK"]),
    "device": config["device"],
    "note": os.environ.get("NOTE"),
    "hub": os.environ.get("HF_TOKEN"),
}
(output / f"{rank}.json").write_text(json.dumps(found), encoding="utf-8")
