"""Command line: ``python -m crossic_etl.training --config training.yaml``.

On several GPUs: ``torchrun --nproc-per-node 8 -m crossic_etl.training --config training.yaml``,
or with `crossic_etl.submit.torchrun`, by which errors stay one line.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence

from crossic_etl.config.errors import ConfigError
from crossic_etl.config.training import load_training_config
from crossic_etl.export.manifest import ExportError
from crossic_etl.submit.torchrun import fail
from crossic_etl.training.errors import TrainingError

# Seconds in which a process that crashes only since another one failed is stopped by the launcher.
GRACE = 5


def main(argv: Sequence[str] | None = None) -> int:
    """Trains; the exit status is 0, or 1 after one line of error."""
    given = arguments().parse_args(argv)
    try:
        config = load_training_config(given.config, given.overrides)
        from crossic_etl.training.run import train  # torch takes seconds: not for a wrong key

        train(config)
    except (ConfigError, ExportError, TrainingError) as error:
        return fail(error)
    except Exception:
        if int(os.environ.get("WORLD_SIZE", "1")) > 1:
            time.sleep(GRACE)
        raise
    return 0


def arguments() -> argparse.ArgumentParser:
    """The options, which are those of ``crossic-etl train``."""
    found = argparse.ArgumentParser(description="Continued pre-training on exported windows.")
    found.add_argument("--config", required=True, metavar="FILE", help="YAML configuration")
    found.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", dest="overrides",
        help="override a key of the configuration, such as batch.windows=32",
    )  # fmt: skip
    return found


if __name__ == "__main__":
    sys.exit(main())
