"""The arguments of every command line that reads a YAML configuration. Imports no Spark."""

from __future__ import annotations

import argparse


def parser(description: str, example: str = "window.length=2048") -> argparse.ArgumentParser:
    """An argument parser with ``--config`` and ``--set``; ``example`` is an override."""
    arguments = argparse.ArgumentParser(description=description)
    arguments.add_argument("--config", required=True, metavar="FILE", help="YAML configuration")
    arguments.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", dest="overrides",
        help=f"override a key of the configuration, such as {example}",
    )  # fmt: skip
    return arguments
