"""The command ``ablations``: plans the comparison of arrangements, and prints its results."""

from __future__ import annotations

from pathlib import Path

import click

from crossic_etl.cli.options import CONTEXT, Commands
from crossic_etl.cli.registry import OTHERS


@click.group(
    "ablations",
    cls=Commands,
    help=OTHERS["ablations"],
    context_settings=CONTEXT,
    no_args_is_help=False,
)
def command() -> None:
    """Has two commands."""


@command.command("plan", help="Write configurations, and the script that runs them.")
@click.option("--config", required=True, metavar="FILE", help="Of the ETL.")
@click.option("--training", required=True, metavar="FILE", help="Of training.")
@click.option("--tokens", required=True, type=int, help="New tokens of each export.")
@click.option(
    "--output", required=True, type=click.Path(path_type=Path), metavar="FOLDER", help="Of all."
)
@click.option(
    "--arrangements", multiple=True, metavar="NAME...", help="By default those of the paper."
)
@click.argument("more", nargs=-1, metavar="")
def plan_ablations(
    config: str,
    training: str,
    tokens: int,
    output: Path,
    arrangements: tuple[str, ...],
    more: tuple[str, ...],
) -> None:
    """Writes them, and prints the script's path. ``more`` are arrangements after the first."""
    from crossic_etl.training.ablations import COMPARED, plan

    if more and not arrangements:
        raise click.UsageError(f"unexpected argument {more[0]!r}")
    click.echo(plan(config, training, output, tokens, [*arrangements, *more] or COMPARED))


@command.command("table", help="Print the validation losses.")
@click.argument("folder", type=click.Path(path_type=Path))
def print_table(folder: Path) -> None:
    """Prints the table of a folder that ``plan`` made."""
    from crossic_etl.training.ablations import table

    click.echo(table(folder))
