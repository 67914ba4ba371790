"""Command line: ``python -m crossic_etl.training --config training.yaml``.

On several GPUs: ``torchrun --nproc-per-node 8 -m crossic_etl.training --config training.yaml``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from crossic_etl.arguments import parser
from crossic_etl.config_errors import ConfigError
from crossic_etl.training.config import TrainingError, load_training_config
from crossic_etl.training.manifest import ExportError


def main(argv: Sequence[str] | None = None) -> int:
    """Trains; the exit status is 0, or 1 after one line of error."""
    description = "Continued pre-training on exported windows."
    given = parser(description, "batch.windows=32").parse_args(argv)
    try:
        config = load_training_config(given.config, given.overrides)
        from crossic_etl.training.run import train  # torch takes seconds: not for a wrong key

        train(config)
    except (ConfigError, ExportError, TrainingError) as error:
        if os.environ.get("LOCAL_RANK", "0") == "0":  # the others found the same
            print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
