"""torchrun that reports a failure of training as one line.

    python -m crossic_etl.submit.torchrun --nproc-per-node 8 -m crossic_etl.training --config FILE

It takes torchrun's options. Training's processes pass their line of error to it, and it prints the
line once for its node. Plain torchrun would add a traceback of its own and a table of all
processes. If a process crashes, its traceback and torchrun's table are still shown.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ERROR_FILE = "TORCHELASTIC_ERROR_FILE"
LAUNCHER = "CROSSIC_ETL_LAUNCHER"
IS_LINE = "is_line"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs torchrun; the exit status is 0, or 1 after a line of error or a signal.

    Raises:
        ChildFailedError: a process crashed.
    """
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    torchrun: Any = importlib.import_module("torch.distributed.run")
    os.environ[LAUNCHER] = "1"
    # This logger reports each process that fails or is stopped; the error does so as well.
    logging.getLogger("torch.distributed.elastic.multiprocessing.api").setLevel(logging.CRITICAL)
    try:
        torchrun.run(torchrun.parse_args(argv))
    except SignalException:
        return 1
    except ChildFailedError as error:
        found = [failure.error_file_data for failure in error.failures.values()]
        lines = [data["message"] for data in found if data.get(IS_LINE)]
        if not lines:
            raise
        print(lines[0], file=sys.stderr)
        return 1
    return 0


def fail(error: Exception) -> int:
    """Prints why training ends in one line, or passes the line to the launcher; returns 1.

    Under plain torchrun the first process of each node prints it, since most errors occur in all
    processes, and torchrun's table shows it.
    """
    line = f"error: {_one_line(error)}"
    file = os.environ.get(ERROR_FILE)
    if file:
        _write_whole(Path(file), {"message": line, "timestamp": int(time.time()), IS_LINE: True})
    launched = file and LAUNCHER in os.environ
    if not launched and os.environ.get("LOCAL_RANK", "0") == "0":
        print(line, file=sys.stderr)
    return 1


def _one_line(error: Exception) -> str:
    """The message; of an error from a data loader's process, with its traceback, the last line."""
    kind = type(error)
    *_, last = str(error).strip().splitlines()
    return last.removeprefix(f"{kind.__module__}.{kind.__qualname__}: ")


def _write_whole(path: Path, data: dict[str, object]) -> None:
    """Writes a JSON file in one step: the launcher may stop this process at any moment."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(data), encoding="utf-8")
    part.replace(path)


if __name__ == "__main__":
    sys.exit(main())
