"""torchrun, where a failure that training says in one line is that line alone.

    python -m crossic_etl.submit.torchrun --nproc-per-node 8 -m crossic_etl.training --config FILE

It takes torchrun's options. Processes leave their line to it, which says it once for its node;
torchrun itself would add a traceback of its own and a table of all processes. A process that
crashes still shows its traceback, and torchrun its table.
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
    """Runs torchrun; the exit status is 0, or 1 after a line or where a signal ended it.

    Raises:
        ChildFailedError: a process crashed.
    """
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    torchrun: Any = importlib.import_module("torch.distributed.run")
    os.environ[LAUNCHER] = "1"
    # It tells of each process that fails or is stopped, as the error does.
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
    """Says in one line why training ends, or leaves that to the launcher; returns 1.

    Under plain torchrun the first process of each node says it, since most errors are found by all,
    and torchrun shows it in its table.
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
    """Its words; of those that come from a data loader's process, with its traceback, the last."""
    kind = type(error)
    *_, last = str(error).strip().splitlines()
    return last.removeprefix(f"{kind.__module__}.{kind.__qualname__}: ")


def _write_whole(path: Path, data: dict[str, object]) -> None:
    """The launcher stops the others when one fails: half a file would be an error of its own."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(data), encoding="utf-8")
    part.replace(path)


if __name__ == "__main__":
    sys.exit(main())
