"""The command line: one place that starts every command by its name."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from crossic_etl.cli.registry import SCRIPTS, cli

# Asked for in any place of the line, they are none of `run`'s.
OWN_OPTIONS = ("--help", "-h", "--version")


def main(name: str, argv: Sequence[str] | None = None) -> int:
    """Runs a command by its name, or by that of its script in ``jobs/``; the exit status.

    Without ``argv`` the arguments are those of the process, which then ends.
    """
    arguments = sys.argv[1:] if argv is None else argv
    status = run_line([SCRIPTS.get(name, name), *arguments])
    if argv is None:
        end_quietly(status)
    return status


def run_line(argv: Sequence[str]) -> int:
    """Runs a whole command line; the exit status, 2 after an error in its arguments.

    A line that begins with an option of ``run`` is one of ``run``: deployments have it.
    """
    arguments = list(argv)
    if not arguments:
        click.echo(cli.get_help(click.Context(cli, info_name="crossic-etl")), err=True)
        return 2
    if arguments[0].startswith("-") and arguments[0] not in OWN_OPTIONS:
        arguments.insert(0, "run")
    try:
        return int(cli.main(arguments, prog_name="crossic-etl", standalone_mode=False) or 0)
    except click.ClickException as error:
        message = " ".join(error.format_message().split())
        click.echo(f"error: {message}", err=True)
        return 2


def console() -> None:
    """The command ``crossic-etl``.

    Raises:
        SystemExit: the command failed. Success returns, as Databricks takes any SystemExit for a
            failure and ignores what is returned.
    """
    if status := run_line(sys.argv[1:]):
        end_quietly(status)
        raise SystemExit(status)


def end_quietly(status: int) -> None:
    """After a signal nothing more is said, neither by Python's nor by Java's end."""
    from crossic_etl.cli.stopping import STOPPED, close_stderr

    if status in STOPPED:
        close_stderr()


if __name__ == "__main__":
    console()
