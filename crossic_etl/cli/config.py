"""The command ``config``: what helps to write a configuration. Starts no Spark."""

from __future__ import annotations

import json
from pathlib import Path

import click

from crossic_etl.cli.options import CONTEXT, Commands, configuration
from crossic_etl.cli.registry import OTHERS


@click.group(
    "config",
    cls=Commands,
    help=OTHERS["config"],
    context_settings=CONTEXT,
    no_args_is_help=False,
)
def command() -> None:
    """Has three commands."""


@command.command("schema", help="Print a JSON Schema, from which editors complete keys.")
def print_schema() -> None:
    """Prints the schema."""
    from crossic_etl.config.schema import json_schema

    click.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))


@command.command("check", help="Check a configuration: keys, values, and what it names.")
@configuration()
def check_file(path: str, overrides: tuple[str, ...]) -> None:
    """Says a line of what was found right, or fails."""
    from crossic_etl.config.schema import check

    check(path, list(overrides))
    click.echo(f"{path}: no errors")


@command.command("init", help="Write a commented configuration to begin with.")
@click.argument("file", type=click.Path(path_type=Path), required=False)
def write_template(file: Path | None) -> None:
    """Writes it to a new file, or prints it where none is named.

    Raises:
        click.UsageError: the file is there.
    """
    from crossic_etl.config.schema import template

    if file is None:
        click.echo(template(), nl=False)
        return
    try:
        with file.open("x", encoding="utf-8") as written:
            written.write(template())
    except FileExistsError:
        raise click.UsageError(f"{file} exists; nothing was written") from None
    click.echo(f"wrote {file}")
