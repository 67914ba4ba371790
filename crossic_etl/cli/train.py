"""The command ``train``: continued pre-training on exported windows, in this process."""

from __future__ import annotations

import click

from crossic_etl.cli.options import Command, configuration
from crossic_etl.cli.registry import OTHERS


@click.command("train", cls=Command, help=OTHERS["train"], own_signals=True)
@configuration("batch.windows=32")
def command(path: str, overrides: tuple[str, ...]) -> int:
    """Trains, as ``python -m crossic_etl.training`` does."""
    from crossic_etl.training.__main__ import main

    return main(["--config", path, *(f"--set={override}" for override in overrides)])
