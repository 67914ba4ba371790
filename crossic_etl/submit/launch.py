"""The command ``crossic-train``: torchrun on one node, for a platform that only runs Python."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from crossic_etl.submit.job import LAUNCHER, TRAINER


def main(argv: Sequence[str] | None = None) -> None:
    """Trains with the YAML that ``--yaml`` gives as text; returns after success.

    Raises:
        SystemExit: training failed; it has training's exit status. There is none after success, as
            Databricks takes any SystemExit for a failure.
    """
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--yaml", required=True, help="text of the training YAML")
    arguments.add_argument("--processes", type=int, required=True, help="one for each GPU")
    arguments.add_argument("--trainer", default=TRAINER, help=argparse.SUPPRESS)
    given = arguments.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "training.yaml"
        config.write_text(given.yaml, encoding="utf-8")
        command = [
            sys.executable, "-m", LAUNCHER, "--standalone",
            f"--nproc-per-node={given.processes}", "-m", given.trainer, "--config", str(config),
        ]  # fmt: skip
        status = subprocess.run(command, check=False).returncode
    if status:
        raise SystemExit(status if status > 0 else 128 - status)


if __name__ == "__main__":
    main()
